"""Single loci as random effects: additive, and dominance in the sense of Cockerham, for any ploidy.

The dominance feature of a locus is its squared dosage, less what a line through the training samples says of it, and
with its sign turned, so that heterozygotes stand above the line. It is thus uncorrelated with the additive feature in
the training samples, in Hardy-Weinberg proportions or not (the statistical coding of Álvarez-Castro & Carlborg 2007,
Genetics 176:1151), and 0 where a locus has fewer than three genotypes, as in haploids and inbreds.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from gpatlas.models.kernels import Coding
from gpatlas.models.ridge import row_blocks

Array = NDArray[np.float64]
_SMALLEST_SHARE = 1e-12  # of the variance; what is below is rounding


@dataclass(frozen=True)
class DominanceCoding:
    """Squared coded genotypes without their regression on the coded genotypes, sign turned, `(n_loci,)` each."""

    additive: Coding
    mean: Array
    slope: Array
    scale: Array

    @classmethod
    def of(cls, additive: Coding, x: NDArray, standardise: bool = False) -> "DominanceCoding":
        """Take the regressions from dosages `(n_samples, n_loci)`."""
        moments = np.zeros((3, x.shape[1]))
        for rows in row_blocks(x):
            z = additive(x[rows])
            moments += [(z**power).sum(axis=0) / len(x) for power in (2, 3, 4)]
        variance, third, fourth = moments
        slope = np.divide(third, variance, out=np.zeros_like(third), where=variance > 0)
        left = fourth - variance**2 - slope * third
        sd: Array = np.sqrt(np.where(left > _SMALLEST_SHARE * fourth, left, 0.0))
        with np.errstate(divide="ignore"):
            scale = np.where(sd > 0, sd if standardise else 1.0, np.inf)
        return cls(additive, variance, slope, scale)

    def __call__(self, x: NDArray) -> Array:
        """Return coded dominance, `(n_samples, n_loci)`."""
        z = self.additive(x)
        return (self.mean + self.slope * z - z**2) / self.scale


@dataclass(frozen=True)
class Loci:
    """Features of loci, of mean squared length 1; turned into fewer where there are more loci than samples.

    Parameters
    ----------
    coding
        Dosages → centred features `(n_samples, n_loci)`.
    rotation
        `(n_loci, rank)` orthonormal columns that span the training samples' features; None keeps all.
    scale
        Their mean squared length before.
    """

    coding: Callable[[NDArray], Array]
    rotation: Array | None
    scale: float

    @classmethod
    def of(cls, coding: Callable[[NDArray], Array], x: NDArray) -> tuple["Loci", Array]:
        """Return it and the features `(n, n_loci or rank)` of the training samples."""
        features, rotation = coding(x), None
        n, p = features.shape
        if p >= n:
            d, u = eigh(features @ features.T, driver="evd")
            kept = d > max(d.max(initial=0.0), 0.0) * n * np.finfo(np.float64).eps
            rotation = features.T @ (u[:, kept] / np.sqrt(d[kept]))
            features = u[:, kept] * np.sqrt(d[kept])
        scale = float((features**2).sum()) / (n - 1) or 1.0
        return cls(coding, rotation, scale), features / np.sqrt(scale)

    def features(self, x: NDArray) -> Array:
        """Return features of new samples."""
        coded = self.coding(x)
        return (coded if self.rotation is None else coded @ self.rotation) / np.sqrt(self.scale)

    def squared_length(self, x: NDArray) -> Array:
        """Return squared lengths of new samples' features `(n_new,)`, of what the training samples do not span, too."""
        return (self.coding(x) ** 2).sum(axis=1) / self.scale

    def effects(self, u: Array) -> Array:
        """Return effects of coded loci `(n_loci, n_traits)` from those of features."""
        return (u if self.rotation is None else self.rotation @ u) / np.sqrt(self.scale)
