"""`Panel`: genotypes as a screen of pairs takes them, loci first.

Dosages are shifted by half the ploidy, so that a diploid's are -1, 0, 1. A product of two loci, given both main
effects, is tested and estimated alike whatever constant is subtracted from a locus: only sizes of numbers change.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gpatlas.models.inputs import fill_missing

BLOCK_SAMPLES = 1 << 16  # sums of products of so many samples are exact in float32 for |dosage| up to 4
_ALIGNED = 64  # int8 matrix units want whole vectors; padding samples are zero and count nowhere


@dataclass(frozen=True)
class Panel:
    """Shifted dosages of all loci.

    Parameters
    ----------
    values
        `(n_loci, n_padded)`, int8, or float32 where means stand for missing calls; padding samples are 0.
    n_samples
        Samples that are not padding.
    shift
        What was subtracted from dosages.
    mean
        `(n_loci,)` mean dosage, before the shift; it stands for missing calls.
    """

    values: NDArray
    n_samples: int
    shift: int
    mean: NDArray[np.float64]

    @classmethod
    def of(cls, x: NDArray) -> "Panel":
        """Lay out dosages `(n_samples, n_loci)`, NaN where missing."""
        n, p = x.shape
        filled, means = fill_missing(x)
        top = float(filled.max(initial=0))
        whole = x.dtype.kind in "iub" or bool((filled == np.rint(filled)).all())
        small = whole and top <= 11 and float(filled.min(initial=0)) >= 0  # a product of squares then fits an int32
        shift = int(top) // 2 if small else 0
        values = np.zeros((p, -(-n // _ALIGNED) * _ALIGNED), dtype=np.int8 if small else np.float32)
        for start in range(0, p, step := max(1, (1 << 24) // n)):
            loci = slice(start, start + step)
            values[loci, :n] = filled[:, loci].T
            values[loci, :n] -= values.dtype.type(shift)
        if means is None:
            means = values[:, :n].mean(axis=1, dtype=np.float64) + shift
        return cls(values, n, shift, means)

    @property
    def n_loci(self) -> int:
        """Number of loci."""
        return len(self.values)

    @property
    def exact(self) -> bool:
        """Whether dosages are small integers, whose sums of products are exact."""
        return self.values.dtype == np.int8

    @cached_property
    def two_valued(self) -> bool:
        """Whether every dosage is 0 or 1 (after the shift), as in haploids: powers of a locus are the locus."""
        return self.exact and self.values.min(initial=0) >= 0 and self.values.max(initial=0) <= 1

    def of_samples(self, samples: NDArray[np.bool_]) -> "Panel":
        """Return the genotypes of some samples."""
        chosen = self.values[:, : self.n_samples][:, samples]
        values = np.zeros((self.n_loci, -(-chosen.shape[1] // _ALIGNED) * _ALIGNED), dtype=self.values.dtype)
        values[:, : chosen.shape[1]] = chosen
        return Panel(values, chosen.shape[1], self.shift, self.mean)

    def sample_blocks(self) -> Iterator[slice]:
        """Cut samples (padding among them) into runs over which sums of products are exact."""
        width = self.values.shape[1]
        for start in range(0, width, BLOCK_SAMPLES):
            yield slice(start, min(start + BLOCK_SAMPLES, width))
