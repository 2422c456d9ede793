"""Compiled products with bits, which never unpack them.

X'X and XX'  Both counted by AND and population count of 64 samples (loci) at once. LLVM makes 512-bit vectors of it
             where the processor counts in them (AVX512-VPOPCNTDQ), and plain instructions elsewhere.
XB and X'Y   A byte holds eight loci, so it adds one of 256 sums of eight effects, which are tabulated; and X'Y adds a
             sample's phenotypes to one of 256 sums per byte, which give those of the eight loci at the end
             (Arlazarov, Dinic, Kronrod & Faradzhev 1970, "the four Russians").

Work is shared by as many threads as the linear algebra library would use. Each sum is made by one thread in a fixed
order: results do not depend on their number.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import njit, types, uint64
from numba.extending import intrinsic
from numpy.typing import NDArray
from threadpoolctl import threadpool_info

from gpatlas.packed.bits import Bits, n_bytes

ROWS_PER_BLOCK = 1 << 15  # 512 words of 64 samples: 64 loci of them stay in a core's second-level cache
TILE = 64  # loci whose pairs are counted together
STRIP = 256  # rows that are looked up together: their sums and a table stay in the first-level cache
BYTES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little").astype(np.float64)

compiled = njit(nogil=True, cache=True, error_model="numpy")


def gram(bits: Bits) -> NDArray[np.float64]:
    """Return X'X `(p, p)`, see `gpatlas.packed.products`."""
    n, p = bits.shape
    width = n_bytes(p)
    counts = np.zeros((8 * width, 8 * width))
    words = np.zeros((8 * width, min(ROWS_PER_BLOCK, n + 63) // 64), dtype=np.uint64)
    for rows in bits.blocks(ROWS_PER_BLOCK):
        block = bits.packed(rows)
        here = words[:, : (len(block) + 63) // 64]
        share(_transpose, ranges(here.shape[1], 16), block, here)
        share(_count_pairs, ranges(len(here), TILE), here, counts)
    share(_mirror, ranges(len(counts), TILE), counts)
    return counts[:p, :p]


def gram_of_rows(bits: Bits) -> NDArray[np.float64]:
    """Return XX' `(n, n)`, see `gpatlas.packed.products`."""
    n, p = bits.shape
    rows = -(-n // 4) * 4  # pairs are counted four by four
    words = np.zeros((rows, -(-p // 64)), dtype=np.uint64)
    words.view(np.uint8)[:n, : n_bytes(p)] = bits.packed()
    counts = np.zeros((rows, rows))
    for start in range(0, words.shape[1], ROWS_PER_BLOCK // 64):
        here = np.ascontiguousarray(words[:, start : start + ROWS_PER_BLOCK // 64])
        share(_count_pairs, ranges(rows, TILE), here, counts)
    share(_mirror, ranges(rows, TILE), counts)
    return counts[:n, :n]


def times(bits: Bits, b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return XB `(n, t)`, see `gpatlas.packed.products`."""
    n, p = bits.shape
    padded = np.zeros((8 * n_bytes(p), b.shape[1]))
    padded[:p] = b
    tables = BYTES @ padded.reshape(-1, 8, b.shape[1])  # (bytes, 256, t)
    product = np.zeros((n, b.shape[1]))
    for rows in bits.blocks(ROWS_PER_BLOCK):
        block = bits.packed(rows)
        share(_look_up, ranges(len(block), 8 * STRIP), block, tables, product[rows])
    return product


def transposed_times(bits: Bits, y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return X'Y `(p, t)`, see `gpatlas.packed.products`."""
    p = bits.shape[1]
    sums = np.zeros((n_bytes(p), 256, y.shape[1]))
    for rows in bits.blocks(ROWS_PER_BLOCK):
        block = bits.packed(rows)
        share(_add_up, ranges(len(sums), 64), block, np.ascontiguousarray(y[rows]), sums)
    return (BYTES.T @ sums).reshape(-1, y.shape[1])[:p]


def words_by_column(rows: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Turn packed bytes `(n, width)` into words of 64 rows, a vector of them per column: `(8 width, ceil(n / 64))`."""
    words = np.empty((8 * rows.shape[1], -(-len(rows) // 64)), dtype=np.uint64)
    share(_transpose, ranges(words.shape[1], 16), rows, words)
    return words


def share(kernel: Callable[..., None], pieces: list[tuple[int, int]], *arrays: Any) -> None:
    """Run a kernel over ranges of what it writes, in as many threads as BLAS may use."""
    n_threads = max((lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"), default=1)
    with ThreadPoolExecutor(n_threads) as threads:
        for done in [threads.submit(kernel, *arrays, start, stop) for start, stop in pieces]:
            done.result()


def ranges(size: int, step: int) -> list[tuple[int, int]]:
    """Cut `size` into consecutive pieces of `step`."""
    return [(start, min(start + step, size)) for start in range(0, size, step)]


@intrinsic
def count_ones(typing_context: Any, word: Any) -> Any:
    """Population count of a 64-bit word, an instruction of LLVM."""
    return types.uint64(types.uint64), lambda context, builder, signature, words: builder.ctpop(words[0])


@compiled
def _transpose(rows: NDArray, words: NDArray, start: int, stop: int) -> None:
    """Turn bytes of eight loci per sample into words of 64 samples per locus, for words `start` to `stop`."""
    n, width = rows.shape
    for w in range(start, stop):
        height = min(64, n - 64 * w)
        for j in range(width):
            words[8 * j : 8 * j + 8, w] = 0
            for g in range((height + 7) // 8):
                x = uint64(0)
                for k in range(min(8, height - 8 * g)):
                    x |= uint64(rows[64 * w + 8 * g + k, j]) << uint64(8 * k)
                # an 8 × 8 matrix of bits is transposed by swapping blocks of 1, 2 and 4 (Warren, Hacker's Delight 7-3)
                t = (x ^ (x >> uint64(7))) & uint64(0x00AA00AA00AA00AA)
                x ^= t ^ (t << uint64(7))
                t = (x ^ (x >> uint64(14))) & uint64(0x0000CCCC0000CCCC)
                x ^= t ^ (t << uint64(14))
                t = (x ^ (x >> uint64(28))) & uint64(0x00000000F0F0F0F0)
                x ^= t ^ (t << uint64(28))
                for r in range(8):
                    words[8 * j + r, w] |= ((x >> uint64(8 * r)) & uint64(255)) << uint64(8 * g)


@compiled
def _count_pairs(words: NDArray, counts: NDArray, start: int, stop: int) -> None:
    """Add the pairs (i, j), i from `start` to `stop` and j at or beyond i's four, to `counts`."""
    for first in range(start, len(words), stop - start):
        for i in range(start, stop, 4):
            for j in range(max(first, i), min(first + stop - start, len(words)), 4):
                _count_sixteen(words, counts, i, j)


@compiled
def _count_sixteen(words: NDArray, counts: NDArray, i: int, j: int) -> None:
    """Count the pairs of four vectors with four; eight loads serve sixteen counts, which stay in registers."""
    a0, a1, a2, a3 = words[i], words[i + 1], words[i + 2], words[i + 3]
    b0, b1, b2, b3 = words[j], words[j + 1], words[j + 2], words[j + 3]
    c00 = c01 = c02 = c03 = c10 = c11 = c12 = c13 = uint64(0)
    c20 = c21 = c22 = c23 = c30 = c31 = c32 = c33 = uint64(0)
    for k in range(words.shape[1]):
        x0, x1, x2, x3, y0, y1, y2, y3 = a0[k], a1[k], a2[k], a3[k], b0[k], b1[k], b2[k], b3[k]
        c00 += count_ones(x0 & y0)
        c01 += count_ones(x0 & y1)
        c02 += count_ones(x0 & y2)
        c03 += count_ones(x0 & y3)
        c10 += count_ones(x1 & y0)
        c11 += count_ones(x1 & y1)
        c12 += count_ones(x1 & y2)
        c13 += count_ones(x1 & y3)
        c20 += count_ones(x2 & y0)
        c21 += count_ones(x2 & y1)
        c22 += count_ones(x2 & y2)
        c23 += count_ones(x2 & y3)
        c30 += count_ones(x3 & y0)
        c31 += count_ones(x3 & y1)
        c32 += count_ones(x3 & y2)
        c33 += count_ones(x3 & y3)
    found = ((c00, c01, c02, c03), (c10, c11, c12, c13), (c20, c21, c22, c23), (c30, c31, c32, c33))
    for r in range(4):
        for s in range(4):
            counts[i + r, j + s] += found[r][s]


@compiled
def _mirror(counts: NDArray, start: int, stop: int) -> None:
    """Copy the upper triangle to the lower one, for columns `start` to `stop`."""
    for j in range(start, len(counts)):
        for i in range(start, min(j, stop)):
            counts[j, i] = counts[i, j]


@compiled
def _look_up(rows: NDArray, tables: NDArray, product: NDArray, start: int, stop: int) -> None:
    """Add the tabulated sums of every byte to `product`, for rows `start` to `stop`."""
    n_traits = tables.shape[2]
    for strip in range(start, stop, STRIP):
        for j in range(rows.shape[1]):
            for i in range(strip, min(strip + STRIP, stop)):
                byte = rows[i, j]
                for t in range(n_traits):
                    product[i, t] += tables[j, byte, t]


@compiled
def _add_up(rows: NDArray, y: NDArray, sums: NDArray, start: int, stop: int) -> None:
    """Add every row of y to the sum of each of its bytes, for bytes `start` to `stop`."""
    n, n_traits = y.shape
    for strip in range(0, n, STRIP):
        for j in range(start, stop):
            for i in range(strip, min(strip + STRIP, n)):
                byte = rows[i, j]
                for t in range(n_traits):
                    sums[j, byte, t] += y[i, t]
