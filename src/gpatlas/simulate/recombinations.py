"""`Recombinations`: which parental haplotype every stretch of a haplotype came from (AlphaSimR `recHist`)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Recombinations:
    """A flat table of stretches, those of a haplotype's chromosome one after the other.

    `gpatlas.simulate.recording.drop_haplotypes` rebuilds haplotypes from it, and `to_tskit` makes tree sequences.

    Crossovers that leave no trace, two between the same loci, are not in it.

    Parameters
    ----------
    parent
        int64 `(n_individuals, copies)`, id of the parent that each stored haplotype came from.
    first
        int64 `(n_individuals · copies · n_chromosomes + 1,)`: chromosome c of haplotype h of individual i holds
        stretches `first[k] … first[k + 1] - 1`, k = (i · copies + h) · n_chromosomes + c.
    haplotype
        int32 `(n_stretches,)`, the parent's haplotype, 1 … its ploidy.
    site
        int32 `(n_stretches,)`, where it starts: 1 is the chromosome's first locus.
    """

    parent: NDArray[np.int64]
    first: NDArray[np.int64]
    haplotype: NDArray[np.int32]
    site: NDArray[np.int32]

    @property
    def n_chromosomes(self) -> int:
        """Number of chromosomes."""
        return (len(self.first) - 1) // max(1, self.parent.size)

    def of(self, individual: int, haplotype: int, chromosome: int) -> NDArray[np.int32]:
        """Return the rows [parent's haplotype, first site] of one chromosome, all arguments counted from 0."""
        k = (individual * self.parent.shape[1] + haplotype) * self.n_chromosomes + chromosome
        rows = slice(self.first[k], self.first[k + 1])
        return np.stack([self.haplotype[rows], self.site[rows]], axis=1)

    def take(self, individuals: NDArray) -> "Recombinations":
        """Return those of some individuals."""
        individuals = np.asarray(individuals)
        per = self.parent.shape[1] * self.n_chromosomes
        lists = (individuals[:, None] * per + np.arange(per)).ravel()
        counts = np.diff(self.first)[lists]
        first = np.concatenate([[0], np.cumsum(counts)])
        rows = np.repeat(self.first[lists] - first[:-1], counts) + np.arange(first[-1])
        return Recombinations(self.parent[individuals], first, self.haplotype[rows], self.site[rows])

    @classmethod
    def concatenate(cls, records: Sequence["Recombinations"]) -> "Recombinations":
        """Put the records of several groups of individuals together."""
        counts = np.concatenate([np.diff(record.first) for record in records])
        return cls(
            np.concatenate([record.parent for record in records]),
            np.concatenate([[0], np.cumsum(counts)]),
            np.concatenate([record.haplotype for record in records]),
            np.concatenate([record.site for record in records]),
        )
