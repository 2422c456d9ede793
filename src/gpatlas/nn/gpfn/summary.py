"""What distinguishes one population from another: what the markers' networks, the gate and calibration are told."""

import torch
from torch import Tensor

from gpatlas.nn.gpfn.kernels import marker_blocks
from gpatlas.nn.gpfn.markers import N_QUANTILES
from gpatlas.nn.gpfn.population import Population
from gpatlas.nn.gpfn.posterior import LOGIT_H2, Posterior

N_SUMMARY = 11 + 2 * N_QUANTILES


def summarise(
    population: Population,
    posterior: Posterior,
    present_BM: Tensor,
    r2_BMW: Tensor,
    quantiles: Tensor,
    peaked_B: Tensor,
    raw_BNN: Tensor,
) -> Tensor:
    """Return what distinguishes the population, `(B, S)`."""
    n_B, e_BN, logit = population.n, posterior.eigenvalues, LOGIT_H2.to(population.n)
    total_B = e_BN.sum(1).clamp(min=1e-12)
    rank_B = total_B.square() / e_BN.square().sum(1).clamp(min=1e-12)
    mean_logit = posterior.share @ logit
    spread = (posterior.share @ logit.square() - mean_logit.square()).clamp(min=0.0).sqrt()
    linked = torch.log1p((r2_BMW.sum(2) * present_BM).sum(1) / present_BM.sum(1).clamp(min=1.0))
    largest = e_BN.topk(min(5, e_BN.shape[1]), dim=1).values
    length_BN = raw_BNN.diagonal(dim1=1, dim2=2)
    mean_length = length_BN.sum(1) / n_B
    uneven = (((length_BN - mean_length[:, None]) * population.mask).square().sum(1) / n_B).sqrt() / mean_length
    parts = [
        torch.log(n_B / 200),
        torch.log(present_BM.sum(1).clamp(min=1.0) / 1000) / 2,
        torch.log(rank_B.clamp(min=1.0) / 30),
        torch.log(rank_B / n_B + 1e-3) / 2,
        torch.log(largest[:, 0] / total_B + 1e-3),
        torch.log(largest.sum(1) / total_B + 1e-3),
        mean_logit,
        spread,
        linked,
        peaked_B,
        torch.log(uneven.nan_to_num(0.0) + 1e-2),
    ]
    return torch.cat([torch.stack(parts, 1), quantiles], 1)


def peakedness(z_BNM: Tensor, variance_BM: Tensor, present_BM: Tensor, n_B: Tensor) -> Tensor:
    """Return the mean log kurtosis of the markers that vary, `(B,)`: low in inbreds, whose genotypes are two."""
    parts = [z_BNM[..., m].to(variance_BM).pow(4).sum(1) for m in marker_blocks(z_BNM.shape[1], z_BNM.shape[2])]
    fourth_BM = torch.cat(parts, 1) / n_B[:, None]
    log_BM = torch.log((fourth_BM / variance_BM.square().clamp(min=1e-12)).clamp(min=1.0)) * present_BM
    return log_BM.sum(1) / present_BM.sum(1).clamp(min=1.0)
