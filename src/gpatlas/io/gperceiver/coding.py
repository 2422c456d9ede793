"""gperceiver's numbers for calls, beside ours.

There a missing allele is allele 0 and the others are 1, …, k: a code is the place of a call among the sorted
combinations with replacement of 0, …, k. Code 0 is the call of which all alleles are missing, then come those of which
some are, then the whole ones, in the order of our codes (`gpatlas.alleles`). Diploid with two alleles:

    gperceiver  0 [0 0]   1 [0 1]   2 [0 2]   3 [1 1]   4 [1 2]   5 [2 2]
    ours        0         -         -         1         2         3
"""

from math import comb

import numpy as np
from numpy.typing import NDArray

from gpatlas.alleles import MISSING_CODE


def n_partial(ploidy: int, n_alleles: int) -> int:
    """Return how many codes are of calls with some alleles missing but not all, C(k + p - 1, p - 1) - 1."""
    return comb(n_alleles + ploidy - 1, ploidy - 1) - 1


def of_gperceiver(numbers: NDArray, ploidy: int, n_alleles: int) -> tuple[NDArray[np.int16], int]:
    """Return our codes of gperceiver's, and how many calls with some alleles missing became missing ones."""
    partial = n_partial(ploidy, n_alleles)
    codes = np.where(numbers > partial, numbers - partial, MISSING_CODE).astype(np.int16)
    return codes, int(((numbers > 0) & (numbers <= partial)).sum())


def to_gperceiver(codes: NDArray[np.int16], ploidy: int, n_alleles: int) -> NDArray[np.int64]:
    """Return gperceiver's codes of ours."""
    return np.where(codes == MISSING_CODE, 0, codes + np.int64(n_partial(ploidy, n_alleles)))
