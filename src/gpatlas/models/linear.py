"""What every linear model of dosage shares: effects of alleles, and predictions from them."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from gpatlas.models.inputs import fill_missing, validated_phenotypes
from gpatlas.models.products import times
from gpatlas.packed import Bits


class LinearModel(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Base of linear models; `fit` of a subclass sets `marker_effects_`, `intercept_` and `_mean_x`.

    Attributes
    ----------
    marker_effects_ : ndarray of shape (n_loci,) or (n_loci, n_traits)
        Effect of one more copy of allele "1", in trait units.
    intercept_ : float or ndarray of shape (n_traits,)
        Prediction at dosage 0.
    """

    streams: ClassVar[bool] = False  # whether X may be `gpatlas.packed.Bits`, which are never unpacked as a whole
    marker_effects_: NDArray
    intercept_: Any
    _mean_x: NDArray  # training means of loci, which stand for missing genotypes

    def predict(self, X: ArrayLike | Bits) -> NDArray[np.float64]:
        """Return predictions in trait units, `(n_samples,)` or `(n_samples, n_traits)`: mean plus breeding values."""
        check_is_fitted(self)
        x = self._genotypes(X, reset=False)
        if not isinstance(x, Bits):
            x, _ = fill_missing(x, self._mean_x)
        effects = self.marker_effects_.reshape(x.shape[1], -1)
        return times(x, effects).reshape(len(x), *self.marker_effects_.shape[1:]) + self.intercept_

    def _validated(self, X: ArrayLike | Bits, y: ArrayLike, minimum: int) -> tuple[Any, NDArray[np.float64]]:
        """Check hyperparameters and data; return dosage (or bits) and phenotypes `(n_samples, n_traits)`."""
        self._validate_params()
        x = self._genotypes(X, reset=True)
        return x, validated_phenotypes(x, y, minimum)

    def _genotypes(self, X: ArrayLike | Bits, reset: bool) -> NDArray | Bits:
        """Check X; bits are numbers, complete and finite by what they are."""
        if not (isinstance(X, Bits) and self.streams):
            least = {"ensure_min_samples": 2} if reset else {}
            return validate_data(self, X, dtype="numeric", ensure_all_finite="allow-nan", reset=reset, **least)
        if reset:
            self.n_features_in_ = X.shape[1]
        elif X.shape[1] != self.n_features_in_:
            raise ValueError(f"X has {X.shape[1]} loci, but {type(self).__name__} was fitted to {self.n_features_in_}")
        return X

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
