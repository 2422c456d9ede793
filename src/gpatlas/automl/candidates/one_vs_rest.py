"""Classes from learners of numbers: one against the rest, with values turned into calibrated probabilities."""

import warnings
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.utils._param_validation import HasMethods
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

Array = NDArray[np.float64]
_FOLDS = 5


class CalibratedOneVsRest(ClassifierMixin, BaseEstimator):
    """A learner of 0/1 indicators, one for each class (of two classes, the second), calibrated by Platt's scaling.

    The log odds of a class are a line of the learner's value; the line is fitted to values of samples that the learner
    was fitted without, and has no negative slope. Probabilities of several classes are divided by their sum.

    Parameters
    ----------
    learner : estimator
        A regressor, whose value is its prediction (one with the hyperparameter `left_out` says itself what it predicts
        for samples left out; others are fitted to five folds' training parts), or a classifier with a
        `decision_function`.
    random_state : int, default=0
        Of the folds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.
    learners_ : list of estimators
        Fitted to the indicators; one for two classes.
    slope_, offset_ : ndarray of shape (n_learners,)
        Log odds of a class are `slope · value + offset`.

    References
    ----------
    Platt (1999) in Advances in Large Margin Classifiers, 61; Zadrozny & Elkan (2002) KDD 694.
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "learner": [HasMethods(["fit", "predict"])],
        "random_state": ["random_state"],
    }

    def __init__(self, learner: Any, random_state: int = 0):
        self.learner = learner
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> "CalibratedOneVsRest":
        """Fit the learners, and their calibration.

        Raises
        ------
        ValueError
            One class only.
        """
        self._validate_params()
        x, y = validate_data(self, X, y, dtype="numeric", ensure_all_finite="allow-nan")
        check_classification_targets(y)
        self.classes_: NDArray = np.unique(y)
        if len(self.classes_) < 2:
            raise ValueError(f"{type(self).__name__} needs samples of two classes or more, not of one class alone")
        own = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        self.learners_: list[Any] = []
        self.slope_, self.offset_ = np.zeros((2, len(own)))
        for k, one in enumerate(own):
            learner, values = self._fitted(x, (y == one).astype(np.float64))
            self.learners_.append(learner)
            self.slope_[k], self.offset_[k] = platt(values, y == one)
        return self

    def predict_proba(self, X: ArrayLike) -> Array:
        """Return probabilities of the classes, `(n_samples, n_classes)`."""
        check_is_fitted(self)
        x = validate_data(self, X, dtype="numeric", ensure_all_finite="allow-nan", reset=False)
        values = np.column_stack([_values(learner, x) for learner in self.learners_])
        each = 1 / (1 + np.exp(-np.clip(self.slope_ * values + self.offset_, -500, 500)))
        return np.hstack([1 - each, each]) if len(self.classes_) == 2 else each / each.sum(axis=1, keepdims=True)

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the most probable classes, `(n_samples,)`."""
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def _fitted(self, x: NDArray, indicator: Array) -> tuple[Any, Array]:
        """Fit a learner, and return the values of all samples that it has when they are left out."""
        if "left_out" in self.learner.get_params():
            learner = clone(self.learner).set_params(left_out=True).fit(x, indicator)
            return learner, _left_out(learner, x, indicator)
        values = np.full(len(x), np.nan)
        folds = int(np.clip(min(indicator.sum(), (1 - indicator).sum()), 2, _FOLDS))
        splitter = StratifiedKFold(folds, shuffle=True, random_state=self.random_state)
        with warnings.catch_warnings():  # of a class with one sample; a part without it is left out below
            warnings.filterwarnings("ignore", "The least populated class", UserWarning)
            splits = list(splitter.split(x, indicator))
        for train, test in splits:
            if 0 < indicator[train].sum() < len(train):
                values[test] = _values(clone(self.learner).fit(x[train], indicator[train]), x[test])
        return clone(self.learner).fit(x, indicator), values

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


def platt(values: Array, indicator: NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope (not negative) and offset of the log odds of an indicator on values, of which some may be NaN."""
    known = ~np.isnan(values)
    values, seen = values[known], indicator[known]
    mean, sd = (float(values.mean()), float(values.std())) if known.any() else (0.0, 0.0)
    if sd > 1e-9 * max(abs(mean), 1.0) and 0 < seen.sum() < len(seen):
        line = LogisticRegression(C=1.0).fit((values - mean)[:, None] / sd, seen)
        slope = float(line.coef_[0, 0]) / sd
        if slope > 0:
            return slope, float(line.intercept_[0]) - slope * mean
    share = (indicator.sum() + 1) / (len(indicator) + 2)
    return 0.0, float(np.log(share / (1 - share)))


def _values(learner: Any, x: NDArray) -> Array:
    decide = getattr(learner, "decision_function", learner.predict)
    return np.asarray(decide(x), dtype=np.float64)


def _left_out(learner: Any, x: NDArray, indicator: Array) -> Array:
    """Predictions of samples left out, with the mean as it is.

    A sample that is left out moves the mean away from its class; where little else is known this looks like values
    that fall as the odds rise. Stratified folds have no such fault. With residual r and leverage h, r/(1-h) is the
    error with everything estimated anew, and the mean's own part of h is 1/n.
    """
    residual, error = indicator - learner.predict(x), indicator - learner.left_out_
    rest = np.divide(residual, error, out=np.ones_like(error), where=error != 0)  # 1 - h
    return indicator - residual / (rest + 1 / len(x))
