"""From dosage to what a network's first layer sees.

Shapes: B batch, N loci, F features. Dosage arrives as int8 (nothing missing) or as float32 with NaN for missing;
a missing call says nothing: its features are zero.
"""

import torch
from torch import Tensor, nn


class StandardisedDosage(nn.Module):
    """Centre each locus on its training mean and divide by its training standard deviation; F = N.

    Parameters
    ----------
    mean, scale
        float32 `(N,)`; a locus that does not vary should have scale 1.
    """

    mean: Tensor
    inverse_scale: Tensor

    def __init__(self, mean: Tensor, scale: Tensor):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("inverse_scale", 1 / scale)

    @property
    def n_features(self) -> int:
        """Number of features F."""
        return len(self.mean)

    def forward(self, x_BN: Tensor) -> Tensor:
        """Return float32 `(B, N)`."""
        features_BN = (x_BN.to(torch.float32) - self.mean) * self.inverse_scale
        return torch.nan_to_num(features_BN, nan=0.0) if x_BN.is_floating_point() else features_BN

    def by_locus(self, weight_TF: Tensor) -> Tensor:
        """Return the first layer's weights by locus, `(T, N, 1)`."""
        return weight_TF[..., None]


class AlleleCounts(nn.Module):
    """Copies of allele "0" and of allele "1": F = 2N. In haploids this is the one-hot coding of the published study.

    Parameters
    ----------
    n_loci
        N.
    ploidy
        Copies in total, P; the two counts of a locus sum to it.
    """

    def __init__(self, n_loci: int, ploidy: int):
        super().__init__()
        self.n_features = 2 * n_loci
        self.ploidy = ploidy

    def forward(self, x_BN: Tensor) -> Tensor:
        """Return float32 `(B, 2N)`: all counts of allele 0, then all counts of allele 1."""
        copies_BN = x_BN.to(torch.float32)
        features_BF = torch.cat([self.ploidy - copies_BN, copies_BN], dim=1)
        return torch.nan_to_num(features_BF, nan=0.0) if x_BN.is_floating_point() else features_BF

    def by_locus(self, weight_TF: Tensor) -> Tensor:
        """Return the first layer's weights by locus and allele, `(T, N, 2)`."""
        return weight_TF.unflatten(1, (2, -1)).transpose(1, 2)
