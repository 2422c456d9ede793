"""Curves behind the scores of classes: ROC, precision and recall, calibration."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Points to be joined by straight lines; x never falls, and may stay while y jumps."""

    x: Array
    y: Array

    @property
    def area(self) -> float:
        """Area under the lines."""
        return float(np.trapezoid(self.y, self.x))


def roc(case: NDArray[np.bool_], score: Array) -> Curve:
    """Share of cases against share of controls above each threshold; samples of equal score are passed together.

    The area under it is the AUC, ties counting half.
    """
    cases, controls = _passed(case, score)
    return Curve(np.append(0.0, controls / controls[-1]), np.append(0.0, cases / cases[-1]))


def mean_curve(curves: Sequence[Curve]) -> Curve:
    """Average curves at every x; the area under it is the mean of their areas."""
    grid = np.unique(np.concatenate([curve.x for curve in curves]))
    before, after = np.zeros(len(grid)), np.zeros(len(grid))
    for curve in curves:
        x, first, counts = np.unique(curve.x, return_index=True, return_counts=True)
        between = np.interp(grid, curve.x, curve.y)
        here = np.searchsorted(grid, x)
        left, right = between.copy(), between.copy()
        left[here], right[here] = curve.y[first], curve.y[first + counts - 1]
        before += left / len(curves)
        after += right / len(curves)
    return Curve(np.repeat(grid, 2), np.column_stack([before, after]).ravel())


def precision_recall(case: NDArray[np.bool_], score: Array) -> tuple[Curve, float]:
    """Precision against recall at each threshold, as steps, and average precision: the area under the steps."""
    cases, controls = _passed(case, score)
    recall, precision = cases / cases[-1], cases / (cases + controls)
    x = np.repeat(np.append(0.0, recall), 2)[1:-1]
    return Curve(x, np.repeat(precision, 2)), float(np.diff(recall, prepend=0.0) @ precision)


@dataclass(frozen=True)
class Calibration:
    """Groups of samples of similar predicted probability.

    Parameters
    ----------
    predicted, observed
        Mean probability, and share of cases.
    lower, upper
        95 % interval of the share (Wilson 1927).
    count
        Samples.
    """

    predicted: Array
    observed: Array
    lower: Array
    upper: Array
    count: NDArray[np.intp]


def calibration(case: NDArray[np.bool_], probability: Array, n_groups: int = 10) -> Calibration:
    """Compare predicted probabilities with what happened, in groups of equal size; equal ones are in one group."""
    edges = np.quantile(probability, np.linspace(0, 1, n_groups + 1)[1:-1])
    group = np.searchsorted(edges, probability, side="left")
    _, group, count = np.unique(group, return_inverse=True, return_counts=True)
    predicted = np.bincount(group, probability) / count
    observed = np.bincount(group, case) / count
    z2 = 1.959964**2
    centre = (observed + z2 / (2 * count)) / (1 + z2 / count)
    half = np.sqrt(z2 * (observed * (1 - observed) / count + z2 / (4 * count**2))) / (1 + z2 / count)
    return Calibration(predicted, observed, centre - half, centre + half, count)


def _passed(case: NDArray[np.bool_], score: Array) -> tuple[Array, Array]:
    """Cases and controls at or above each distinct score, from the highest on."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, True)
    cases = np.cumsum(case[order], dtype=np.float64)[last]
    controls = np.cumsum(~case[order], dtype=np.float64)[last]
    return cases, controls
