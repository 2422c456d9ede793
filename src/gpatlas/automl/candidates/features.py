"""What learners from libraries are given: complete, standardised features, all of it learnt from training samples."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

_SMALLEST_SHARE = 1e-6  # of |mean|, that float32 resolves; a feature whose standard deviation is below is constant


class Features(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Features with mean 0 and standard deviation 1 in the training samples; a missing value becomes their mean.

    A feature that is constant in the training samples says nothing and becomes 0 everywhere.

    Parameters
    ----------
    n_covariates : int, default=0
        How many of the last columns are covariates.
    covariate_weight : float, default=1.0
        Standard deviation of covariates: learners that penalise, or measure distances, see them that much larger
        than loci.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
        What is subtracted, and what it is multiplied by then.
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "n_covariates": [Interval(Integral, 0, None, closed="left")],
        "covariate_weight": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, n_covariates: int = 0, covariate_weight: float = 1.0):
        self.n_covariates = n_covariates
        self.covariate_weight = covariate_weight

    def fit(self, X: ArrayLike, y: Any = None) -> "Features":
        """Learn means and standard deviations of X `(n_samples, n_features)`, NaN being missing."""
        self._validate_params()
        x = validate_data(self, X, dtype=(np.float32, np.float64), ensure_all_finite="allow-nan")
        known = ~np.isnan(x)
        n = np.maximum(known.sum(axis=0), 1)
        self.mean_: NDArray = np.where(known, x, 0).sum(axis=0, dtype=np.float64) / n
        sd = np.sqrt(np.where(known, x - self.mean_, 0).var(axis=0, dtype=np.float64))
        varies = sd > _SMALLEST_SHARE * np.abs(self.mean_)
        self.scale_: NDArray = np.divide(1.0, sd, out=np.zeros_like(sd), where=varies)
        if self.n_covariates:
            self.scale_[-self.n_covariates :] *= self.covariate_weight
        return self

    def transform(self, X: ArrayLike) -> NDArray:
        """Return standardised features of the floating type of X, `(n_samples, n_features)`."""
        check_is_fitted(self)
        x = validate_data(self, X, dtype=(np.float32, np.float64), ensure_all_finite="allow-nan", reset=False)
        found = (x - self.mean_.astype(x.dtype)) * self.scale_.astype(x.dtype)
        found[np.isnan(found)] = 0.0
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class Components(TransformerMixin, BaseEstimator):
    """Principal components of the loci, and the covariates after them.

    Parameters
    ----------
    n_components : int or None, default=None
        Components at most; None is all that the samples have.
    n_covariates : int, default=0
        How many of the last columns are covariates.

    Attributes
    ----------
    axes_ : ndarray of shape (n_loci, n_components)
        Orthonormal.
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "n_covariates": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, n_components: int | None = None, n_covariates: int = 0):
        self.n_components = n_components
        self.n_covariates = n_covariates

    def fit(self, X: ArrayLike, y: Any = None) -> "Components":
        """Find the components of centred, complete X `(n_samples, n_features)`."""
        self._validate_params()
        x = validate_data(self, X, dtype=(np.float32, np.float64))
        loci = x[:, : x.shape[1] - self.n_covariates].astype(np.float64)
        d, u = eigh(loci @ loci.T) if len(loci) < loci.shape[1] else eigh(loci.T @ loci)
        most = len(d) if self.n_components is None else self.n_components
        kept = np.flatnonzero(d > d.max(initial=0.0) * len(d) * np.finfo(np.float64).eps)[::-1][:most]
        axes = loci.T @ (u[:, kept] / np.sqrt(d[kept])) if len(loci) < loci.shape[1] else u[:, kept]
        self.axes_: NDArray = axes * np.sign(axes.sum(axis=0) + (axes.sum(axis=0) == 0))
        return self

    def transform(self, X: ArrayLike) -> NDArray:
        """Return components and covariates, `(n_samples, n_components + n_covariates)`."""
        check_is_fitted(self)
        x = validate_data(self, X, dtype=(np.float32, np.float64), reset=False)
        n_loci = x.shape[1] - self.n_covariates
        return np.hstack([x[:, :n_loci] @ self.axes_, x[:, n_loci:]])
