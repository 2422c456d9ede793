"""`Panel`: genotypes as a screen of pairs takes them, loci first.

Dosages are shifted by half the ploidy, so that a diploid's are -1, 0, 1. A product of two loci, given both main
effects, is tested and estimated alike whatever constant is subtracted from a locus: only sizes of numbers change.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gpatlas.models.inputs import fill_missing
from gpatlas.models.products import Genotypes
from gpatlas.packed import Bits, products

BLOCK_SAMPLES = 1 << 16  # sums of products of so many samples are exact in float32 for |dosage| up to 4
LOCI_AT_ONCE = 1 << 24  # numbers held when loci are gone through
UNPACKED = 2e8  # genotypes up to which bits are laid out as bytes
LARGEST_WHOLE = 11  # dosage whose square fits a byte
_ALIGNED = 64  # int8 matrix units want whole vectors; padding samples are zero and count nowhere


class Panel(ABC):
    """Shifted dosages of all loci.

    Parameters
    ----------
    n_loci, n_samples
        Loci, and samples that are not padding.
    shift
        What was subtracted from dosages.
    mean
        `(n_loci,)` mean of the shifted dosages.
    exact
        Whether dosages are small integers, whose sums of products are exact.
    two_valued
        Whether every dosage is 0 or 1 (after the shift), as in haploids: powers of a locus are the locus.
    largest
        The largest absolute shifted dosage.
    """

    n_loci: int
    n_samples: int
    shift: int
    mean: NDArray[np.float64]
    exact: bool
    two_valued: bool
    largest: int

    @property
    def width(self) -> int:
        """Samples with padding."""
        return -(-self.n_samples // _ALIGNED) * _ALIGNED

    @abstractmethod
    def padded(self, loci: slice | NDArray[np.intp], samples: slice) -> NDArray:
        """Return shifted dosages of some loci and a run of samples, padding among them; a view where possible."""

    @abstractmethod
    def of_samples(self, samples: NDArray[np.bool_]) -> "Panel":
        """Return the genotypes of some samples."""

    def dosage(self, loci: slice | NDArray[np.intp], samples: slice = slice(None)) -> NDArray:
        """Return shifted dosages `(n_chosen, n_chosen_samples)`; runs of samples start at multiples of 64."""
        start, stop, _ = samples.indices(self.n_samples)
        return self.padded(loci, slice(start, -(-stop // _ALIGNED) * _ALIGNED))[:, : stop - start]

    def gram(self, loci: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return sums of products of loci, `(n_chosen, n_chosen)`."""
        total = np.zeros((len(loci), len(loci)))
        step = max(1, LOCI_AT_ONCE // max(1, len(loci)) // _ALIGNED) * _ALIGNED
        for start in range(0, self.n_samples, step):
            block = self.dosage(loci, slice(start, start + step)).astype(np.float32)
            total += block @ block.T
        return total

    def sample_blocks(self) -> Iterator[slice]:
        """Cut samples (padding among them) into runs over which sums of products are exact."""
        for start in range(0, self.width, BLOCK_SAMPLES):
            yield slice(start, min(start + BLOCK_SAMPLES, self.width))

    def locus_blocks(self) -> Iterator[slice]:
        """Cut loci into runs that can be held as numbers."""
        step = max(1, LOCI_AT_ONCE // self.n_samples)
        for start in range(0, self.n_loci, step):
            yield slice(start, min(start + step, self.n_loci))


class DensePanel(Panel):
    """A panel with a byte for each genotype, or float32 where means stand for missing calls."""

    def __init__(self, values: NDArray, n_samples: int, shift: int):
        self._values = values
        self.n_loci, self.n_samples, self.shift = len(values), n_samples, shift
        self.exact = values.dtype == np.int8
        lowest, highest = float(values.min(initial=0)), float(values.max(initial=0))
        self.two_valued = self.exact and lowest >= 0 and highest <= 1
        self.largest = int(max(1, -lowest, highest))
        self.mean = values[:, :n_samples].mean(axis=1, dtype=np.float64)

    def padded(self, loci: slice | NDArray[np.intp], samples: slice) -> NDArray:
        """Return shifted dosages."""
        return self._values[loci, samples]

    def of_samples(self, samples: NDArray[np.bool_]) -> Panel:
        """Return the genotypes of some samples."""
        chosen = self._values[:, : self.n_samples][:, samples]
        values = np.zeros((self.n_loci, -(-chosen.shape[1] // _ALIGNED) * _ALIGNED), dtype=self._values.dtype)
        values[:, : chosen.shape[1]] = chosen
        return DensePanel(values, chosen.shape[1], self.shift)


class PackedPanel(Panel):
    """A panel with a bit for each genotype, turned loci first: a million samples by 6 326 loci are 0.8 GB."""

    shift, exact, two_valued, largest = 0, True, True, 1

    def __init__(self, source: Bits):
        self.source = source
        self.n_samples, self.n_loci = source.shape
        self._bits = np.zeros((self.n_loci, self.width // 8), dtype=np.uint8)
        self.mean = np.zeros(self.n_loci)
        for rows in source.blocks(BLOCK_SAMPLES // 4):  # whole bytes, but for the last
            block = source.unpack(rows)
            self.mean += block.sum(axis=0, dtype=np.int64)
            turned = np.packbits(block.T, axis=1, bitorder="little")
            self._bits[:, rows.start // 8 : rows.start // 8 + turned.shape[1]] = turned
        self.mean /= self.n_samples

    def padded(self, loci: slice | NDArray[np.intp], samples: slice) -> NDArray:
        """Return shifted dosages."""
        packed = self._bits[loci, samples.start // 8 : samples.stop // 8]
        return np.unpackbits(packed, axis=1, bitorder="little").view(np.int8)

    def gram(self, loci: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return sums of products of loci: counts of bits, where most loci are wanted."""
        if 2 * len(loci) < self.n_loci:
            return super().gram(loci)
        return products.gram(self.source)[np.ix_(loci, loci)]

    def of_samples(self, samples: NDArray[np.bool_]) -> Panel:
        """Return the genotypes of some samples."""
        return make_panel(self.source.take(np.flatnonzero(samples)))


def make_panel(x: Genotypes) -> Panel:
    """Lay out dosages `(n_samples, n_loci)`, NaN where missing, or bits."""
    n, p = x.shape
    if isinstance(x, Bits):
        if n * p > UNPACKED:
            return PackedPanel(x)
        x = x.unpack()
    filled, _ = fill_missing(x)
    lowest, highest = float(filled.min(initial=0)), float(filled.max(initial=0))
    whole = x.dtype.kind in "iub" or bool((filled == np.rint(filled)).all())
    small = whole and lowest >= 0 and highest <= LARGEST_WHOLE
    shift = int(highest) // 2 if small else 0
    values = np.zeros((p, -(-n // _ALIGNED) * _ALIGNED), dtype=np.int8 if small else np.float32)
    for start in range(0, p, step := max(1, LOCI_AT_ONCE // n)):
        loci = slice(start, start + step)
        values[loci, :n] = filled[:, loci].T
        values[loci, :n] -= values.dtype.type(shift)
    return DensePanel(values, n, shift)
