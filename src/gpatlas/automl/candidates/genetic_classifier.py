"""Classes from a regression on indicators: one regression for each class, its values turned into probabilities."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

_FOLDS = 5


class GeneticClassifier(ClassifierMixin, BaseEstimator):
    """One regression of a 0/1 indicator per class (one for two classes), calibrated by Platt's scaling.

    Parameters
    ----------
    regressor : estimator
        Of the genetic value, e.g. `gpatlas.models.make("rrblup")`.
    random_state : int, default=0
        Of the folds that give predictions of samples that were left out.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    regressors_ : list
        Fitted regressions of the indicators; one for two classes, of the second class.
    slope_, offset_ : ndarray of shape (n_regressors,)
        Log odds of a class are `slope · value + offset`, fitted to predictions of samples that were left out.

    References
    ----------
    Platt (1999) in Advances in Large Margin Classifiers, 61.
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "regressor": [HasMethods(["fit", "predict"])],
        "random_state": ["random_state"],
    }

    def __init__(self, regressor: Any, random_state: int = 0):
        self.regressor = regressor
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> "GeneticClassifier":
        """Fit the regressions, and their calibration."""
        self._validate_params()
        x, y = validate_data(self, X, y, dtype="numeric", ensure_all_finite="allow-nan")
        check_classification_targets(y)
        self.classes_: NDArray = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(f"GeneticClassifier needs samples of two classes or more, not one class: {self.classes_}")
        shown = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        self.regressors_: list[Any] = []
        self.slope_: NDArray = np.zeros(len(shown))
        self.offset_: NDArray = np.zeros(len(shown))
        for k, one in enumerate(shown):
            indicator = (y == one).astype(np.float64)
            left_out = self._left_out(x, indicator)
            self.slope_[k], self.offset_[k] = platt(left_out, indicator)
            self.regressors_.append(clone(self.regressor).fit(x, indicator))
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return probabilities of the classes, `(n_samples, n_classes)`."""
        check_is_fitted(self)
        x = validate_data(self, X, dtype="numeric", ensure_all_finite="allow-nan", reset=False)
        values = np.column_stack([one.predict(x) for one in self.regressors_])
        each = 1 / (1 + np.exp(-np.clip(self.slope_ * values + self.offset_, -500, 500)))
        if len(self.classes_) == 2:
            return np.hstack([1 - each, each])
        return each / each.sum(axis=1, keepdims=True)

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the most probable classes, `(n_samples,)`."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def _left_out(self, x: NDArray, indicator: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predictions of all samples, each by a fit without it; few of a class are in few folds."""
        folds = min(_FOLDS, max(2, int(min(indicator.sum(), (1 - indicator).sum()))))
        found = np.full(len(x), indicator.mean())
        splitter = StratifiedKFold(folds, shuffle=True, random_state=self.random_state)
        for train, test in splitter.split(x, indicator) if indicator.sum() > 1 else []:
            found[test] = clone(self.regressor).fit(x[train], indicator[train]).predict(x[test])
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def platt(values: NDArray[np.float64], indicator: NDArray[np.float64]) -> tuple[float, float]:
    """Return slope and offset of the log odds of an indicator on values, slightly shrunken."""
    sd = float(values.std())
    if not sd > 0:
        share = (indicator.sum() + 1) / (len(indicator) + 2)
        return 0.0, float(np.log(share / (1 - share)))
    line = LogisticRegression(C=1.0).fit((values - values.mean())[:, None] / sd, indicator)
    slope = max(float(line.coef_[0, 0]) / sd, 0.0)
    return slope, float(line.intercept_[0]) - slope * float(values.mean())
