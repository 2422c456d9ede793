"""Intervals: of scores that were averaged over folds, and those that models predict."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

LEVELS = (0.5, 0.8, 0.9, 0.95)  # of intervals whose coverage is reported


def corrected_interval(values: ArrayLike, n_train: float, n_test: float, level: float = 0.95) -> tuple[float, float]:
    """Return the t interval of a mean over folds, corrected for training sets that overlap.

    The variance of the mean of J values is (1/J + n_test/n_train) s², not s²/J.

    Parameters
    ----------
    values
        One score for each fold; NaN does not count.
    n_train, n_test
        Mean sizes of the folds' two parts.
    level
        Of confidence.

    Returns
    -------
    tuple
        Lower and upper bound, NaN with fewer than two values.

    References
    ----------
    Nadeau & Bengio (2003) Machine Learning 52:239.
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    if len(known) < 2:
        return np.nan, np.nan
    error = np.sqrt((1 / len(known) + n_test / n_train) * known.var(ddof=1))
    half = stats.t.ppf((1 + level) / 2, len(known) - 1) * error
    return float(known.mean() - half), float(known.mean() + half)


def interval_coverage(mean: NDArray, std: NDArray, truth: NDArray) -> dict[str, float]:
    """Return the share of values that lie in the predicted central intervals, by level.

    Parameters
    ----------
    mean, std
        `(n,)` predicted means and standard deviations, taken as normal.
    truth
        `(n,)` true values.

    Returns
    -------
    dict
        `coverage_50`, `coverage_80`, `coverage_90` and `coverage_95`; those shares, where the model is calibrated.
    """
    distance = np.abs(truth - mean)
    return {
        f"coverage_{100 * level:g}": float(np.mean(distance <= stats.norm.ppf((1 + level) / 2) * std))
        for level in LEVELS
    }
