"""How much wider or narrower predicted intervals must be to hold what they should, found after training.

A normal that is as likely as can be has the right variance; where errors have heavier tails, its 90 % intervals hold
more.
"""

from collections.abc import Iterable

import numpy as np
from scipy import stats
from torch import nn

from gpatlas.gpfn.measures import predict_queries
from gpatlas.priors import Task

LEVEL = 0.9


def interval_factor(network: nn.Module, tasks: Iterable[Task]) -> float:
    """Return the factor on standard deviations with which 90 % intervals hold 90 %, each population counting alike.

    Parameters
    ----------
    network
        In evaluation mode.
    tasks
        Populations that it was not trained on; none gives 1.
    """
    distances, weights = [], []
    for task in tasks:
        mean, sd = predict_queries(network, task)
        distances.append(np.abs(task.genetic_value[~task.context] - mean) / sd)
        weights.append(np.full(len(mean), 1 / len(mean)))
    if not distances:
        return 1.0
    distance, weight = np.concatenate(distances), np.concatenate(weights)
    order = np.argsort(distance)
    held = np.cumsum(weight[order]) / weight.sum()
    return float(distance[order][np.searchsorted(held, LEVEL)] / stats.norm.ppf((1 + LEVEL) / 2))
