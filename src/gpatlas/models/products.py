"""Genotypes as estimators see them, dense or as bits: rows of them, and products with them.

Bits (`gpatlas.packed.Bits`) are read a block of rows at a time; who computes by these functions need not know.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gpatlas.packed import Bits, products

Genotypes = NDArray | Bits
_EXACT_IN_FLOAT32 = 1 << 24
_BLOCK_VALUES = 1 << 22


def rows_of(x: Genotypes, rows: NDArray[np.intp]) -> Genotypes:
    """Return some rows; of bits, without reading them."""
    return x.take(rows) if isinstance(x, Bits) else x[rows]


def row_blocks(x: Genotypes) -> Iterator[slice]:
    """Cut samples into slices of about `_BLOCK_VALUES` numbers."""
    step = max(1, _BLOCK_VALUES // max(1, x.shape[1]))
    for start in range(0, len(x), step):
        yield slice(start, min(start + step, len(x)))


def gram(x: Genotypes) -> NDArray[np.float64]:
    """Return X'X `(n_loci, n_loci)`; dosages go through float32, where their sums of products are exact integers."""
    if isinstance(x, Bits):
        return products.gram(x)
    top = max(1, int(np.abs(x).max(initial=0))) if x.dtype.kind in "iub" else 1
    exact = x.dtype.kind in "iub" and len(x) * top**2 < _EXACT_IN_FLOAT32
    total = np.zeros((x.shape[1], x.shape[1]))
    for rows in row_blocks(x):
        block: NDArray = x[rows].astype(np.float32 if exact else np.float64)
        total += block.T @ block
    return total


def centred_kernel(x: Genotypes, mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (X - mean)(X - mean)' `(n, n)`."""
    if isinstance(x, Bits):
        shift = times(x, mean[:, None])
        return products.gram_of_rows(x) - shift - shift.T + mean @ mean
    kernel = np.zeros((len(x), len(x)))
    step = max(1, _BLOCK_VALUES // len(x))
    for start in range(0, x.shape[1], step):
        block = x[:, start : start + step] - mean[start : start + step]
        kernel += block @ block.T
    return kernel


def column_sums(x: Genotypes) -> NDArray[np.float64]:
    """Return 1'X `(n_loci,)`."""
    return x.count_ones().astype(np.float64) if isinstance(x, Bits) else x.sum(axis=0, dtype=np.float64)


def times(x: Genotypes, b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return XB `(n, t)` for B `(n_loci, t)`; dense dosages become float64 a block at a time."""
    if isinstance(x, Bits):
        return products.times(x, b)
    product = np.empty((len(x), b.shape[1]))
    for rows in row_blocks(x):
        product[rows] = x[rows] @ b
    return product


def transposed_times(x: Genotypes, y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return X'Y `(n_loci, t)` for Y `(n, t)`."""
    if isinstance(x, Bits):
        return products.transposed_times(x, y)
    total = np.zeros((x.shape[1], y.shape[1]))
    for rows in row_blocks(x):
        total += x[rows].T.astype(np.float64) @ y[rows]
    return total
