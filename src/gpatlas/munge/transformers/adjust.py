"""Adjustment for confounders: what the covariates explain of each dosage is taken off it."""

from numbers import Integral
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils._param_validation import Interval

from gpatlas.munge.transformers.base import LocusTransformer, filled, known_means


class AdjustForCovariates(OneToOneFeatureMixin, LocusTransformer):
    """Replace dosages by their residuals from least squares on the covariates (with a mean).

    The regression is that of the training samples; new samples are adjusted by its coefficients. The covariates
    themselves stay as they are. A missing covariate counts as its training mean, a missing dosage stays missing.

    Parameters
    ----------
    normalise : bool, default=False
        Also divide by the standard deviation of the training residuals.
    n_covariates : int, default=0
        Columns at the end that are covariates.

    Attributes
    ----------
    coefficients_ : ndarray of shape (n_covariates, n_loci)
        Dosage per unit of each covariate.
    intercept_, scale_ : ndarray of shape (n_loci,)
        Dosage where all covariates are 0, and what divides the residuals.
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "normalise": ["boolean"],
        "n_covariates": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, normalise: bool = False, n_covariates: int = 0):
        self.normalise = normalise
        self.n_covariates = n_covariates

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> "AdjustForCovariates":
        """Regress every dosage on the covariates; `y` is not looked at."""
        x = self._fitting(X)
        dosage, self._means = x[:, : self._n_loci], known_means(x[:, self._n_loci :])
        design = self._design(x)
        known = ~np.isnan(dosage)
        beta = np.linalg.lstsq(design, np.where(known, dosage, 0), rcond=None)[0]
        for locus in np.flatnonzero(~known.all(axis=0)):  # each has samples of its own
            rows = known[:, locus]
            beta[:, locus] = np.linalg.lstsq(design[rows], dosage[rows, locus], rcond=None)[0] if rows.any() else 0
        self.intercept_: NDArray = beta[0]
        self.coefficients_: NDArray = beta[1:]
        self.scale_: NDArray = np.ones(self._n_loci)
        if self.normalise:
            residual = np.where(known, dosage - design @ beta, 0)
            variance = (residual**2).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
            rounding = 1e-24 * np.maximum(1, np.where(known, dosage, 0) ** 2).max(axis=0, initial=1)
            self.scale_ = np.where(variance > rounding, np.sqrt(variance), np.inf)
        return self

    def transform(self, X: ArrayLike) -> NDArray:
        """Return X with adjusted dosages."""
        x = self._new(X)
        expected = self._design(x) @ np.vstack([self.intercept_, self.coefficients_])
        adjusted = (x[:, : self._n_loci] - expected) / self.scale_
        return np.hstack([adjusted, x[:, self._n_loci :]]).astype(x.dtype, copy=False)

    def _design(self, x: NDArray) -> NDArray[np.float64]:
        return np.hstack([np.ones((len(x), 1)), filled(x[:, self._n_loci :], self._means)])
