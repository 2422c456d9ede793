"""Compiled records of meiosis: the crossovers of gametes as a table, and haplotypes rebuilt from such tables."""

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import DataError
from gpatlas.packed import PackedBits
from gpatlas.packed.copying import copy_bits
from gpatlas.simulate.crossing import index_of
from gpatlas.simulate.gametes import record_crossovers
from gpatlas.simulate.genetic_map import GeneticMap
from gpatlas.simulate.meiosis import Meiosis
from gpatlas.simulate.population import Population
from gpatlas.simulate.recombinations import Recombinations
from gpatlas.simulate.variates import compiled


class Recorder:
    """Draws the crossovers that `gametes.transmit` draws from the same seed, and writes them down.

    Parameters
    ----------
    n_individuals, copies
        Of the progeny.
    genetic_map, meiosis
        See `gametes.transmit`.
    """

    def __init__(self, n_individuals: int, copies: int, genetic_map: GeneticMap, meiosis: Meiosis) -> None:
        self._map, self._meiosis = genetic_map, meiosis
        self._parent = np.zeros((n_individuals, copies), dtype=np.int64)
        self._gametes: list[tuple] = []

    def add(self, ids: NDArray, ploidy: int, scale: float, seed: tuple[int, int], first_row: int) -> None:
        """Add a gamete of each of the parents `ids` `(n_individuals,)`; see `gametes.transmit` for the rest."""
        self._parent[:, first_row : first_row + ploidy // 2] = ids[:, None]
        self._gametes.append((len(ids), ploidy, scale, np.uint64(seed[0]), seed[1], first_row))

    def table(self) -> Recombinations:
        """Count all stretches, then write them."""
        n_lists = self._parent.size * self._map.n_chromosomes
        first, stretches = np.zeros(n_lists + 1, dtype=np.int64), np.empty((0, 2), dtype=np.int32)
        self._walk(first[1:], stretches)
        np.cumsum(first, out=first)
        stretches = np.empty((first[-1], 2), dtype=np.int32)
        self._walk(first[:-1], stretches)
        return Recombinations(self._parent, first, stretches[:, 0], stretches[:, 1])

    def _walk(self, first: NDArray, stretches: NDArray) -> None:
        m, v, p = self._map, float(self._meiosis.v), float(self._meiosis.p)
        for n, ploidy, *drawn, first_row in self._gametes:
            record_crossovers(
                n, ploidy, m.first, m.position, m.guide, v, p, *drawn,
                first_row, self._parent.shape[1], first, stretches,
            )  # fmt: skip


def drop_haplotypes(parents: Population, recombinations: Recombinations) -> PackedBits:
    """Rebuild the haplotypes of progeny from their parents' and from the record of their recombinations.

    Parameters
    ----------
    parents
        All parents that the record names, by their `id`.
    recombinations
        As `Population.recombinations` holds it.

    Returns
    -------
    PackedBits
        Rows individual-major, as the progeny's `haplotypes`.

    Raises
    ------
    DataError
        A parent is absent, or the record does not fit the parents' ploidy or chromosomes.
    """
    first = parents.genetic_map.first
    parent = index_of(recombinations.parent.ravel(), parents.id, "drop_haplotypes: parent")
    if recombinations.n_chromosomes != len(first) - 1:
        raise DataError(
            f"drop_haplotypes: the record is of {recombinations.n_chromosomes} chromosomes, the parents have "
            f"{len(first) - 1}"
        )
    if (most := recombinations.haplotype.max(initial=1)) > parents.ploidy:
        raise DataError(f"drop_haplotypes: the record names haplotype {most} of parents of ploidy {parents.ploidy}")
    bits = np.empty((len(parent), parents.haplotypes.bits.shape[1]), dtype=np.uint8)
    _drop(
        parents.haplotypes.bits, parent, parents.copies, first,
        recombinations.first, recombinations.haplotype, recombinations.site, bits,
    )  # fmt: skip
    return PackedBits(bits, parents.n_loci)


@compiled
def _drop(
    parents: NDArray, parent: NDArray, homologues: int, first: NDArray, lists: NDArray, haplotype: NDArray,
    site: NDArray, bits: NDArray,
) -> None:  # fmt: skip
    """Copy every stretch of every row."""
    n_chromosomes, n_bits = len(first) - 1, 8 * parents.shape[1]  # padding bits are copied, too
    for row in range(len(bits)):
        for c in range(n_chromosomes):
            behind = first[c + 1] if c + 1 < n_chromosomes else n_bits
            start, stop = lists[row * n_chromosomes + c], lists[row * n_chromosomes + c + 1]
            for k in range(start, stop):
                source = parent[row] * homologues + (haplotype[k] - 1 if homologues > 1 else 0)
                end = first[c] + site[k + 1] - 1 if k + 1 < stop else behind
                copy_bits(parents, source, bits, row, first[c] + site[k] - 1, end)
