"""How many calls of two samples differ: 64 loci at a time, and no further than it takes to know that too many do.

Dosages lie as planes of bits, one for each binary digit and the last for "called": two calls differ where any digit
does and both are called. Samples that are no twins part after a few hundred loci.
"""

import numpy as np
from numba import njit, uint64
from numpy.typing import NDArray

from gpatlas.encoding import MISSING
from gpatlas.packed.kernels import count_ones

compiled = njit(nogil=True, cache=True, error_model="numpy")
_WORDS_AT_ONCE = 4  # between looks at the budget


def planes(dosage: NDArray[np.int8], ploidy: int) -> NDArray[np.uint64]:
    """Turn dosage `(n_samples, n_loci)` into words `(n_samples, n_planes, ceil(n_loci / 64))`."""
    called = dosage != MISSING
    digits = [(dosage >> k) & 1 & called for k in range(max(ploidy, 1).bit_length())]
    n, p = dosage.shape
    words = np.zeros((n, len(digits) + 1, -(-p // 64)), dtype=np.uint64)
    as_bytes = words.view(np.uint8)
    for k, plane in enumerate([*digits, called]):
        packed = np.packbits(plane, axis=1, bitorder="little")
        as_bytes[:, k, : packed.shape[1]] = packed
    return words


@compiled
def identity_with(one: NDArray, others: NDArray, most_different: float, least_called: float, found: NDArray) -> None:
    """Write the share of equal calls of one sample with each of the others, or -1 where too few calls are equal.

    Parameters
    ----------
    one, others
        Planes `(n_planes, n_words)` and `(n_others, n_planes, n_words)`.
    most_different
        Calls that may differ.
    least_called
        Loci that both must have called.
    found
        float64 `(n_others,)`, filled.
    """
    n_digits, n_words = one.shape[0] - 1, one.shape[1]
    for j in range(len(others)):
        different, called, found[j] = 0, 0, -1.0
        for start in range(0, n_words, _WORDS_AT_ONCE):
            for w in range(start, min(start + _WORDS_AT_ONCE, n_words)):
                both = one[n_digits, w] & others[j, n_digits, w]
                differs = uint64(0)
                for k in range(n_digits):
                    differs |= one[k, w] ^ others[j, k, w]
                different += count_ones(differs & both)
                called += count_ones(both)
            if different > most_different:
                break
        if different <= most_different and called >= least_called:
            found[j] = 1.0 - different / called
