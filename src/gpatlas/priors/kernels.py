"""Compiled passes over packed haplotypes: how often alleles occur, the dosage of chosen loci, and sums of effects.

Those of `gpatlas.packed.kernels` share their work among threads, which takes longer than a task's small products.
"""

import numpy as np
from numba import uint64
from numpy.typing import NDArray

from gpatlas.packed.kernels import BYTES, compiled

# a byte's eight bits, each in a byte of a word: 255 of them add up without a carry
_SPREAD = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1, bitorder="little").view(np.uint64).ravel()
_MOST = 255


@compiled
def count_ones(bits: NDArray, rows: NDArray) -> NDArray:
    """Count the ones of every locus in some rows of packed `bits` (n_rows, width): int64 `(8 · width,)`."""
    width = bits.shape[1]
    counts = np.zeros(8 * width, dtype=np.int64)
    sums = np.zeros(width, dtype=np.uint64)
    for start in range(0, len(rows), _MOST):
        sums[:] = 0
        for row in rows[start : start + _MOST]:
            for byte in range(width):
                sums[byte] += _SPREAD[bits[row, byte]]
        for byte in range(width):
            for k in range(8):
                counts[8 * byte + k] += np.int64((sums[byte] >> uint64(8 * k)) & uint64(255))
    return counts


@compiled
def dosage(bits: NDArray, copies: int, per_copy: int, loci: NDArray) -> NDArray:
    """Return int8 `(n_individuals, n_loci)`: an individual's ones among its rows times `per_copy`."""
    width = bits.shape[1]
    n = len(bits) // copies
    found = np.empty((n, len(loci)), dtype=np.int8)
    words = np.empty(width, dtype=np.uint64)
    ones = words.view(np.int8)
    for i in range(n):
        words[:] = 0
        for row in range(i * copies, (i + 1) * copies):
            for byte in range(width):
                words[byte] += _SPREAD[bits[row, byte]]
        for j in range(len(loci)):
            found[i, j] = np.int8(per_copy) * ones[loci[j]]
    return found


def sum_effects(bits: NDArray[np.uint8], effects: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of effects `(n_loci,)` at the ones of every row of packed `bits`, `(n_rows,)`."""
    padded = np.zeros(8 * bits.shape[1])
    padded[: len(effects)] = effects
    return _look_up(bits, padded.reshape(-1, 8) @ BYTES.T)


@compiled
def _look_up(bits: NDArray, tables: NDArray) -> NDArray:
    """Add up the tabulated sums of every byte: `tables` (width, 256)."""
    sums = np.zeros(len(bits))
    for row in range(len(bits)):
        for byte in range(bits.shape[1]):
            sums[row] += tables[byte, bits[row, byte]]
    return sums
