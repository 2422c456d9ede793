"""Markers as vectors, the published way: what is carried there, and where the marker lies.

Shapes: B batch, N markers, D width, K alleles, C chromosomes.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gpatlas.alleles import decoder
from gpatlas.nn.perceiver.layout import Layout

ALLELE_KINDS = ("1", "2", "3")
_LOWEST_FREQUENCY = 1e-4


def _uniform(*shape: int) -> Tensor:
    return torch.empty(*shape).uniform_(-0.05, 0.05)


class AlleleEmbedding(nn.Module):
    """A call as the sum of its alleles' vectors, or as the vector of a missing call.

    Parameters
    ----------
    layout
        The panel.
    width
        D.
    kind
        "1": an allele has one vector at all markers. "2": as 1, and then every marker has a linear map of its own
        (N × D² numbers). "3": an allele has another vector at every marker.
    """

    def __init__(self, layout: Layout, width: int, kind: str = "1"):
        super().__init__()
        table = decoder(layout.ploidy, layout.n_alleles).astype(np.float32)
        missing = np.eye(len(table), 1, dtype=np.float32)  # code 0
        self.register_buffer("table", torch.from_numpy(np.hstack([missing, table])), persistent=False)
        n_loci, n_vectors = layout.n_loci, layout.n_alleles + 1
        self.vectors = nn.Parameter(_uniform(n_loci, n_vectors, width) if kind == "3" else _uniform(n_vectors, width))
        self.map = nn.Parameter(_uniform(n_loci, width, width)) if kind == "2" else None
        self.offset = nn.Parameter(torch.zeros(n_loci, width)) if kind == "2" else None

    def forward(self, codes_BN: Tensor) -> Tensor:
        """Return vectors `(B, N, D)`."""
        if self.vectors.ndim == 3:
            return torch.einsum("bnk,nkd->bnd", F.embedding(codes_BN, self.table), self.vectors)
        z_BND = F.embedding(codes_BN, self.table @ self.vectors)
        if self.map is None:
            return z_BND
        return torch.einsum("bnd,nde->bne", z_BND, self.map) + self.offset


class PositionEmbedding(nn.Module):
    """Where a marker lies: the vector of its chromosome plus that of its place there.

    Parameters
    ----------
    layout
        The panel.
    width
        D.
    trainable
        Whether places are learned too; chromosomes always are.
    """

    def __init__(self, layout: Layout, width: int, trainable: bool = True):
        super().__init__()
        self.register_buffer("number", torch.from_numpy(layout.number), persistent=False)
        self.chromosome = nn.Parameter(_uniform(int(layout.number[-1]) + 1, width))
        places = self._places(layout, width)
        if trainable:
            self.place = nn.Parameter(places)
        else:
            self.register_buffer("place", places)

    def forward(self, loci: Tensor) -> Tensor:
        """Return vectors `(…, D)` of the loci with these numbers, `(…)`."""
        return F.embedding(self.number[loci], self.chromosome) + self._at(loci)

    def _places(self, layout: Layout, width: int) -> Tensor:
        raise NotImplementedError

    def _at(self, loci: Tensor) -> Tensor:
        raise NotImplementedError


class RandomPositions(PositionEmbedding):
    """Every marker has a vector, random at first."""

    def _places(self, layout: Layout, width: int) -> Tensor:
        return _uniform(layout.n_loci, width)

    def _at(self, loci: Tensor) -> Tensor:
        return F.embedding(loci, self.place)


class FourierPositions(PositionEmbedding):
    """Cosines and sines of the marker's position, at D / 2 frequencies (Vaswani et al. 2017, section 3.5).

    Positions are counted in mean distances between neighbours, so that bp, cM and ranks mean the same; trainable, the
    positions themselves move.
    """

    def _places(self, layout: Layout, width: int) -> Tensor:
        pair = torch.arange(width) // 2 * 2 / width
        self.register_buffer("frequency", _LOWEST_FREQUENCY**pair, persistent=False)
        return torch.from_numpy(spaced(layout)).float()

    def _at(self, loci: Tensor) -> Tensor:
        angle = self.place[loci][..., None] * self.frequency
        return torch.where(torch.arange(len(self.frequency), device=angle.device) % 2 == 0, angle.cos(), angle.sin())


POSITION_KINDS: dict[str, type[PositionEmbedding]] = {"random": RandomPositions, "fourier": FourierPositions}


def spaced(layout: Layout) -> np.ndarray:
    """Return positions from the start of the chromosome, in mean distances between neighbours of the panel, `(N,)`."""
    beside = np.diff(layout.number) == 0
    distances = np.diff(layout.place)[beside]
    return layout.place / distances.mean() if distances.any() else np.zeros(layout.n_loci)
