"""Products with a matrix of bits X `(n, p)`, read in blocks of rows: X'X, XX', XB and X'Y.

Counts of ones are integers and exact. Large problems go to compiled kernels (`gpatlas.packed.kernels`), small ones,
and all where Numba is missing, through NumPy; the two differ in the rounding of float64 sums (about 1e-15), no more.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.packed.bits import Bits

GRAM_WORTH_COMPILING = 2e10  # multiplications that NumPy does in the time that loading the kernels takes
PRODUCT_WORTH_COMPILING = 1e8  # genotypes that it unpacks in that time


def gram(bits: Bits) -> NDArray[np.float64]:
    """Return X'X `(p, p)`: how often two loci are both one; exact below 2^53."""
    n, p = bits.shape
    if kernels := _kernels(1.0 * n * p * p, GRAM_WORTH_COMPILING):
        return kernels.gram(bits)
    total = np.zeros((p, p))
    for rows in bits.blocks():
        block = bits.unpack(rows).astype(np.float32)
        total += block.T @ block  # exact: a block has fewer than 2^24 rows
    return total


def gram_of_rows(bits: Bits) -> NDArray[np.float64]:
    """Return XX' `(n, n)`: in how many loci two rows are both one; exact."""
    n, p = bits.shape
    if kernels := _kernels(1.0 * n * n * p, GRAM_WORTH_COMPILING):
        return kernels.gram_of_rows(bits)
    total = np.zeros((n, n))
    for start in range(0, p, step := max(1, (1 << 22) // max(1, n))):
        block = bits.unpack(loci=np.arange(start, min(start + step, p))).astype(np.float32)
        total += block @ block.T
    return total


def times(bits: Bits, b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return XB `(n, t)` for B `(p, t)`."""
    n, p = bits.shape
    if kernels := _kernels(1.0 * n * p, PRODUCT_WORTH_COMPILING):
        return kernels.times(bits, b)
    product = np.empty((n, b.shape[1]))
    for rows in bits.blocks():
        product[rows] = bits.unpack(rows) @ b
    return product


def transposed_times(bits: Bits, y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return X'Y `(p, t)` for Y `(n, t)`."""
    n, p = bits.shape
    if kernels := _kernels(1.0 * n * p, PRODUCT_WORTH_COMPILING):
        return kernels.transposed_times(bits, y)
    total = np.zeros((p, y.shape[1]))
    for rows in bits.blocks():
        total += bits.unpack(rows).T.astype(np.float64) @ y[rows]
    return total


def _kernels(work: float, worth_compiling: float) -> Any:
    """Return the module of compiled kernels where the work is worth it and Numba is installed, else None."""
    if work < worth_compiling or find_spec("numba") is None:
        return None
    return import_module("gpatlas.packed.kernels")
