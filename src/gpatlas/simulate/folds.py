"""Assignment of samples to train, validation and test."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.config.simulation import FoldsSpec
from gpatlas.dataset import Fold
from gpatlas.errors import DataError


def assign_folds(n_samples: int, spec: FoldsSpec, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Split samples; fold sizes are rounded shares.

    `by="position"` takes the last samples as test and those before as validation (the published split, whose
    training part is round(0.85·n)); `by="random"` shuffles first.

    Raises
    ------
    DataError
        A fold that is asked for would be empty.
    """
    n_train = round(n_samples * (1 - spec.test - spec.validation))
    n_test = n_samples - round(n_samples * (1 - spec.test))
    n_validation = n_samples - n_train - n_test
    if n_train < 1 or n_test < 1 or (spec.validation > 0 and n_validation < 1):
        raise DataError(
            f"{n_samples} samples cannot be split into train, validation {spec.validation:g} and "
            f"test {spec.test:g}: a fold would be empty"
        )
    order = np.arange(n_samples) if spec.by == "position" else rng.permutation(n_samples)
    fold = np.empty(n_samples, dtype=np.uint8)
    fold[order] = np.repeat([Fold.train, Fold.validation, Fold.test], [n_train, n_validation, n_test])
    return fold


@dataclass(frozen=True)
class FewPhenotyped:
    """Samples of which few are phenotyped.

    Parameters
    ----------
    fold
        uint8 `(n_samples,)`, codes of `Fold`; samples without phenotypes are training samples.
    silent
        bool `(n_samples,)`: whose phenotypes are not to be known, to any model or score.
    """

    fold: NDArray[np.uint8]
    silent: NDArray[np.bool_]


def phenotype_few(
    n_samples: int,
    n_phenotyped: int,
    test: float,
    validation: float,
    rng: np.random.Generator,
    measured: NDArray[np.bool_] | None = None,
) -> FewPhenotyped:
    """Choose test samples, and among the others the few that have phenotypes, of which a share is for validation.

    The same stream gives the same test samples whatever `n_phenotyped` is, and the fewer are among the more.

    Parameters
    ----------
    n_samples, n_phenotyped
        How many there are, and how many may be learnt from.
    test
        Share of the samples that is predicted.
    validation
        Share of the phenotyped samples that is held back for selection.
    rng
        Source of randomness.
    measured
        bool `(n_samples,)`, who has phenotypes at all; everybody when left out. The others are neither test samples
        nor among the few.

    Raises
    ------
    DataError
        Too few samples are left beside the test samples, or a fold would be empty.
    """
    able = np.arange(n_samples) if measured is None else np.flatnonzero(measured)
    order = rng.permutation(able)
    n_test, n_validation = round(test * len(able)), round(validation * n_phenotyped)
    left = len(able) - n_test
    if n_phenotyped > left:
        raise DataError(f"{n_phenotyped} phenotyped samples are asked for, but {left} are left beside {n_test} of test")
    if n_test < 1 or n_phenotyped - n_validation < 1 or (validation > 0 and n_validation < 1):
        raise DataError(
            f"{n_phenotyped} phenotyped of {len(able)} samples cannot be split into train, validation "
            f"{validation:g} and test {test:g}: a fold would be empty"
        )
    few = order[n_test : n_test + n_phenotyped]
    fold = np.full(n_samples, Fold.train, dtype=np.uint8)
    fold[order[:n_test]] = Fold.test
    fold[few[:n_validation]] = Fold.validation
    silent = np.ones(n_samples, dtype=bool)
    silent[order[: n_test + n_phenotyped]] = False
    return FewPhenotyped(fold, silent)
