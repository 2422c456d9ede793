"""`Population`: haplotypes on a genetic map, the thing that traits are defined on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.packed import PackedBits


@dataclass(frozen=True)
class Population:
    """Individuals of one ploidy on one genetic map.

    Parameters
    ----------
    haplotypes
        `PackedBits` with individual-major rows, as AlphaSimR's `newMapPop` takes them: rows `i·P … (i+1)·P - 1`
        belong to individual i. Inbred individuals hold one row, which stands for P copies.
    ploidy
        Chromosome sets P per individual.
    inbred
        Whether every individual is fully inbred (one stored haplotype).
    chromosome
        int32 `(n_loci,)`, 1-based chromosome of every locus, ascending.
    position
        float64 `(n_loci,)`, Morgan from the chromosome's first locus.
    """

    haplotypes: PackedBits
    ploidy: int
    inbred: bool
    chromosome: NDArray[np.int32]
    position: NDArray[np.float64]

    @property
    def copies(self) -> int:
        """Haplotype rows stored per individual."""
        return 1 if self.inbred else self.ploidy

    @property
    def n_individuals(self) -> int:
        """Number of individuals."""
        return len(self.haplotypes) // self.copies

    @property
    def n_loci(self) -> int:
        """Number of segregating sites on the map."""
        return self.haplotypes.n_loci

    @property
    def locus_id(self) -> NDArray[np.bytes_]:
        """AlphaSimR's site names, "chromosome_site" with sites numbered from 1 in each chromosome."""
        first = np.searchsorted(self.chromosome, self.chromosome)
        site = np.arange(self.n_loci) - first + 1
        return np.char.add(np.char.add(self.chromosome.astype("S"), b"_"), site.astype("S"))

    def dosage(self, rows: slice, loci: NDArray | None = None) -> NDArray[np.uint8]:
        """Return dosage 0..P, uint8 `(n_rows, n_loci)`, of consecutive individuals."""
        bits = self.haplotypes.unpack(slice(rows.start * self.copies, rows.stop * self.copies), loci)
        if self.inbred:
            return bits * np.uint8(self.ploidy)
        if self.ploidy == 1:
            return bits
        return bits.reshape(-1, self.ploidy, bits.shape[1]).sum(axis=1, dtype=np.uint8)

    def genotypes(self) -> PackedBits | NDArray[np.int8]:
        """Return all dosages as a `Dataset` holds them: packed for haploids, dense int8 otherwise."""
        if self.ploidy == 1:
            return self.haplotypes
        return self.dosage(slice(0, self.n_individuals)).view(np.int8)

    def genotype_counts(self, loci: NDArray) -> NDArray[np.int64]:
        """Count individuals by dosage: int64 `(ploidy + 1, n_loci)`, for some loci."""
        counts = np.zeros((self.ploidy + 1, len(loci)), dtype=np.int64)
        if self.copies == 1:
            ones = self.haplotypes.count_ones()[loci]
            counts[self.ploidy] = ones
            counts[0] = self.n_individuals - ones
            return counts
        for block in self.blocks(len(loci)):
            dosage = self.dosage(block, loci)
            for level in range(self.ploidy + 1):
                counts[level] += (dosage == level).sum(axis=0)
        return counts

    def blocks(self, width: int, values_per_block: int = 1 << 18) -> list[slice]:
        """Cut the individuals into row slices of about `values_per_block` numbers at `width` loci."""
        step = max(16, values_per_block // max(1, width))
        return [slice(i, min(i + step, self.n_individuals)) for i in range(0, max(self.n_individuals, 1), step)]
