"""Compiled meiosis on packed bits: parents' rows in, gametes' rows out, and nothing is unpacked.

Between two crossovers a gamete is a copy of one parental row, byte by byte; a byte that a crossover cuts is put
together with masks. The site of a crossover is found by bisection in the chromosome's map.

Every gamete has a random stream of its own, splitmix64 (Steele, Lea & Flood 2014, OOPSLA) started at a hash of the
cross's 64-bit seed and of the gamete's number. So bytes depend neither on the number of threads nor on whether
crossovers are recorded.

Chiasmata that a gamete does not receive are never drawn. Between two that it receives lie K gamma gaps, P(K = k) =
2^-k, together Gamma(vK); and from the start of the chromosome to the first one lies a uniform share of a
length-biased gap, which is Gamma(vK + 1) with P(K = k) = k 2^-(k+1) (Cox 1962, Renewal Theory, section 5).
"""

import math
from typing import Any

import numpy as np
from numba import njit, types, uint64
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from gpatlas.packed.kernels import ranges, share
from gpatlas.simulate.genetic_map import GeneticMap
from gpatlas.simulate.meiosis import Meiosis

WORTH_SHARING = 5_000_000  # gametes × (bytes + 50 per chromosome): some 10 ms of one core
GAMETES_AT_ONCE = 256

compiled = njit(nogil=True, cache=True, error_model="numpy")

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


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
        meiosis.v, meiosis.p, scale, np.uint64(seed[0]), seed[1], gametes, first_row, rows_apart,
    )  # fmt: skip
    if work < WORTH_SHARING:
        _transmit(*inputs, 0, len(parent))
    else:
        share(_transmit, ranges(len(parent), GAMETES_AT_ONCE), *inputs)


@intrinsic
def _trailing_zeros(typing_context: Any, word: Any) -> Any:
    """Zeros below the lowest set bit of a 64-bit word, an instruction of LLVM."""

    def build(context: Any, builder: Any, signature: Any, words: Any) -> Any:
        return builder.cttz(words[0], context.get_constant(types.boolean, False))

    return types.uint64(types.uint64), build


