"""How good a network is on populations whose genetic values are known."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gpatlas.evaluate.intervals import interval_coverage
from gpatlas.evaluate.metrics import correlation
from gpatlas.nn.gpfn.batch import TaskBatch
from gpatlas.priors import Task


def measure(task: Task, mean: NDArray, sd: NDArray) -> dict[str, float]:
    """Hold predicted genetic values of the queries against the true ones.

    Parameters
    ----------
    task
        The population.
    mean, sd
        `(n_query,)`, phenotype units.

    Returns
    -------
    dict
        `accuracy` and `predictive_ability` (0 for a constant prediction) and `coverage` of the 90 % intervals.
    """
    truth, observed = task.genetic_value[~task.context], task.phenotype[~task.context]
    return {
        "accuracy": float(np.nan_to_num(correlation(mean, truth))),
        "predictive_ability": float(np.nan_to_num(correlation(mean, observed))),
        "coverage": interval_coverage(mean, sd, truth)["coverage_90"],
    }


@torch.no_grad()
def predict_queries(network: nn.Module, task: Task) -> tuple[NDArray, NDArray]:
    """Return mean and standard deviation of the queries' genetic values, `(n_query,)` each, in phenotype units."""
    known = task.phenotype[task.context]
    mean, sd = known.mean(), known.std(ddof=1)
    batch = TaskBatch.of([task]).to(next(network.parameters()).device)
    found = network(batch.population, batch.query)
    return mean + sd * found.mean[0].double().cpu().numpy(), sd * found.variance[0].sqrt().double().cpu().numpy()


def average(measures: Sequence[dict[str, float]]) -> dict[str, float]:
    """Average measures over populations."""
    return {key: float(np.mean([m[key] for m in measures])) for key in measures[0]}
