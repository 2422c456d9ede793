"""Quadratic discriminants whose covariance matrices are shrunk to what classes have in common."""

from numbers import Real
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cho_solve, cholesky
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data


class RegularisedDiscriminant(ClassifierMixin, BaseEstimator):
    """Normal classes with a mean and a shrunken covariance matrix each (regularised discriminant analysis).

    Parameters
    ----------
    common : float, default=0.3
        λ: how far covariances go from each class' own (0) to the one of all classes (1, linear discriminants).
    sphere : float, default=0.1
        γ: how far they go from there to one variance for all features.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    priors_, means_ : ndarray of shape (n_classes,) and (n_classes, n_features)
        Shares and means of the classes.
    cholesky_ : ndarray of shape (n_classes, n_features, n_features)
        Lower triangular factors of the covariances.

    References
    ----------
    Friedman (1989) J. Am. Stat. Assoc. 84:165, equations 14 to 18.
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "common": [Interval(Real, 0, 1, closed="both")],
        "sphere": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(self, common: float = 0.3, sphere: float = 0.1):
        self.common = common
        self.sphere = sphere

    def fit(self, X: ArrayLike, y: ArrayLike) -> "RegularisedDiscriminant":
        """Estimate means and covariances."""
        self._validate_params()
        x, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_: NDArray
        self.classes_, code = np.unique(y, return_inverse=True)
        n, n_classes = np.bincount(code), len(self.classes_)
        if n_classes < 2:
            raise ValueError(f"{type(self).__name__} needs samples of two classes or more, not of one class alone")
        self.priors_: NDArray = n / len(x)
        self.means_: NDArray = np.array([x[code == k].mean(axis=0) for k in range(n_classes)])
        deviation = x - self.means_[code]
        scatter = np.array([deviation[code == k].T @ deviation[code == k] for k in range(n_classes)])
        own, every = (1 - self.common) * n, self.common * len(x)
        covariance = ((1 - self.common) * scatter + self.common * scatter.sum(axis=0)) / (own + every)[:, None, None]
        variance = np.trace(covariance, axis1=1, axis2=2)[:, None, None] / x.shape[1]
        identity = np.eye(x.shape[1])
        covariance = (1 - self.sphere) * covariance + (self.sphere * variance + 1e-9 * max(x.var(), 1e-9)) * identity
        self.cholesky_: NDArray = np.array([cholesky(one, lower=True) for one in covariance])
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return probabilities of the classes, `(n_samples, n_classes)`."""
        check_is_fitted(self)
        x = validate_data(self, X, dtype=np.float64, reset=False)
        logs = np.tile(np.log(self.priors_), (len(x), 1))
        for k, (mean, factor) in enumerate(zip(self.means_, self.cholesky_, strict=True)):
            deviation = x - mean
            distance = np.einsum("ij,ji->i", deviation, cho_solve((factor, True), deviation.T))
            logs[:, k] -= distance / 2 + np.log(np.diag(factor)).sum()
        each = np.exp(logs - logs.max(axis=1, keepdims=True))
        return each / each.sum(axis=1, keepdims=True)

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the most probable classes, `(n_samples,)`."""
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]
