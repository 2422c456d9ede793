"""rrBLUP over many random splits of one data set, without starting anew for each.

One Gram matrix over all samples; each split subtracts its test samples' (`Moments` subtract), which costs
n_test/n of forming it, and one eigendecomposition then serves all penalties and all traits of the split.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.models.products import Genotypes, rows_of, times
from gpatlas.models.ridge import PUBLISHED_PENALTIES, Criterion, Moments, best_penalty, centre_traits, primal_spectrum
from gpatlas.models.rrblup import decompose


@dataclass(frozen=True)
class Split:
    """One partition of the samples, for some traits."""

    train: NDArray[np.intp]
    test: NDArray[np.intp]
    traits: NDArray[np.intp]


@dataclass(frozen=True)
class SplitFit:
    """What ridge regression gives in one split; columns are the split's traits."""

    split: Split
    predicted: NDArray[np.float64]  # (n_test, n_traits)
    marker_effects: NDArray[np.float64]  # (n_loci, n_traits)
    penalty: NDArray[np.float64]  # (n_traits,)


def fit_splits(
    x: Genotypes,
    y: NDArray[np.float64],
    splits: Sequence[Split],
    criterion: Criterion = "loo",
    penalties: NDArray[np.float64] = PUBLISHED_PENALTIES,
) -> list[SplitFit]:
    """Fit ridge regression to the training part of every split and predict its test part.

    Parameters
    ----------
    x
        Dosage `(n_samples, n_loci)`, nothing missing; or bits.
    y
        Phenotypes `(n_samples, n_traits)`, nothing missing.
    splits
        Partitions; a split may concern some of the traits.
    criterion, penalties
        How the penalty is chosen, see `gpatlas.models.rrblup.RRBLUP`.
    """
    y, mean_y = centre_traits(y)
    primal = all(x.shape[1] < len(split.train) for split in splits)
    whole = Moments.of(x, y) if primal else None
    return [_fit(x, y, mean_y, split, whole, criterion, penalties) for split in splits]


def _fit(
    x: Genotypes,
    y: NDArray[np.float64],
    mean_y: NDArray[np.float64],
    split: Split,
    whole: Moments | None,
    criterion: Criterion,
    penalties: NDArray[np.float64],
) -> SplitFit:
    x_test, y_here = rows_of(x, split.test), y[:, split.traits]
    x_train = rows_of(x, split.train if whole is None or criterion == "loo" else split.train[:0])
    y_train = y_here[split.train]
    if whole is None:
        spectrum = decompose(x_train, y_train)
    else:
        spectrum = primal_spectrum(whole.of_traits(split.traits) - Moments.of(x_test, y_here[split.test]))
    penalty = best_penalty(spectrum, criterion, penalties, x_train, y_train)
    effects = spectrum.effects(penalty, x_train)
    predicted = times(x_test, effects) + (mean_y[split.traits] + spectrum.mean_y - spectrum.mean_x @ effects)
    return SplitFit(split, predicted, effects, penalty)


def random_splits(n_samples: int, n_traits: int, n_splits: int, test: float, seed: int) -> list[Split]:
    """Draw seeded random splits that all traits share."""
    rng = np.random.default_rng(seed)
    n_train, traits = int(n_samples * (1 - test)), np.arange(n_traits)
    orders = [rng.permutation(n_samples) for _ in range(n_splits)]
    return [Split(order[:n_train], np.sort(order[n_train:]), traits) for order in orders]


def published_splits(n_samples: int, n_traits: int, n_splits: int, test: float) -> list[Split]:
    """Repeat the published script's splits: one legacy NumPy stream, seed 42, trait by trait.

    The script draws `np.random.choice(n, int(0.85 n), replace=False)` for every trait and iteration.
    """
    stream = np.random.RandomState(42)
    n_train, splits = int(n_samples * (1 - test)), []
    for trait in range(n_traits):
        for _ in range(n_splits):
            train = stream.choice(n_samples, size=n_train, replace=False)
            rest = np.ones(n_samples, dtype=bool)
            rest[train] = False
            splits.append(Split(train, np.flatnonzero(rest), np.array([trait])))
    return splits
