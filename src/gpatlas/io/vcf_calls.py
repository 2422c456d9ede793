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
        seen = _count_whole_pairs(calls, dosage[0])
        if 0 <= seen <= 1:
            return seen
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
def _count_whole_pairs(calls: NDArray[np.int16], dosage: NDArray[np.int8]) -> int:
    """Do what `decode` does where every call is of two alleles, 0 or 1, as most often; else return another number."""
    seen = np.int16(0)
    for i in range(calls.shape[0]):
        seen |= calls[i, 0] | calls[i, 1]  # a negative one, or one beyond 1, leaves its bits
        dosage[i] = calls[i, 0] + calls[i, 1]
    return int(seen)
