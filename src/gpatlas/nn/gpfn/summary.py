"""What distinguishes one population from another: what the markers' networks, the gate and calibration are told."""

import torch
from torch import Tensor

from gpatlas.nn.gpfn.markers import N_QUANTILES
from gpatlas.nn.gpfn.population import Population
from gpatlas.nn.gpfn.posterior import LOGIT_H2, Posterior

N_SUMMARY = 8 + 2 * N_QUANTILES


def summarise(
    population: Population, posterior: Posterior, present_BM: Tensor, r2_BMW: Tensor, quantiles: Tensor
) -> Tensor:
    """Return what distinguishes the population, `(B, S)`."""
    n_B, e_BN, logit = population.n, posterior.eigenvalues, LOGIT_H2.to(population.n)
    rank_B = e_BN.sum(1).square() / e_BN.square().sum(1).clamp(min=1e-12)
    mean_logit = posterior.share @ logit
    spread = (posterior.share @ logit.square() - mean_logit.square()).clamp(min=0.0).sqrt()
    linked = torch.log1p((r2_BMW.sum(2) * present_BM).sum(1) / present_BM.sum(1).clamp(min=1.0))
    heavy = e_BN.amax(1) / e_BN.sum(1).clamp(min=1e-12)
    parts = [
        torch.log(n_B / 200),
        torch.log(present_BM.sum(1).clamp(min=1.0) / 1000) / 2,
        torch.log(rank_B.clamp(min=1.0) / 30),
        torch.log(rank_B / n_B + 1e-3) / 2,
        torch.log(heavy + 1e-3),
        mean_logit,
        spread,
        linked,
    ]
    return torch.cat([torch.stack(parts, 1), quantiles], 1)
