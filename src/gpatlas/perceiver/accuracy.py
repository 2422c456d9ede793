"""Imputation accuracy: how many hidden calls a network gets right, beside what needs no network."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from gpatlas.config import PerceiverRecipe
from gpatlas.evaluate.imputation import choose_neighbours, knn_window_impute, most_frequent_call
from gpatlas.nn.perceiver import Layout
from gpatlas.perceiver.batches import Batch, Batches
from gpatlas.perceiver.measuring import device_of, predict
from gpatlas.perceiver.samples import split_rows
from gpatlas.perceiver.sampling import allele_frequencies
from gpatlas.perceiver.targets import Targets
from gpatlas.seeding import stable_seed

ALL = "all"
MOST_CALLS = 20_000  # that accuracy is measured on; its standard error is then .0035 at most
_BOUNDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)


@dataclass(frozen=True)
class HiddenCalls:
    """Known calls of held-out samples that are hidden: the same ones for every model.

    Parameters
    ----------
    training
        Allele codes of the samples trained on.
    batches
        Held-out samples as networks are shown them.
    row, place
        `(n_calls,)`: which of what is asked for counts.
    """

    training: NDArray[np.int16]
    batches: list[Batch]
    row: NDArray[np.intp]
    place: NDArray[np.intp]

    @property
    def shown(self) -> NDArray[np.int16]:
        """Allele codes `(n_held_out, n_loci)`, 0 where a call is hidden or missing."""
        return np.concatenate([batch.shown for batch in self.batches])

    @property
    def locus(self) -> NDArray[np.int64]:
        """Where hidden calls are, `(n_calls,)`."""
        return np.concatenate([batch.loci for batch in self.batches])[self.row, self.place]

    @property
    def truth(self) -> NDArray[np.int64]:
        """Their codes, `(n_calls,)`."""
        return np.concatenate([batch.codes for batch in self.batches])[self.row, self.place]

    def predicted_by(self, network: nn.Module, layout: Layout, recipe: PerceiverRecipe) -> NDArray[np.int64]:
        """Return what a network says that they are, `(n_calls,)`."""
        targets = Targets(layout, device_of(network))
        said = [predict(network, batch, targets, masked(recipe)) for batch in self.batches]
        return np.concatenate(said)[self.row, self.place]


def masked(recipe: PerceiverRecipe) -> PerceiverRecipe:
    """Return the recipe that hides calls of single individuals."""
    return recipe.model_copy(update={"objective": "masked"})


def hide_calls(
    codes: NDArray[np.integer], layout: Layout, recipe: PerceiverRecipe, validation: NDArray[np.intp] | None = None
) -> HiddenCalls:
    """Hide known calls of held-out samples, `MOST_CALLS` at most; those that validation by the recipe hides, too."""
    training, held_out = split_rows(len(codes), recipe, validation)
    batches = Batches(masked(recipe), layout, np.asarray(codes, dtype=np.int16), training, held_out)
    hidden = list(batches.held_out())
    known = np.concatenate([batch.known for batch in hidden]) if hidden else np.empty((0, 0), dtype=bool)
    row, place = np.nonzero(known)
    if len(row) > MOST_CALLS:
        rng = np.random.default_rng(stable_seed(recipe.seed, "perceiver", "calls"))
        chosen = np.sort(rng.choice(len(row), MOST_CALLS, replace=False))
        row, place = row[chosen], place[chosen]
    return HiddenCalls(batches.codes[training], hidden, row, place)


def imputation_table(
    networks: Mapping[str, nn.Module],
    codes: NDArray[np.integer],
    layout: Layout,
    recipe: PerceiverRecipe,
    validation: NDArray[np.intp] | None = None,
) -> list[dict[str, Any]]:
    """Measure networks and baselines on the same hidden calls of held-out samples.

    Parameters
    ----------
    networks
        By name, pretrained by this recipe on these codes (or on those of its training rows).
    codes
        Allele codes `(n_samples, n_loci)` in the order of the layout.
    layout, recipe, validation
        See `pretrain`; whatever the recipe's objective, alleles of single calls are hidden and asked for.

    Returns
    -------
    list of rows
        class (of the minor allele's frequency among training rows, or "all"), n_calls, model, accuracy: the share of
        hidden calls of which all alleles are right. Models are those named, "knn" (`knn_window_impute` with neighbours
        and window chosen on training rows) and "most_frequent". No rows where nothing is held out.
    """
    hidden = hide_calls(codes, layout, recipe, validation)
    if not len(hidden.row):
        return []
    locus, truth, training = hidden.locus, hidden.truth, hidden.training
    of_panel = layout.number, layout.ploidy, layout.n_alleles
    best = choose_neighbours(training, *of_panel, seed=recipe.seed)
    found = {name: hidden.predicted_by(network, layout, recipe) for name, network in networks.items()}
    found["knn"] = knn_window_impute(training, hidden.shown, hidden.row, locus, *of_panel, k=best.k, window=best.window)
    found["most_frequent"] = most_frequent_call(training)[locus]
    classes = frequency_classes(minor_frequency(training, layout))[locus]
    rows = []
    for name, said in found.items():
        for of_class in [*sorted(set(classes.tolist())), ALL]:
            right = (said == truth)[(classes == of_class) | (of_class == ALL)]
            rows.append({"class": of_class, "n_calls": len(right), "model": name, "accuracy": float(right.mean())})
    return rows


def minor_frequency(codes: NDArray[np.integer], layout: Layout) -> NDArray[np.float64]:
    """Return the frequency of all alleles but the most frequent, `(n_loci,)`: with two alleles, of the minor one."""
    return 1 - allele_frequencies(codes, layout).max(axis=1, initial=0)


def frequency_classes(frequency: NDArray[np.float64]) -> NDArray[np.str_]:
    """Return the name of each locus' frequency class, such as "0.05-0.10"; the upper bound belongs to it."""
    bounds = np.array([0.0, *_BOUNDS, 1.0])
    names = np.array([f"{low:.2f}-{high:.2f}" for low, high in pairwise(bounds)])
    return names[np.searchsorted(_BOUNDS, frequency - 1e-12)]


def overall(table: list[dict[str, Any]]) -> dict[str, float]:
    """Return the accuracy of all calls together, by model."""
    return {row["model"]: row["accuracy"] for row in table if row["class"] == ALL}
