"""What every estimator on dosages shares: checks of its inputs, tags, shapes."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from gpatlas.models.inputs import fill_missing, validated_phenotypes


class DosageModel(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Base of models of dosage; `fit` of a subclass sets `_mean_x`."""

    _mean_x: NDArray  # training means of loci, which stand for missing genotypes

    def _validated(self, X: ArrayLike, y: ArrayLike, minimum: int) -> tuple[NDArray, NDArray[np.float64]]:
        """Check hyperparameters and data; return dosage and phenotypes `(n_samples, n_traits)`."""
        self._validate_params()
        dosage: NDArray = validate_data(self, X, dtype="numeric", ensure_all_finite="allow-nan", ensure_min_samples=2)
        return dosage, validated_phenotypes(dosage, y, minimum)

    def _new_dosage(self, X: ArrayLike) -> NDArray:
        """Check new samples' dosage, and fill what is missing."""
        check_is_fitted(self)
        dosage: NDArray = validate_data(self, X, dtype="numeric", ensure_all_finite="allow-nan", reset=False)
        return fill_missing(dosage, self._mean_x)[0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
