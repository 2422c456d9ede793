"""What every linear model of dosage shares: effects of alleles, and predictions from them."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from gpatlas.models.inputs import fill_missing, validated_phenotypes


class LinearModel(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Base of linear models; `fit` of a subclass sets `marker_effects_`, `intercept_` and `_mean_x`.

    Attributes
    ----------
    marker_effects_ : ndarray of shape (n_loci,) or (n_loci, n_traits)
        Effect of one more copy of allele "1", in trait units.
    intercept_ : float or ndarray of shape (n_traits,)
        Prediction at dosage 0.
    """

    marker_effects_: NDArray
    intercept_: Any
    _mean_x: NDArray  # training means of loci, which stand for missing genotypes

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return predictions in trait units, `(n_samples,)` or `(n_samples, n_traits)`: mean plus breeding values."""
        check_is_fitted(self)
        dosage: NDArray = validate_data(self, X, dtype="numeric", ensure_all_finite="allow-nan", reset=False)
        x, _ = fill_missing(dosage, self._mean_x)
        return x @ self.marker_effects_ + self.intercept_

    def _validated(self, X: ArrayLike, y: ArrayLike, minimum: int) -> tuple[NDArray, NDArray[np.float64]]:
        """Check hyperparameters and data; return dosage and phenotypes `(n_samples, n_traits)`."""
        self._validate_params()
        dosage: NDArray = validate_data(self, X, dtype="numeric", ensure_all_finite="allow-nan", ensure_min_samples=2)
        return dosage, validated_phenotypes(dosage, y, minimum)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
