"""Compiled passes over packed haplotypes: how often alleles occur, and the dosage of chosen loci."""

import numpy as np
from numba import njit, uint64
from numpy.typing import NDArray

compiled = njit(nogil=True, cache=True, error_model="numpy")

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
    """Return int8 `(n_individuals, n_loci)`: ones among an individual's `copies` rows, each counted `per_copy` times."""
    n = len(bits) // copies
    found = np.zeros((n, len(loci)), dtype=np.int8)
    for i in range(n):
        for row in range(i * copies, (i + 1) * copies):
            for j in range(len(loci)):
                locus = loci[j]
                found[i, j] += np.int8(per_copy) * np.int8((bits[row, locus >> 3] >> (locus & 7)) & 1)
    return found
