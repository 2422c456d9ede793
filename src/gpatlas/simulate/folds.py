"""Assignment of samples to train, validation and test."""

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
