"""Copying a stretch of loci from one packed row to another: whole bytes, with masks at its ends."""

from numba import njit, uint8
from numpy.typing import NDArray


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def copy_bits(source: NDArray, i: int, target: NDArray, j: int, start: int, stop: int) -> None:
    """Copy loci `start` … `stop - 1` of the source's row i to the target's row j, whose other loci stay as they are."""
    if stop <= start:
        return
    first, last = start >> 3, (stop - 1) >> 3
    head = uint8(0xFF << (start & 7))
    tail = uint8(0xFF >> (7 - ((stop - 1) & 7)))
    if first == last:
        head &= tail
        target[j, first] = (target[j, first] & ~head) | (source[i, first] & head)
        return
    target[j, first] = (target[j, first] & ~head) | (source[i, first] & head)
    for byte in range(first + 1, last):
        target[j, byte] = source[i, byte]
    target[j, last] = (target[j, last] & ~tail) | (source[i, last] & tail)
