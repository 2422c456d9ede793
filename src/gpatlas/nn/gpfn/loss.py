"""What prior-data fitted networks are trained on: the true genetic values of the queries."""

import torch
from torch import Tensor

from gpatlas.nn.gpfn.awg import AWG, Population, Prediction
from gpatlas.nn.gpfn.batch import TaskBatch

_SMALLEST_VARIANCE = 0.02  # of genetic values in a population, by which squared errors are divided
_SHARE_OF_SQUARES, _SHARE_OF_ROUNDS = 0.5, 0.5


def loss(network: AWG, batch: TaskBatch) -> Tensor:
    """Return the mean over populations of the negative log density of genetic values, with two terms beside it.

    The squared error of the mean, in units of the population's genetic variance, keeps populations of low
    heritability from counting little; that of each round keeps rounds useful that the gate does not choose yet.
    """
    population = Population.of(batch.z, batch.y, batch.mask, batch.chromosome)
    return prediction_loss(network(population, batch.query), batch, len(network.rounds))


def prediction_loss(predicted: Prediction, batch: TaskBatch, n_rounds: int) -> Tensor:
    """As `loss`, of a prediction."""
    g_BQ, mask_BQ = batch.g, batch.query_mask
    n_B = mask_BQ.sum(1)
    mean_B = (g_BQ * mask_BQ).sum(1) / n_B
    var_B = (((g_BQ - mean_B[:, None]) ** 2 * mask_BQ).sum(1) / n_B).clamp(min=_SMALLEST_VARIANCE)
    error_BQ = (predicted.mean - g_BQ).square()
    variance_BQ = predicted.variance + 1e-4
    density_BQ = 0.5 * (error_BQ / variance_BQ + torch.log(variance_BQ))
    total_BQ = density_BQ + _SHARE_OF_SQUARES * error_BQ / var_B[:, None]
    if n_rounds:
        of_rounds = (predicted.means[..., 1 : n_rounds + 1] - g_BQ[..., None]).square().mean(2)
        total_BQ = total_BQ + _SHARE_OF_ROUNDS * of_rounds / var_B[:, None]
    return ((total_BQ * mask_BQ).sum(1) / n_B).mean()
