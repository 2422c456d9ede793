"""Scores that models are selected by, each with its direction and what it is a score of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from gpatlas.errors import ConfigError, did_you_mean
from gpatlas.evaluate import classification
from gpatlas.evaluate.metrics import correlation

CLASSES = frozenset({"binary", "multiclass"})


@dataclass(frozen=True)
class Score:
    """A number that says how good predictions are.

    Parameters
    ----------
    name
        Its column in tables.
    text
        Its name in sentences.
    compute
        From observed `(n,)` and predicted: `(n,)` trait units, or probabilities of classes `(n, n_classes)`.
    classes
        Whether it is of classes, or of a continuous trait.
    larger_is_better
        Its direction.
    lowest, highest
        The worst and the best, or the other way round; an interval ends there.
    short
        Its name in the head of a table; "" where `text` is short enough.
    """

    name: str
    text: str
    compute: Callable[[NDArray, NDArray], float]
    classes: bool
    larger_is_better: bool = True
    lowest: float = 0.0
    highest: float = 1.0
    short: str = ""

    @property
    def head(self) -> str:
        """Its name in the head of a table."""
        return self.short or self.text

    def utility(self, value: Any) -> Any:
        """Turn the score round, if need be, so that more is better."""
        return value if self.larger_is_better else -value


def r(observed: NDArray, predicted: NDArray) -> float:
    """Pearson correlation; NaN where either does not vary."""
    return correlation(predicted, observed)


def r2(observed: NDArray, predicted: NDArray) -> float:
    """Share of the variance that is explained: one minus the mean squared error over the variance observed."""
    spread = np.mean((observed - observed.mean()) ** 2)
    return float(1 - mse(observed, predicted) / spread) if spread > 0 else np.nan


def mse(observed: NDArray, predicted: NDArray) -> float:
    """Mean squared error."""
    return float(np.mean((predicted - observed) ** 2))


def mae(observed: NDArray, predicted: NDArray) -> float:
    """Mean absolute error."""
    return float(np.mean(np.abs(predicted - observed)))


def spearman(observed: NDArray, predicted: NDArray) -> float:
    """Correlation of ranks; NaN where either does not vary."""
    return correlation(rankdata(predicted), rankdata(observed))


SCORES: dict[str, Score] = {
    score.name: score
    for score in (
        Score("auc", "area under the ROC curve", classification.auc, True, short="AUC"),
        Score("balanced_accuracy", "balanced accuracy", classification.balanced_accuracy, True),
        Score("accuracy_class", "accuracy", classification.accuracy, True),
        Score("sensitivity", "sensitivity", classification.sensitivity, True),
        Score("specificity", "specificity", classification.specificity, True),
        Score("log_loss", "log loss", classification.log_loss, True, larger_is_better=False, highest=np.inf),
        Score("brier", "Brier score", classification.brier, True, larger_is_better=False, highest=2.0),
        Score("r", "correlation", r, False, lowest=-1.0),
        Score("r2", "R²", r2, False, lowest=-np.inf),
        Score("mse", "mean squared error", mse, False, larger_is_better=False, highest=np.inf, short="MSE"),
        Score("mae", "mean absolute error", mae, False, larger_is_better=False, highest=np.inf, short="MAE"),
        Score("spearman", "rank correlation", spearman, False, lowest=-1.0),
    )
}
# what a user may also call them
ALIASES = {"accuracy": "accuracy_class", "R2": "r2", "AUC": "auc", "logloss": "log_loss", "correlation": "r"}
CORRELATIONS = frozenset({"r", "spearman"})  # of a constant prediction they are not defined: it counts as 0
CLASSIFICATION = tuple(name for name, score in SCORES.items() if score.classes)
REGRESSION = tuple(name for name, score in SCORES.items() if not score.classes)


def score_for(kind: str, name: str | None = None) -> Score:
    """Return a score by name; without one, the area under the ROC curve of classes and r of a continuous trait.

    Raises
    ------
    ConfigError
        No such score, or none for this kind of trait.
    """
    allowed = CLASSIFICATION if kind in CLASSES else REGRESSION
    spelt = [{"accuracy_class": "accuracy"}.get(one, one) for one in allowed]
    chosen = allowed[0] if name is None else ALIASES.get(name, name)
    if chosen not in SCORES:
        raise ConfigError(f"unknown metric '{name}'{did_you_mean(str(name), spelt)}")
    if chosen not in allowed:
        raise ConfigError(f"metric {name} is not one of a {kind} trait; take one of {', '.join(spelt)}")
    return SCORES[chosen]


def all_scores(kind: str, observed: NDArray, predicted: NDArray) -> dict[str, float]:
    """Compute every score that there is for a kind of trait: name → value."""
    names = CLASSIFICATION if kind in CLASSES else REGRESSION
    return {name: float(SCORES[name].compute(observed, predicted)) for name in names}


def known_scores(score: Score, values: ArrayLike) -> NDArray[np.float64]:
    """Scores that count: correlations of constant predictions as 0, folds that lack a class not at all."""
    array = np.asarray(values, dtype=np.float64)
    if score.name in CORRELATIONS:
        array = np.nan_to_num(array)
    return array[~np.isnan(array)]


def mean_score(score: Score, values: ArrayLike) -> float:
    """Mean of the scores that count, see `known_scores`; NaN where there is none."""
    known = known_scores(score, values)
    return float(known.mean()) if len(known) else np.nan
