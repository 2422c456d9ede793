"""Imputation accuracy: how many hidden calls a network gets right, beside what needs no network."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from gpatlas.alleles import MISSING_CODE
from gpatlas.config import PerceiverRecipe
from gpatlas.evaluate.imputation import knn_window_impute, most_frequent_call
from gpatlas.nn.perceiver import Layout
from gpatlas.perceiver.batches import Batches
from gpatlas.perceiver.measuring import predict
from gpatlas.perceiver.samples import split_rows
from gpatlas.perceiver.sampling import allele_frequencies
from gpatlas.perceiver.targets import Targets
from gpatlas.seeding import stable_seed

ALL = "all"
MOST_CALLS = 20_000  # that accuracy is measured on; its standard error is then .0035 at most
_BOUNDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)


def imputation_table(
    networks: dict[str, nn.Module],
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
        hidden calls of which all alleles are right. Models are those named, "knn" and "most_frequent". No rows where
        nothing is held out.
    """
    training, held_out = split_rows(len(codes), recipe, validation)
    masked = recipe.model_copy(update={"objective": "masked"})
    batches = Batches(masked, layout, np.asarray(codes, dtype=np.int16), training, held_out)
    hidden = list(batches.held_out())
    if not hidden or not sum(batch.known.sum() for batch in hidden):
        return []
    known = np.concatenate([batch.known for batch in hidden])
    row, place = np.nonzero(known)
    if len(row) > MOST_CALLS:
        rng = np.random.default_rng(stable_seed(recipe.seed, "perceiver", "calls"))
        chosen = np.sort(rng.choice(len(row), MOST_CALLS, replace=False))
        row, place = row[chosen], place[chosen]
    locus = np.concatenate([batch.loci for batch in hidden])[row, place]
    truth = np.concatenate([batch.codes for batch in hidden])[row, place]
    found = {}
    for name, network in networks.items():
        targets = Targets(layout, next(network.parameters()).device)
        said = np.concatenate([predict(network, batch, targets, masked) for batch in hidden])
        found[name] = said[row, place]
    shown = np.concatenate([batch.shown for batch in hidden])
    of_panel = layout.number, layout.ploidy, layout.n_alleles
    found["knn"] = knn_window_impute(batches.codes[training], shown, row, locus, *of_panel)
    found["most_frequent"] = most_frequent_call(batches.codes[training])[locus]
    classes = frequency_classes(minor_frequency(batches.codes[training], layout))[locus]
    rows = []
    for name, said in found.items():
        right = (said == truth) & (truth != MISSING_CODE)
        for of_class in [*sorted(set(classes.tolist())), ALL]:
            here = right if of_class == ALL else right[classes == of_class]
            rows.append({"class": of_class, "n_calls": len(here), "model": name, "accuracy": float(here.mean())})
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
