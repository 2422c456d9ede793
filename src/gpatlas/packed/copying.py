"""Copying a stretch of loci from one packed row to another: whole bytes, with masks at its ends."""

from typing import Any

from numba import njit, types, uint8
from numba.core import cgutils
from numba.extending import intrinsic
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
    target[j, last] = (target[j, last] & ~tail) | (source[i, last] & tail)
    _copy_bytes(source, i, target, j, first + 1, last - first - 1)


@intrinsic
def _copy_bytes(typing_context: Any, source: Any, i: Any, target: Any, j: Any, first: Any, n: Any) -> Any:
    """Copy n bytes of a row to another, from the byte `first` on: the C library's memcpy."""

    def build(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        def address(rows: int, row: int) -> Any:
            kind = signature.args[rows]
            array = context.make_array(kind)(context, builder, given[rows])
            return cgutils.get_item_pointer(context, builder, kind, array, [given[row], given[4]])

        cgutils.raw_memcpy(builder, address(2, 3), address(0, 1), given[5], 1)
        return context.get_dummy_value()

    return types.void(source, types.intp, target, types.intp, types.intp, types.intp), build
