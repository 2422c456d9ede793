"""Compiled meiosis on packed bits: parents' rows in, gametes' rows out, and nothing is unpacked.

Between two crossovers a gamete is a copy of one parental row, byte by byte. The site of a crossover is found in a step
or two from the map's guide table. Every gamete has a random stream of its own, started at a hash of the cross's 64-bit
seed and of the gamete's number, so bytes depend neither on threads nor on whether crossovers are recorded.

Chiasmata that a gamete does not receive are never drawn. Between two that it receives lie K gamma gaps, P(K = k) =
2^-k, together Gamma(vK); and from the start of the chromosome to the first one lies a uniform share of a
length-biased gap, which is Gamma(vK + 1) with P(K = k) = k 2^-(k+1) (Cox 1962, Renewal Theory, section 5).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.packed.copying import copy_bits
from gpatlas.packed.kernels import ranges, share
from gpatlas.simulate.genetic_map import GeneticMap
from gpatlas.simulate.meiosis import Meiosis
from gpatlas.simulate.variates import GOLDEN, compiled, gamma, geometric, mixed, shuffle, stream, uniform

WORTH_SHARING = 20_000_000  # gametes × (bytes + 50 per chromosome): some 15 ms of one core
GAMETES_AT_ONCE = 256


def transmit(
    parents: NDArray[np.uint8],
    parent: NDArray[np.int64],
    homologues: int,
    ploidy: int,
    genetic_map: GeneticMap,
    meiosis: Meiosis,
    scale: float,
    seed: tuple[int, int],
    gametes: NDArray[np.uint8],
    first_row: int,
    rows_apart: int,
) -> None:
    """Write one gamete of each given parent.

    Parameters
    ----------
    parents
        Packed rows `(n_parents · homologues, width)`, individual-major, as `Population.haplotypes` holds them.
    parent
        Index of each gamete's parent `(n_gametes,)`.
    homologues
        Rows stored per parent: the ploidy, or 1 for inbred parents.
    ploidy
        Chromosome sets of the parents, even; a gamete has half of them.
    genetic_map, meiosis
        Where crossovers fall.
    scale
        Factor on the map: a sex's, or 0 for no recombination within chromosomes.
    seed
        The cross's 64-bit seed, and 0 for maternal, 1 for paternal gametes.
    gametes
        Packed rows `(n_rows, width)`, filled: gamete g starts at row `first_row + g · rows_apart`.
    first_row, rows_apart
        Where gametes go among those rows.
    """
    work = len(parent) * (parents.shape[1] + 50 * genetic_map.n_chromosomes)
    inputs = (
        parents, parent, homologues, ploidy, genetic_map.first, genetic_map.position, genetic_map.guide,
        float(meiosis.v), float(meiosis.p), scale, np.uint64(seed[0]), seed[1], gametes, first_row, rows_apart,
    )  # fmt: skip
    if work < WORTH_SHARING:
        _transmit(*inputs, 0, len(parent))
    else:
        share(_transmit, ranges(len(parent), GAMETES_AT_ONCE), *inputs)


@compiled
def _crossovers(
    state: Any,
    position: NDArray,
    guide: NDArray,
    start: int,
    stop: int,
    v: float,
    p: float,
    scale: float,
    sites: NDArray,
) -> tuple[Any, int]:
    """Draw a gamete's crossovers on the chromosome of loci `start` to `stop`.

    Writes to `sites` the locus from which the other homologue is read, ascending, and returns the stream's state and
    the number of them. Two crossovers between the same loci cancel.
    """
    length, n = position[stop - 1], 0
    if not length * scale > 0:
        return state, 0
    rate, sprinkled = 2 * v * (1 - p) * scale, p * scale
    near: Any = math.inf
    far: Any = math.inf
    if rate > 0:
        state += GOLDEN
        k = geometric(mixed(state))
        state += GOLDEN
        k += geometric(mixed(state)) - 1
        state += GOLDEN
        u = uniform(mixed(state))
        state, gap = gamma(state, v * k + 1)
        near = u * gap / rate
    if sprinkled > 0:
        state += GOLDEN
        far = -math.log(uniform(mixed(state))) / sprinkled
    per_morgan = (stop - start) / length
    while True:
        here = near if near < far else far
        if here >= length:
            return state, n
        piece = np.int64(here * per_morgan)
        site = guide[start + piece if piece < stop - start else stop - 1]
        while position[site] <= here:
            site += 1
        if n > 0 and sites[n - 1] == site:
            n -= 1
        else:
            sites[n] = site
            n += 1
        state += GOLDEN
        if near < far:
            k = geometric(mixed(state))
            state, gap = gamma(state, v * k)
            near += gap / rate
        else:
            far -= math.log(uniform(mixed(state))) / sprinkled


@compiled
def _transmit(
    parents: NDArray, parent: NDArray, homologues: int, ploidy: int, first: NDArray, position: NDArray, guide: NDArray,
    v: float, p: float, scale: float, seed: Any, sex: int, gametes: NDArray, first_row: int, rows_apart: int,
    start: int, stop: int,
) -> None:  # fmt: skip
    """Write the gametes `start` to `stop`."""
    sites, order = np.empty(np.diff(first).max(), dtype=np.int64), np.empty(ploidy, dtype=np.int64)
    n_chromosomes, n_bits = len(first) - 1, 8 * parents.shape[1]  # padding bits are copied, too
    for g in range(start, stop):
        of, row = parent[g] * homologues, first_row + g * rows_apart
        if homologues == 1:  # of inbred parents all homologues are alike
            for b in range(ploidy // 2):
                copy_bits(parents, of, gametes, row + b, 0, n_bits)
            continue
        state = stream(seed, 2 * g + sex)
        for h in range(ploidy):
            order[h] = h
        for c in range(n_chromosomes):
            end = first[c + 1] if c + 1 < n_chromosomes else n_bits
            state = shuffle(state, order)
            for b in range(ploidy // 2):
                state, n = _crossovers(state, position, guide, first[c], first[c + 1], v, p, scale, sites)
                here, other, at = of + order[2 * b], of + order[2 * b + 1], first[c]
                for k in range(n):
                    copy_bits(parents, here, gametes, row + b, at, sites[k])
                    here, other, at = other, here, sites[k]
                copy_bits(parents, here, gametes, row + b, at, end)


@compiled  # in this file, since Numba's cache goes by the file's date: both must draw the same
def record_crossovers(
    n_gametes: int, ploidy: int, first: NDArray, position: NDArray, guide: NDArray, v: float, p: float,
    scale: float, seed: Any, sex: int, first_row: int, rows_apart: int, lists: NDArray, stretches: NDArray,
) -> None:  # fmt: skip
    """Draw the crossovers that `transmit` draws from the same seed, and write them down; see `Recombinations`.

    Counts stretches in `lists`, or, where there is room in `stretches`, writes them from the places in `lists`.
    """
    sites, order = np.empty(np.diff(first).max(), dtype=np.int64), np.empty(ploidy, dtype=np.int64)
    n_chromosomes = len(first) - 1
    for g in range(n_gametes):
        state = stream(seed, 2 * g + sex)
        for h in range(ploidy):
            order[h] = h
        for c in range(n_chromosomes):
            state = shuffle(state, order)
            for b in range(ploidy // 2):
                state, n = _crossovers(state, position, guide, first[c], first[c + 1], v, p, scale, sites)
                k = (first_row + g * rows_apart + b) * n_chromosomes + c
                if len(stretches) == 0:
                    lists[k] = n + 1
                    continue
                for j in range(n + 1):
                    stretches[lists[k] + j, 0] = order[2 * b + j % 2] + 1
                    stretches[lists[k] + j, 1] = sites[j - 1] - first[c] + 1 if j else 1
