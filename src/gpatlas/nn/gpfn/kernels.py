"""Kernels of weighted markers: linear, and Gaussian on the same distances."""

from collections.abc import Iterator

import torch
from torch import Tensor

_BLOCK = 1 << 25  # numbers of genotypes that are worked on at once


def marker_blocks(n_rows: int, n_markers: int) -> Iterator[slice]:
    """Yield slices of markers, of a size that fits beside the genotypes."""
    step = max(64, _BLOCK // max(1, n_rows))
    for start in range(0, n_markers, step):
        yield slice(start, min(start + step, n_markers))


def weighted_kernel(a_BQM: Tensor, b_BNM: Tensor, d_BM: Tensor) -> Tensor:
    """Return A diag(d) B' `(B, Q, N)` in the precision of d."""
    blocks = list(marker_blocks(a_BQM.shape[1] + b_BNM.shape[1], d_BM.shape[1]))
    parts = [(a_BQM[..., m].to(d_BM) * d_BM[:, None, m]) @ b_BNM[..., m].to(d_BM).mT for m in blocks]
    return parts[0] if len(parts) == 1 else torch.stack(parts).sum(0)


def weighted_length(a_BQM: Tensor, d_BM: Tensor) -> Tensor:
    """Return the diagonal of A diag(d) A', `(B, Q)`."""
    blocks = marker_blocks(a_BQM.shape[1], d_BM.shape[1])
    return torch.stack([torch.einsum("bqm,bm->bq", a_BQM[..., m].to(d_BM).square(), d_BM[:, m]) for m in blocks]).sum(0)


def gaussian(linear_BQN: Tensor, a_BQ: Tensor, b_BN: Tensor, bandwidth: float) -> Tensor:
    """Return exp(-distance²/(2 · bandwidth)), with distances from inner products and squared lengths.

    The linear kernel has mean diagonal 1, so that 2 is about the mean squared distance.
    """
    squared = (a_BQ[..., None] + b_BN[:, None] - 2 * linear_BQN).clamp(min=0.0)
    return torch.exp(-squared / (2 * bandwidth))
