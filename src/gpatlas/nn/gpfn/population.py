"""A batch of populations: what a network is told."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gpatlas.nn.gpfn.fixed import intercept


@dataclass(frozen=True)
class Population:
    """The context of a batch of populations.

    Parameters
    ----------
    z
        Genotypes less the context's mean, `(B, N, M)`; zeros in rows that fill up.
    y
        Phenotypes, of mean 0 and variance 1, projected, `(B, N)`.
    mask
        1 for rows that are there, `(B, N)`.
    fixed
        Orthonormal basis of what is fixed, `(B, N, R)`.
    chromosome
        `(B, M)`, None where unknown: then linkage disequilibrium alone says who is a neighbour.
    """

    z: Tensor
    y: Tensor
    mask: Tensor
    fixed: Tensor
    chromosome: Tensor | None = None

    @classmethod
    def of(cls, z_BNM: Tensor, y_BN: Tensor, mask_BN: Tensor, chromosome_BM: Tensor | None = None) -> "Population":
        """Take centred genotypes and standardised phenotypes, with a mean as the one fixed effect."""
        return cls(z_BNM, y_BN, mask_BN, intercept(mask_BN), chromosome_BM)

    @property
    def n(self) -> Tensor:
        """Rows of context, `(B,)`."""
        return self.mask.sum(1)

    @property
    def contrasts(self) -> Tensor:
        """Rows less fixed effects, `(B,)`."""
        return self.n - self.fixed.square().sum((1, 2))

    def markers(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return allele variances, which markers vary, and equal weights of mean diagonal 1, `(B, M)` each."""
        variance_BM = torch.linalg.vector_norm(self.z, dim=1).to(self.y).square() / self.n[:, None]
        present_BM = (variance_BM > 1e-6).to(self.y)
        variance_BM = variance_BM * present_BM
        return variance_BM, present_BM, present_BM / variance_BM.sum(1, keepdim=True).clamp(min=1e-30)
