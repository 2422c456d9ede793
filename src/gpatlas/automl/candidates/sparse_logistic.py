"""L1 logistic regression with a cross-validated penalty."""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import l1_min_c
from sklearn.utils._param_validation import Interval
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data


class SparseLogistic(ClassifierMixin, BaseEstimator):
    """L1 logistic regression of two classes; the penalty of the least log loss in cross-validation.

    Parameters
    ----------
    n_folds : int, default=5
        Stratified folds of the cross-validation.
    n_penalties : int, default=12
        Penalties, evenly on a log scale from that at which no feature is left, and larger models until the log loss
        has risen by a standard error.
    smallest_penalty : float, default=0.01
        Of the grid, as a share of the largest.
    random_state : int, default=0
        Of the folds and of the solver.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features)
        Change of the log odds of the second class with a feature.
    intercept_ : ndarray of shape (1,)
        Log odds at 0.
    C_ : float
        The inverse penalty chosen.
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "n_folds": [Interval(Integral, 2, None, closed="left")],
        "n_penalties": [Interval(Integral, 1, None, closed="left")],
        "smallest_penalty": [Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
    }

    def __init__(self, n_folds: int = 5, n_penalties: int = 12, smallest_penalty: float = 0.01, random_state: int = 0):
        self.n_folds = n_folds
        self.n_penalties = n_penalties
        self.smallest_penalty = smallest_penalty
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> "SparseLogistic":
        """Choose the penalty, and fit; X `(n_samples, n_features)` is complete and standardised."""
        self._validate_params()
        x, y = validate_data(self, X, y, dtype=(np.float32, np.float64))
        check_classification_targets(y)
        self.classes_: NDArray
        self.classes_, code = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            raise ValueError(f"Only binary classification is supported, and there are {len(self.classes_)} class(es)")
        x = x.astype(np.float64)  # what the solver works in
        least = l1_min_c(x, code, loss="log") if np.abs(x).max(initial=0.0) > 0 else 1.0
        grid = least * np.geomspace(1 / 0.9, 1 / self.smallest_penalty, self.n_penalties)
        self.C_ = float(grid[self._best(x, code, grid)])
        fit = self._solve(x, code, self.C_)
        self.coef_: NDArray = fit.coef_
        self.intercept_: NDArray = fit.intercept_
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return log odds of the second class, `(n_samples,)`."""
        check_is_fitted(self)
        x = validate_data(self, X, dtype=(np.float32, np.float64), reset=False)
        return x @ self.coef_[0] + self.intercept_[0]

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return probabilities of both classes, `(n_samples, 2)`."""
        second = 1 / (1 + np.exp(-np.clip(self.decision_function(X), -500, 500)))
        return np.column_stack([1 - second, second])

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the more probable classes, `(n_samples,)`."""
        second = self.decision_function(X) > 0
        return self.classes_[second.astype(int)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _best(self, x: NDArray, code: NDArray, grid: NDArray[np.float64]) -> int:
        """Index of the penalty with the least log loss in samples that were left out."""
        folds = min(self.n_folds, int(np.bincount(code).min()))
        if folds < 2:  # one sample of a class cannot be left out; the sparsest model but the empty one
            return min(1, len(grid) - 1)
        splits = list(StratifiedKFold(folds, shuffle=True, random_state=self.random_state).split(x, code))
        losses = np.empty((0, folds))
        for penalty in grid:
            fits = [self._solve(x[train], code[train], penalty) for train, _ in splits]
            new = [
                log_loss(code[test], fit.predict_proba(x[test]), labels=[0, 1])
                for fit, (_, test) in zip(fits, splits, strict=True)
            ]
            losses = np.vstack([losses, new])
            mean = losses.mean(axis=1)
            best = int(mean.argmin())
            if mean[-1] > mean[best] + losses[best].std(ddof=1) / np.sqrt(folds):
                break
        return best

    def _solve(self, x: NDArray, code: NDArray, penalty: float) -> LogisticRegression:
        with warnings.catch_warnings():  # the last digits matter less than the penalty
            warnings.simplefilter("ignore", ConvergenceWarning)
            return LogisticRegression(
                C=penalty,
                l1_ratio=1.0,
                solver="liblinear",
                tol=1e-3,
                max_iter=200,
                intercept_scaling=10.0,  # the intercept is penalised like a feature of this size
                random_state=self.random_state,
            ).fit(x, code)