@intrinsic
def _copy_32_bytes(typing_context: Any, sources: Any, source: Any, targets: Any, target: Any) -> Any:
    """Copy 32 bytes between two arrays, from the byte `source` to the byte `target`: an instruction or two."""

    def build(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        pointers = [
            builder.gep(context.make_array(signature.args[a])(context, builder, given[a]).data, [given[a + 1]])
            for a in (2, 0)
        ]
        cgutils.raw_memcpy(builder, *pointers, context.get_constant(types.intp, 32), 1)
        return context.get_dummy_value()

    return types.void(sources, types.intp, targets, types.intp), build


@compiled
def _mixed(word: Any) -> Any:
    """Scramble 64 bits; a bijection."""
    word = (word ^ (word >> uint64(30))) * _MIX_1
    word = (word ^ (word >> uint64(27))) * _MIX_2
    return word ^ (word >> uint64(31))


@compiled
def stream(seed: Any, number: int) -> Any:
    """Return the start of the stream of that number."""
    return _mixed(seed ^ _mixed(uint64(number) + _GOLDEN))


@compiled
def _uniform(word: Any) -> float:
    """Turn 64 random bits into a number of (0, 1)."""
    return ((word >> uint64(12)) + 0.5) * 2.0**-52


@compiled
def _geometric(word: Any) -> Any:
    """Turn 64 random bits into k = 1, 2, … with probability 2^-k."""
    return np.int64(_trailing_zeros(word)) + 1


@compiled
def _gamma(state: Any, shape: float) -> tuple[Any, float]:
    """Draw Gamma(shape, rate 1) by Marsaglia & Tsang (2000, ACM TOMS 26:363); returns the stream's state, too."""
    boost = 1.0
    if shape < 1:
        state += _GOLDEN
        boost = _uniform(_mixed(state)) ** (1 / shape)
        shape += 1
    d = shape - 1 / 3
    c = 1 / math.sqrt(9 * d)
    while True:
        while True:  # a standard normal, by the polar method
            state += _GOLDEN
            word = _mixed(state)
            x = np.float64(np.int64(word) >> 32) * 2.0**-31
            y = np.float64(np.int32(word & uint64(0xFFFFFFFF))) * 2.0**-31
            s = x * x + y * y
            if 0 < s < 1:
                break
        x *= math.sqrt(-2 * math.log(s) / s)
        t = 1 + c * x
        if t > 0:
            t = t * t * t
            state += _GOLDEN
            u = _uniform(_mixed(state))
            if u < 1 - 0.0331 * x**4 or math.log(u) < 0.5 * x * x + d * (1 - t + math.log(t)):
                return state, d * t * boost


@compiled
def crossovers(
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
        state += _GOLDEN
        k = _geometric(_mixed(state))
        state += _GOLDEN
        k += _geometric(_mixed(state)) - 1
        state += _GOLDEN
        u = _uniform(_mixed(state))
        state, gap = _gamma(state, v * k + 1)
        near = u * gap / rate
    if sprinkled > 0:
        state += _GOLDEN
        far = -math.log(_uniform(_mixed(state))) / sprinkled
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
        state += _GOLDEN
        if near < far:
            k = _geometric(_mixed(state))
            state, gap = _gamma(state, v * k)
            near += gap / rate
        else:
            far -= math.log(_uniform(_mixed(state))) / sprinkled


@compiled
def shuffle(state: Any, order: NDArray) -> Any:
    """Shuffle in place (Fisher & Yates); returns the stream's state."""
    for i in range(len(order) - 1, 0, -1):
        state += _GOLDEN
        j = np.int64(((_mixed(state) >> uint64(32)) * uint64(i + 1)) >> uint64(32))
        order[i], order[j] = order[j], order[i]
    return state


@compiled
def copy_bits(sources: NDArray, source: int, targets: NDArray, target: int, start: int, stop: int) -> None:
    """Copy the bits `start` to `stop` of a row to another, and some behind them, which the next segment overwrites."""
    i = start >> 3
    below = np.uint8((1 << (start & 7)) - 1)
    targets[target, i] = (targets[target, i] & below) | (sources[source, i] & ~below)
    i += 1
    end, width = (stop + 7) >> 3, sources.shape[1]
    while i < end and i + 32 <= width:
        _copy_32_bytes(sources, source * width + i, targets, target * width + i)
        i += 32
    for j in range(i, end):
        targets[target, j] = sources[source, j]


@compiled
def _transmit(
    parents: NDArray, parent: NDArray, homologues: int, ploidy: int, first: NDArray, position: NDArray, guide: NDArray,
    v: float, p: float, scale: float, seed: Any, sex: int, gametes: NDArray, first_row: int, rows_apart: int,
    start: int, stop: int,
) -> None:  # fmt: skip
    """Write the gametes `start` to `stop`."""
    sites, order = np.empty(np.diff(first).max(), dtype=np.int64), np.empty(ploidy, dtype=np.int64)
    n_loci = first[-1]
    for g in range(start, stop):
        of, row = parent[g] * homologues, first_row + g * rows_apart
        if homologues == 1:  # of inbred parents all homologues are alike
            for b in range(ploidy // 2):
                copy_bits(parents, of, gametes, row + b, 0, n_loci)
            continue
        state = stream(seed, 2 * g + sex)
        for h in range(ploidy):
            order[h] = h
        for c in range(len(first) - 1):
            state = shuffle(state, order)
            for b in range(ploidy // 2):
                state, n = crossovers(state, position, guide, first[c], first[c + 1], v, p, scale, sites)
                here, other, at = of + order[2 * b], of + order[2 * b + 1], first[c]
                for k in range(n):
                    copy_bits(parents, here, gametes, row + b, at, sites[k])
                    here, other, at = other, here, sites[k]
                copy_bits(parents, here, gametes, row + b, at, first[c + 1])
