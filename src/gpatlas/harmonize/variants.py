"""`Variants`: what a model must remember of its loci to find them, and their counted allele, in another file."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset, as_text
from gpatlas.encoding import MISSING
from gpatlas.packed import Dosages


@dataclass(frozen=True)
class Variants:
    """Loci, their alleles and how often the counted one occurs, without genotypes.

    Parameters
    ----------
    locus_id, chromosome
        Names, `str` `(n_loci,)`.
    position
        float64 `(n_loci,)`, in `position_unit`.
    position_unit
        "bp", "Morgan", "cM", or "" where there is no map.
    alleles
        `str` `(n_loci, 2)`: the other and the counted allele, "" where one is not known; None where none is.
    ploidy
        Chromosome sets.
    mean_dosage
        float64 `(n_loci,)`: mean of the known dosages, NaN where there is none.
    """

    locus_id: NDArray
    chromosome: NDArray
    position: NDArray[np.float64]
    position_unit: str
    alleles: NDArray | None
    ploidy: int
    mean_dosage: NDArray[np.float64]

    @property
    def n_loci(self) -> int:
        """Number of loci."""
        return len(self.locus_id)

    @property
    def allele_frequency(self) -> NDArray[np.float64]:
        """Frequency of the counted allele `(n_loci,)`."""
        return self.mean_dosage / self.ploidy

    @classmethod
    def of(cls, dataset: Dataset, rows: NDArray | None = None) -> "Variants":
        """Describe the loci of a dataset; means are over some of its samples (all by default)."""
        return cls(
            locus_id=as_text(dataset.locus_id),
            chromosome=as_text(dataset.chromosome),
            position=np.asarray(dataset.position, dtype=np.float64),
            position_unit=dataset.position_unit,
            alleles=None if dataset.alleles is None else as_text(dataset.alleles),
            ploidy=dataset.ploidy,
            mean_dosage=mean_dosage(dataset, rows),
        )


def mean_dosage(dataset: Dataset, rows: NDArray | None = None) -> NDArray[np.float64]:
    """Return the mean of each locus' known dosages `(n_loci,)`, read in blocks of samples; NaN where none is known."""
    if isinstance(dataset.genotypes, Dosages):
        counts = (dataset.genotypes if rows is None else dataset.genotypes.take(rows)).counts()
        known = counts[:, :3].sum(axis=1)
        return np.divide(counts[:, 1] + 2 * counts[:, 2], known, out=np.full(dataset.n_loci, np.nan), where=known > 0)
    rows = np.arange(dataset.n_samples) if rows is None else np.asarray(rows)
    total, known = np.zeros(dataset.n_loci), np.zeros(dataset.n_loci)
    step = max(1, (1 << 24) // max(1, dataset.n_loci))
    for start in range(0, len(rows), step):
        dosage = dataset.dosage(rows[start : start + step])
        there = dosage != MISSING
        known += there.sum(axis=0)
        total += np.where(there, dosage, 0).sum(axis=0)
    return np.divide(total, known, out=np.full(dataset.n_loci, np.nan), where=known > 0)
