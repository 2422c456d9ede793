"""Memory that training frees and takes again in every step, kept in the process meanwhile."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4  # malloc.h of glibc
_LARGEST = 1 << 25  # where glibc's own adjusting of thresholds ends


@contextmanager
def kept_memory() -> Iterator[None]:
    """Keep freed memory instead of returning it to the system: an eighth of a step of a 4096-wide network on a CPU.

    glibc maps blocks above 32 MB anew each time, and the system clears every page of them: gradients of wide layers.
    Other C libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:
        yield
        return
    mallopt(_MMAP_MAX, 0)
    mallopt(_TRIM_THRESHOLD, 2**31 - 1)
    try:
        yield
    finally:
        mallopt(_MMAP_MAX, 1 << 16)
        mallopt(_MMAP_THRESHOLD, _LARGEST)
        mallopt(_TRIM_THRESHOLD, 2 * _LARGEST)
        ctypes.CDLL(None).malloc_trim(0)
