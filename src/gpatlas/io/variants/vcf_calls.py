"""Compiled: the calls of one VCF record to dosages of its alleles."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

HALF, HAPLOID, SHORT = 0, 1, 2  # what is counted of calls: see `decode`


@njit(nogil=True, cache=True)
def decode(calls: NDArray[np.int16], ploidy: int, dosage: NDArray[np.int8], tally: NDArray[np.int64]) -> int:
    """Count each alternative allele in each call; return the highest allele seen.

    Parameters
    ----------
    calls
        `(n_samples, alleles of a call + 1)`: 0 for REF, 1, 2, … for ALT, -1 missing, -2 where the call has fewer
        alleles; the last column (phase) is not looked at.
    ploidy
        Alleles of a whole call. One allele where two are expected (a male's X) counts as two, as PLINK does; any
        other call of too few alleles is missing, and so is one of which a part is missing ("./1").
    dosage
        `(n_alternatives, n_samples)`, filled.
    tally
        Counts of half, haploid and short calls, added to.
    """
    width = calls.shape[1] - 1
    n_alternatives = dosage.shape[0]
    if width == 2 and ploidy == 2 and n_alternatives == 1:
        lowest, highest, halves = _count_pairs(calls, dosage[0])
        if lowest > -2 and highest < 2:
            tally[0] += halves
            return max(highest, 0)
    highest = 0
    for i in range(calls.shape[0]):
        present = missing = 0
        for j in range(width):
            allele = calls[i, j]
            present += allele != -2
            missing += allele == -1
            highest = max(highest, allele)
        single = present == 1 and ploidy == 2
        if missing == 0 and (present == ploidy or single):
            tally[1] += single
            for k in range(n_alternatives):
                dosage[k, i] = 0
            for j in range(width):
                allele = calls[i, j]
                if 0 < allele <= n_alternatives:
                    dosage[allele - 1, i] += 2 if single else 1
        else:
            for k in range(n_alternatives):
                dosage[k, i] = -1
            tally[0] += 0 < missing < present
            tally[2] += missing == 0 and present > 0
    return highest


@njit(nogil=True, cache=True)
def _count_pairs(calls: NDArray[np.int16], dosage: NDArray[np.int8]) -> tuple[int, int, int]:
    """Do what `decode` does where every call is of two alleles, each 0, 1 or missing, as most often: without a branch.

    Returns
    -------
    lowest, highest
        Alleles seen; below -1 or beyond 1, what was filled in is wrong.
    halves
        Number of half calls.
    """
    lowest, highest, halves = np.int16(0), np.int16(-1), np.int32(0)
    for i in range(calls.shape[0]):
        a, b = calls[i, 0], calls[i, 1]
        dosage[i] = (a + b) | ((a | b) >> 15)  # where one is missing, the sign shifted over all bits: -1
        halves += (a ^ b) < 0
        lowest, highest = min(lowest, a, b), max(highest, a, b)
    return int(lowest), int(highest), int(halves)
