"""What one marker looks like to the network, and the network that weighs markers by it.

Nothing here knows how alleles are coded (all statistics are even in the genotype), in which order samples come, or in
which direction a chromosome runs. Neighbours count as much as they are in linkage disequilibrium with the marker, so
that no map is needed and unlinked neighbours say nothing.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gpatlas.nn.gpfn.kernels import marker_blocks
from gpatlas.nn.gpfn.posterior import Posterior

OFFSETS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)  # neighbours that are looked at, in both directions
N_STATISTICS = 11
N_QUANTILES = 5
_QUANTILES = (0.5, 0.9, 0.99, 0.999, 1.0)


def linkage(z_BNM: Tensor, chromosome_BM: Tensor | None) -> Tensor:
    """Return r² of every marker with its neighbours to the right, `(B, M, W)`; 0 beyond the chromosome's end."""
    n_markers, norm_BM = z_BNM.shape[2], torch.linalg.vector_norm(z_BNM, dim=1)
    r2_BMW = z_BNM.new_zeros(*norm_BM.shape, len(OFFSETS))
    for w, offset in enumerate(OFFSETS):
        for m in marker_blocks(z_BNM.shape[1], n_markers - offset):
            right = slice(m.start + offset, m.stop + offset)
            product = (z_BNM[..., m] * z_BNM[..., right]).sum(1)
            r2 = (product / (norm_BM[:, m] * norm_BM[:, right]).clamp(min=1e-12)).square()
            if chromosome_BM is not None:
                r2 = r2 * (chromosome_BM[:, m] == chromosome_BM[:, right])
            r2_BMW[:, m, w] = r2
    return r2_BMW


class _NeighboursSum(torch.autograd.Function):
    """The sum is linear and its matrix symmetric, so that its gradient is the same sum."""

    @staticmethod
    def forward(ctx: Any, values_BMC: Tensor, r2_BMW: Tensor) -> Tensor:
        ctx.save_for_backward(r2_BMW)
        total = values_BMC.clone()
        for w, offset in enumerate(OFFSETS):
            if offset < values_BMC.shape[1]:
                r2 = r2_BMW[:, :-offset, w, None]
                total[:, :-offset].addcmul_(r2, values_BMC[:, offset:])
                total[:, offset:].addcmul_(r2, values_BMC[:, :-offset])
        return total

    @staticmethod
    def backward(ctx: Any, *gradient_BMC: Tensor) -> tuple[Tensor, None]:
        return neighbours_sum(gradient_BMC[0], *ctx.saved_tensors), None


def neighbours_sum(values_BMC: Tensor, r2_BMW: Tensor) -> Tensor:
    """Return Σ r² · value over a marker and its neighbours on both sides, `(B, M, C)`; r² has no gradient."""
    return _NeighboursSum.apply(values_BMC, r2_BMW)


def marker_statistics(
    z_BNM: Tensor,
    y_BN: Tensor,
    variance_BM: Tensor,
    present_BM: Tensor,
    d_BM: Tensor,
    posterior: Posterior,
    c_B: Tensor,
) -> tuple[Tensor, Tensor]:
    """Return statistics of each marker after a solve `(B, M, N_STATISTICS)`, and quantiles of test statistics.

    With P = (K + λ)⁻¹ at the posterior mean of log λ, the score of marker j is u = z'Py and its information s = z'Pz;
    without the marker's own share d of the kernel, 1 - ds of both is left (Tipping & Faul 2003, eq. 23). The network
    sees χ² = u²/(σ²s), the same without the marker's own share, the variance that BLUP gives it, and the marginal χ².

    Parameters
    ----------
    z_BNM, y_BN
        Context's genotypes and phenotypes, projected.
    variance_BM, present_BM, d_BM
        Allele variance, whether the marker varies, and its prior variance in the kernel as it is scaled.
    posterior, c_B
        The solve, and its contrasts.
    """
    w_BN = 1 / (posterior.eigenvalues + torch.exp(posterior.log_lambda)[:, None])
    py_BN = torch.einsum("bni,bi->bn", posterior.basis, w_BN * posterior.z)
    score_BM, information_BM, total_BM, marginal_BM = _products(z_BNM, y_BN, py_BN, posterior.basis, w_BN)
    var_g_B1 = ((w_BN * posterior.z**2).sum(1) / c_B)[:, None].clamp(min=1e-12)
    var_y_B1 = (y_BN.square().sum(1) / c_B)[:, None].clamp(min=1e-12)
    left_BM = (1 - d_BM * information_BM).clamp(min=1e-3)
    chi2_BM = score_BM**2 / (var_g_B1 * information_BM)
    without_BM = chi2_BM / left_BM
    marginal_BM = marginal_BM.square() / (total_BM * var_y_B1)
    n_markers = present_BM.sum(1, keepdim=True)
    explained_BM = n_markers * (d_BM * score_BM) ** 2 * variance_BM / var_y_B1
    sum_B1 = variance_BM.sum(1, keepdim=True).clamp(min=1e-12)
    relative_BM, mean_d_BM = variance_BM * n_markers / sum_B1, d_BM * sum_B1
    statistics = [
        chi2_BM.sqrt(),
        torch.log1p(chi2_BM),
        without_BM.sqrt() / 2,
        torch.log1p(without_BM),
        marginal_BM.sqrt() / 2,
        torch.log1p(marginal_BM),
        torch.log(explained_BM + 1e-2),
        torch.log(mean_d_BM + 1e-3),
        torch.log(relative_BM + 1e-2),
        torch.log(left_BM),
        torch.log(information_BM * torch.exp(posterior.log_lambda)[:, None] / total_BM + 1e-3),
    ]
    quantiles = [_upper_quantiles(torch.log1p(value), present_BM) for value in (without_BM, marginal_BM)]
    return torch.stack(statistics, 2) * present_BM[..., None], torch.cat(quantiles, 1)


