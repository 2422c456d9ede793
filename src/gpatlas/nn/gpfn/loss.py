"""What prior-data fitted networks are trained on: the true genetic values of the queries."""

from typing import Any

from torch import Tensor

from gpatlas.nn.gpfn.batch import TaskBatch
from gpatlas.nn.gpfn.prediction import Prediction, normal_log_density

_SMALLEST_VARIANCE = 0.02  # of genetic values in a population, by which squared errors are divided
_SHARE_OF_SQUARES, _SHARE_OF_ROUNDS, _SHARE_OF_NOISE = 0.5, 0.5, 0.1


def loss(network: Any, batch: TaskBatch) -> Tensor:
    """Return the mean over populations of the negative log density of genetic values, with terms beside it.

    The squared error of the mean, in units of the population's genetic variance, keeps populations of low
    heritability from counting little; that of each round of AWG keeps rounds useful that the gate does not choose yet;
    the density of the queries' phenotypes, given the prediction, tells the error variance.
    """
    return prediction_loss(network, network(batch.population, batch.query), batch)


def prediction_loss(network: Any, predicted: Prediction, batch: TaskBatch) -> Tensor:
    """As `loss`, of a prediction."""
    g_BQ, mask_BQ = batch.g, batch.query_mask
    n_B = mask_BQ.sum(1)
    mean_B = (g_BQ * mask_BQ).sum(1) / n_B
    var_B = (((g_BQ - mean_B[:, None]) ** 2 * mask_BQ).sum(1) / n_B).clamp(min=_SMALLEST_VARIANCE)
    squares_BQ = (predicted.mean - g_BQ).square() / var_B[:, None]
    total_BQ = _SHARE_OF_SQUARES * squares_BQ - network.log_density(predicted, g_BQ)
    n_rounds = network.settings.get("n_rounds", 0)
    if n_rounds:
        of_rounds = (predicted.means[..., 1 : n_rounds + 1] - g_BQ[..., None]).square().mean(2)
        total_BQ = total_BQ + _SHARE_OF_ROUNDS * of_rounds / var_B[:, None]
    variance_BQ = predicted.variance.detach() + predicted.noise[:, None]
    total_BQ = total_BQ - _SHARE_OF_NOISE * normal_log_density(predicted.mean.detach(), variance_BQ, batch.query_y)
    return ((total_BQ * mask_BQ).sum(1) / n_B).mean()
