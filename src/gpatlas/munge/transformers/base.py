"""What every transformer of [dosage | covariates] shares: checks of its inputs, the two parts, tags."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.validation import check_is_fitted, validate_data


class Munger(BaseEstimator):
    """Base of transformers; NaN is missing, and says nothing."""

    n_covariates: int
    n_features_in_: int

    def _fitting(self, X: ArrayLike, minimum: int = 1) -> NDArray:
        """Check hyperparameters and training data."""
        self._validate_params()
        x = self._checked(X, reset=True, ensure_min_samples=minimum)
        if self.n_covariates > x.shape[1]:
            raise ValueError(f"n_covariates={self.n_covariates}, but X has {x.shape[1]} columns")
        return x

    def _new(self, X: ArrayLike) -> NDArray:
        """Check data to transform."""
        check_is_fitted(self)
        return self._checked(X, reset=False)

    def _checked(self, X: ArrayLike, reset: bool, **how: Any) -> NDArray:
        kinds = (np.float64, np.float32)
        return validate_data(self, X, dtype=kinds, ensure_all_finite="allow-nan", reset=reset, **how)

    @property
    def _n_loci(self) -> int:
        """How many of the columns are dosages; they come first."""
        return self.n_features_in_ - self.n_covariates

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class LocusSelector(SelectorMixin, Munger):
    """Base of transformers that keep some loci, in their order, under their names, and all covariates.

    `fit` of a subclass sets `kept_`, bool `(n_loci,)`.
    """

    kept_: NDArray[np.bool_]

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self)
        return np.concatenate([self.kept_, np.ones(self.n_covariates, dtype=bool)])


class LocusTransformer(TransformerMixin, Munger):
    """Base of the other transformers."""


def known_means(x: NDArray) -> NDArray[np.float64]:
    """Return the mean of what is known in each column, 0 where nothing is."""
    known = ~np.isnan(x)
    return np.where(known, x, 0).sum(axis=0, dtype=np.float64) / np.maximum(known.sum(axis=0), 1)


def filled(x: NDArray, means: NDArray) -> NDArray[np.float64]:
    """Return x as float64 with `means` where values are missing."""
    return np.where(np.isnan(x), means, x).astype(np.float64, copy=False)
