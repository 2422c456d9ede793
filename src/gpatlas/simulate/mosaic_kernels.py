"""Compiled parts of `mosaic`: ancestral haplotypes, and rows that are copied from them piece by piece."""

import numpy as np
from numba import float64, int64, uint64
from numpy.typing import NDArray

from gpatlas.packed.copying import copy_bits
from gpatlas.simulate.variates import GOLDEN, compiled, mixed


@compiled
def draw_ancestors(
    rng: np.random.Generator,
    a: float,
    b: float,
    lowest: float,
    fst: float,
    n_subpopulations: int,
    alleles: NDArray,
) -> None:
    """Fill `alleles` (n_subpopulations · n_ancestors, n_loci), 0/1; every locus is drawn until it is polymorphic.

    A locus' frequency is Beta(a, b), or 1/x on (lowest, 1) where `lowest` is positive. That of a subpopulation is
    Beta(q (1 - F)/F, (1 - q)(1 - F)/F) around it (Balding & Nichols 1995, F = `fst`).
    """
    n, n_loci = alleles.shape
    per = n // n_subpopulations
    for locus in range(n_loci):
        ones = 0
        while ones == 0 or ones == n:
            ones = 0
            frequency = lowest ** rng.random() if lowest > 0 else rng.beta(a, b)
            for subpopulation in range(n_subpopulations):
                here = frequency
                if fst > 0 and 0 < frequency < 1:
                    here = rng.beta(frequency * (1 - fst) / fst, (1 - frequency) * (1 - fst) / fst)
                for k in range(per * subpopulation, per * (subpopulation + 1)):
                    allele = rng.random() < here
                    alleles[k, locus] = allele
                    ones += allele


@compiled
def copy_from_ancestors(
    seed: np.uint64,
    ancestors: NDArray,
    first_ancestor: NDArray,
    n_ancestors: int,
    first: NDArray,
    position: NDArray,
    guide: NDArray,
    switch_rate: float,
    rows: NDArray,
) -> None:
    """Fill packed `rows` with pieces of ancestors `first_ancestor[row] … + n_ancestors - 1`.

    `first`, `position` and `guide` are those of the `GeneticMap`. A chromosome's switches are a Poisson process of
    `switch_rate` per Morgan, and each chooses among all ancestors again (Li & Stephens 2003). A locus at a switch
    belongs to the piece on its left, as at a crossover. Every row has a random stream of its own.
    """
    for row in range(len(rows)):
        state = mixed(seed + uint64(row) * GOLDEN)
        for c in range(len(first) - 1):
            locus, end = first[c], first[c + 1]
            length, where = position[end - 1], 0.0
            per_morgan = (end - locus) / length if length > 0 else 0.0
            while locus < end:
                state += GOLDEN
                word = mixed(state)
                ancestor = first_ancestor[row] + int64(((word >> uint64(32)) * uint64(n_ancestors)) >> uint64(32))
                where -= np.log((float64(word & uint64(0xFFFFFFFF)) + 0.5) * 2.0**-32) / switch_rate
                stop = end
                if where < length:
                    piece = int64(where * per_morgan)
                    stop = max(locus, guide[min(first[c] + piece, end - 1)])
                    while position[stop] <= where:
                        stop += 1
                copy_bits(ancestors, ancestor, rows, row, locus, stop)
                locus = stop
