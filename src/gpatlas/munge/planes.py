"""Genotypes as two bits a sample, one vector of words per locus: what correlations are counted from.

With x the dosage, coded -1 (none of allele "1"), 0 (heterozygous) and 1 (ploidy copies), and missing:

    plane        -1   0   1   missing
    homozygous    1   0   1   0          x² = homozygous
    carrier       0   1   1   0          known = homozygous | carrier

2 504 samples × 1 000 000 loci are 0.64 GB.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset
from gpatlas.errors import DataError
from gpatlas.packed import Bits, Dosages, PackedDosages

LOCI_PER_BLOCK = 4096  # a column of tiles in the file


@dataclass(frozen=True)
class Planes:
    """Genotypes of some samples at all loci of a dataset.

    Parameters
    ----------
    words
        uint64 `(n_loci, 2, n_words)`: planes homozygous and carrier, bit i of word w is sample 64 w + i; padding is 0.
    n_samples
        Samples that the words hold.
    """

    words: NDArray[np.uint64]
    n_samples: int

    @property
    def n_loci(self) -> int:
        """Number of loci."""
        return len(self.words)

    @classmethod
    def of(cls, dataset: Dataset, rows: NDArray[np.intp] | None = None) -> "Planes":
        """Read a dataset's genotypes of some samples (all by default), block by block of loci.

        Raises
        ------
        DataError
            A ploidy above two, or an int8 dosage that the ploidy does not allow.
        """
        if dataset.ploidy > 2:
            raise DataError(f"correlations are counted from genotypes of ploidy 1 or 2, but this is {dataset.ploidy}")
        n = dataset.n_samples if rows is None else len(rows)
        words = np.empty((dataset.n_loci, 2, -(-n // 64)), dtype=np.uint64)
        valid = _first_ones(n)
        for start in range(0, dataset.n_loci, LOCI_PER_BLOCK):
            loci = slice(start, min(start + LOCI_PER_BLOCK, dataset.n_loci))
            _fill(words[loci], dataset, rows, loci, valid)
        return cls(words, n)


def _fill(
    words: NDArray[np.uint64], dataset: Dataset, rows: NDArray[np.intp] | None, loci: slice, valid: NDArray[np.uint64]
) -> None:
    """Write the planes of a block of loci."""
    from gpatlas.packed.kernels import words_by_column

    genotypes, n = dataset.genotypes, loci.stop - loci.start
    if isinstance(genotypes, Bits):
        packed = genotypes.packed(rows)[:, loci.start // 8 : -(-loci.stop // 8)]
        words[:, 1] = words_by_column(np.ascontiguousarray(packed))[:n]
        words[:, 0] = valid
        return
    if isinstance(genotypes, Dosages):
        packed = genotypes.packed(rows, slice(loci.start // 4, -(-loci.stop // 4)))
    else:
        packed = PackedDosages.pack(_allowed(dataset.dosage(rows, loci), dataset.ploidy)).bits
    code = words_by_column(np.ascontiguousarray(packed))[: 2 * n].reshape(n, 2, -1)
    low, high = code[:, 0], code[:, 1]  # 0: 00, 1: 01, 2: 10, missing: 11
    if dataset.ploidy == 2:
        words[:, 0] = valid & ~low
        words[:, 1] = low ^ high
    else:
        words[:, 0] = valid & ~high
        words[:, 1] = low & ~high


def _allowed(dosage: NDArray[np.int8], ploidy: int) -> NDArray[np.int8]:
    if dosage.size and (dosage.max() > ploidy or dosage.min() < -1):
        raise DataError(
            f"dosages from {dosage.min()} to {dosage.max()}, but ploidy {ploidy} allows -1 (missing) to {ploidy}"
        )
    return dosage


def _first_ones(n: int) -> NDArray[np.uint64]:
    """Return words whose first n bits are one."""
    bits = np.zeros(-(-n // 64) * 64, dtype=np.uint8)
    bits[:n] = 1
    return np.packbits(bits, bitorder="little").view(np.uint64)