def _products(z_BNM: Tensor, y_BN: Tensor, py_BN: Tensor, basis_BNN: Tensor, w_BN: Tensor) -> list[Tensor]:
    """Return z'Py, z'Pz, z'z and z'y of every marker, `(B, M)` each."""
    parts = []
    for m in marker_blocks(z_BNM.shape[1], z_BNM.shape[2]):
        z = z_BNM[..., m].to(y_BN)
        score, marginal = (torch.stack([py_BN, y_BN], 1) @ z).unbind(1)
        information = torch.einsum("bim,bi->bm", (basis_BNN.mT @ z).square(), w_BN)
        parts.append((score, information.clamp(min=1e-12), z.square().sum(1).clamp(min=1e-12), marginal))
    return [torch.cat(of_blocks, 1) for of_blocks in zip(*parts, strict=True)]


def _upper_quantiles(values_BM: Tensor, present_BM: Tensor) -> Tensor:
    """Return quantiles over the markers that vary, `(B, N_QUANTILES)`."""
    ordered = torch.where(present_BM > 0, values_BM, -1.0).sort(dim=1, descending=True).values
    count_B1 = present_BM.sum(1, keepdim=True)
    at = torch.tensor([1 - q for q in _QUANTILES]).to(values_BM) * (count_B1 - 1).clamp(min=0)
    return ordered.gather(1, at.round().long())


class MarkerNetwork(nn.Module):
    """Statistics of markers to the change of their log prior variance; starts as no change.

    Parameters
    ----------
    n_summary
        S, numbers that summarise the population.
    channels
        C.
    """

    def __init__(self, n_summary: int, channels: int = 32):
        super().__init__()
        self.inputs = nn.Linear(N_STATISTICS + 1, channels)
        self.local = nn.Linear(2 * channels, channels)
        self.local2 = nn.Linear(2 * channels, channels)
        self.population = nn.Sequential(nn.Linear(2 * channels + n_summary, channels), nn.GELU())
        self.together = nn.Linear(2 * channels, channels)
        self.out = nn.Linear(channels, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, statistics_BMK: Tensor, r2_BMW: Tensor, present_BM: Tensor, summary_BS: Tensor) -> Tensor:
        """Return changes `(B, M)` of log prior variances."""
        present = present_BM[..., None]
        linked_BM1 = neighbours_sum(present, r2_BMW).clamp(min=1e-6)
        h_BMC = F.gelu(self.inputs(torch.cat([statistics_BMK, torch.log(linked_BM1)], 2))) * present
        for layer in (self.local, self.local2):
            around = neighbours_sum(h_BMC, r2_BMW) / linked_BM1
            h_BMC = (h_BMC + F.gelu(layer(torch.cat([h_BMC, around], 2)))) * present
        pooled = [h_BMC.sum(1) / present.sum(1).clamp(min=1.0), h_BMC.amax(1), summary_BS]
        population_BMC = self.population(torch.cat(pooled, 1))[:, None].expand_as(h_BMC)
        h_BMC = h_BMC + F.gelu(self.together(torch.cat([h_BMC, population_BMC], 2)))
        return self.out(h_BMC)[..., 0]
