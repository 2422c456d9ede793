"""How good predicted probabilities of classes are.

All take `observed`, codes of classes `(n,)`, and `probability` `(n, n_classes)`, which sums to one in each row. The
class that is predicted is the most probable one, the first of equals. What cannot be computed is NaN, not 0: a
measure of a class of which no sample was observed.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

CERTAIN = 1e-15  # a probability that log loss takes for 0: the logarithm of 0 would outweigh all other samples

Codes = NDArray[np.intp]
Probabilities = NDArray[np.float64]


def auc(observed: Codes, probability: Probabilities) -> float:
    """Area under the ROC curve: how often a case is more probable a case than a control is, ties counting half.

    Of several classes, the mean over classes of one against the rest (unweighted), over the classes observed.
    """
    if probability.shape[1] == 2:
        return _area(observed == 1, probability[:, 1])
    areas = [_area(observed == k, probability[:, k]) for k in range(probability.shape[1])]
    return _mean(np.array(areas))


def accuracy(observed: Codes, probability: Probabilities) -> float:
    """Share of samples whose class is predicted."""
    return float(np.mean(probability.argmax(axis=1) == observed)) if len(observed) else np.nan


def balanced_accuracy(observed: Codes, probability: Probabilities) -> float:
    """Mean over observed classes of the share of its samples that is predicted."""
    return _mean(_recall(observed, probability))


def sensitivity(observed: Codes, probability: Probabilities) -> float:
    """Share of cases that is predicted; of several classes, the mean over classes."""
    recall = _recall(observed, probability)
    return float(recall[1]) if len(recall) == 2 else _mean(recall)


def specificity(observed: Codes, probability: Probabilities) -> float:
    """Share of controls that is predicted; of several classes, the mean over classes of one against the rest."""
    chosen, n_classes = probability.argmax(axis=1), probability.shape[1]
    if n_classes == 2:
        return float(_recall(observed, probability)[0])
    rejected = [_mean(chosen[observed != k] != k) for k in range(n_classes)]
    return _mean(np.array(rejected))


def log_loss(observed: Codes, probability: Probabilities) -> float:
    """Mean of minus the logarithm of the probability that the observed class was given, at least `CERTAIN`."""
    given = probability[np.arange(len(observed)), observed]
    return _mean(-np.log(np.maximum(given, CERTAIN)))


def brier(observed: Codes, probability: Probabilities) -> float:
    """Mean squared difference between probability and outcome (Brier 1950): of the case, or summed over classes."""
    outcome = np.eye(probability.shape[1])[observed]
    squares = ((probability - outcome) ** 2).sum(axis=1)
    return _mean(squares) / (2 if probability.shape[1] == 2 else 1)


def _area(case: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Mann-Whitney U of the cases over its largest value."""
    n_cases, n_controls = int(case.sum()), int((~case).sum())
    if not n_cases or not n_controls:
        return np.nan
    u = rankdata(score)[case].sum() - n_cases * (n_cases + 1) / 2
    return float(u / (n_cases * n_controls))


def _recall(observed: Codes, probability: Probabilities) -> NDArray[np.float64]:
    right = probability.argmax(axis=1) == observed
    return np.array([_mean(right[observed == k]) for k in range(probability.shape[1])])


def _mean(values: NDArray) -> float:
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else np.nan
