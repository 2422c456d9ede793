"""The mean of several learners."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils.validation import check_is_fitted, validate_data

_SMALLEST = 1e-6  # probability; a learner that is sure overrules no other


class _Average(BaseEstimator):
    """Base: fits clones of all members to the same samples."""

    _parameter_constraints: ClassVar[dict[str, list]] = {"members": [list]}

    def __init__(self, members: list[Any]):
        self.members = members

    def _fit_members(self, X: ArrayLike, y: ArrayLike) -> NDArray:
        self._validate_params()
        x, known = validate_data(self, X, y, dtype="numeric", ensure_all_finite="allow-nan")
        self.members_: list[Any] = [clone(member).fit(x, known) for member in self.members]
        return known

    def _checked(self, X: ArrayLike) -> NDArray:
        check_is_fitted(self)
        return validate_data(self, X, dtype="numeric", ensure_all_finite="allow-nan", reset=False)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


class AverageRegressor(RegressorMixin, _Average):
    """The mean of the members' predictions.

    Parameters
    ----------
    members : list of estimators
        Unfitted regressors.

    Attributes
    ----------
    members_ : list of estimators
        Fitted.
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> "AverageRegressor":
        """Fit all members."""
        self._fit_members(X, y)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return predictions, `(n_samples,)`."""
        x = self._checked(X)
        return np.mean([member.predict(x) for member in self.members_], axis=0, dtype=np.float64)


class AverageClassifier(ClassifierMixin, _Average):
    """Probabilities in proportion to the members' geometric mean: their log odds are averaged (logarithmic pool).

    Parameters
    ----------
    members : list of estimators
        Unfitted classifiers with `predict_proba`.

    Attributes
    ----------
    members_ : list of estimators
        Fitted.
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> "AverageClassifier":
        """Fit all members."""
        self.classes_: NDArray = np.unique(self._fit_members(X, y))
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return probabilities of the classes, `(n_samples, n_classes)`."""
        x = self._checked(X)
        logs = [np.log(np.maximum(member.predict_proba(x), _SMALLEST)) for member in self.members_]
        pooled = np.exp(np.mean(logs, axis=0))
        return pooled / pooled.sum(axis=1, keepdims=True)

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the most probable classes, `(n_samples,)`."""
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]
