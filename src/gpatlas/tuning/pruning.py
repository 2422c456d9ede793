"""The median rule: stop a trial that does worse than the median of those before it.

Optuna's `MedianPruner`, on curves that are written once when a trial ends. Reporting every epoch to a journal would
cost more than the epochs of a small network.
"""

from collections.abc import Sequence

import numpy as np

from gpatlas.tuning.study import STARTUP_TRIALS

WARMUP_SHARE = 0.25  # of the epochs at most: a learning rate that rises first says nothing before
LEAST_WARMUP = 5  # first epoch that is compared, at the least

Curve = Sequence[float | None]  # validation losses, epoch by epoch; None where not finite


def median_at(complete: Sequence[Curve], epoch: int) -> float:
    """Return the median loss of complete trials at an epoch (1-based); infinite while there are too few to judge by."""
    there = [curve[epoch - 1] for curve in complete if len(curve) >= epoch]
    losses = np.array([loss for loss in there if loss is not None])
    if len(complete) < STARTUP_TRIALS or not len(losses):
        return float("inf")
    return float(np.median(losses))


def warmup(max_epochs: int) -> int:
    """Return the first epoch (1-based) that is compared."""
    return max(LEAST_WARMUP, round(WARMUP_SHARE * max_epochs))


def is_worse(losses: Curve, complete: Sequence[Curve], first: int) -> bool:
    """Whether the best loss of a trial, from epoch `first` on, is above the median at its present epoch."""
    known = [loss for loss in losses[first - 1 :] if loss is not None]
    return bool(known) and min(known) > median_at(complete, len(losses))
