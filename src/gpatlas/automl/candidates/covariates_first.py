"""Learners of loci alone: what covariates do is estimated first, and taken from the trait."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from gpatlas.models import make


class CovariatesFirst(RegressorMixin, BaseEstimator):
    """A regressor on what generalised least squares of the covariates leave of the trait.

    Effects of covariates are those of rrBLUP, where loci are random, so that loci which go with a covariate are not
    robbed of their share.

    Parameters
    ----------
    regressor : estimator
        Of loci.
    n_covariates : int, default=0
        How many of the last columns of X are covariates.

    Attributes
    ----------
    regressor_ : estimator
        Fitted to the loci.
    covariate_effects_, covariate_mean_ : ndarray of shape (n_covariates,)
        Effects of a unit of each covariate, and means, which stand for missing ones.
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "regressor": [HasMethods(["fit", "predict"])],
        "n_covariates": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, regressor: Any, n_covariates: int = 0):
        self.regressor = regressor
        self.n_covariates = n_covariates

    def fit(self, X: ArrayLike, y: ArrayLike) -> "CovariatesFirst":
        """Estimate effects of covariates, then fit the regressor."""
        self._validate_params()
        x, trait = validate_data(self, X, y, dtype="numeric", y_numeric=True, ensure_all_finite="allow-nan")
        if self.n_covariates:
            self.covariate_effects_: NDArray = (
                make("rrblup", n_covariates=self.n_covariates).fit(x, trait).covariate_effects_
            )
            w = x[:, -self.n_covariates :]
            known = np.maximum((~np.isnan(w)).sum(axis=0), 1)
            self.covariate_mean_: NDArray = np.nansum(w, axis=0, dtype=np.float64) / known
        else:
            self.covariate_effects_, self.covariate_mean_ = np.zeros(0), np.zeros(0)
        loci, of_covariates = self._cut(x)
        self.regressor_: Any = clone(self.regressor).fit(loci, trait - of_covariates)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return predictions, `(n_samples,)`."""
        check_is_fitted(self)
        loci, of_covariates = self._cut(validate_data(self, X, ensure_all_finite="allow-nan", reset=False))
        return self.regressor_.predict(loci) + of_covariates

    def _cut(self, x: NDArray) -> tuple[NDArray, NDArray[np.float64]]:
        """Return loci, and what the covariates do to each sample."""
        n_loci = x.shape[1] - self.n_covariates
        deviation = x[:, n_loci:] - self.covariate_mean_
        return x[:, :n_loci], np.where(np.isnan(deviation), 0.0, deviation) @ self.covariate_effects_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
