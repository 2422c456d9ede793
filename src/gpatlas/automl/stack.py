"""`Stack`: the average of candidates that a search chose, as one estimator."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted


class Stack(BaseEstimator):
    """Weighted average of estimators: of their predictions, or of their probabilities of classes.

    Parameters
    ----------
    members : list of (str, estimator)
        Names and unfitted estimators.
    weights : sequence of float
        One for each; probabilities stay such where they sum to one.
    intercept : float, default=0.0
        Added to the average of a continuous trait.
    n_classes : int, default=0
        Of classes coded 0, 1, …; 0 for a continuous trait.

    Attributes
    ----------
    estimators_ : list of estimators
        Fitted, in the order of `members`.
    classes_ : ndarray of shape (n_classes,)
        Codes of classes; only for classes.
    """

    def __init__(
        self,
        members: Sequence[tuple[str, Any]],
        weights: Sequence[float],
        intercept: float = 0.0,
        n_classes: int = 0,
    ):
        self.members = members
        self.weights = weights
        self.intercept = intercept
        self.n_classes = n_classes

    def fit(self, X: ArrayLike, y: ArrayLike) -> "Stack":
        """Fit every member to all samples: X `(n_samples, n_features)`, y `(n_samples,)` units or codes of classes."""
        self.estimators_ = [clone(estimator).fit(X, y) for _, estimator in self.members]
        if self.n_classes:
            self.classes_ = np.arange(self.n_classes)
        return self

    def predict(self, X: NDArray) -> NDArray:
        """Predict `(n_samples,)`: trait units, or the codes of the most probable classes."""
        if self.n_classes:
            return self.classes_[self.predict_proba(X).argmax(axis=1)]
        return self.intercept + self._average(X)

    def predict_proba(self, X: NDArray) -> NDArray[np.float64]:
        """Predict probabilities of classes `(n_samples, n_classes)`."""
        return self._average(X)

    def _average(self, X: NDArray) -> NDArray[np.float64]:
        from gpatlas.automl.trial import predict

        check_is_fitted(self)
        predicted = np.stack([predict(estimator, X, self.n_classes) for estimator in self.estimators_])
        return np.tensordot(np.asarray(self.weights), predicted, 1)
