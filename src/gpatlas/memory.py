"""How much memory there is for this process, so that what cannot fit is refused before it starts."""

import os
from pathlib import Path

_CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_MEMINFO = Path("/proc/meminfo")


def available_memory() -> float:
    """Return bytes that this process may take: what is free or can be freed, within the limit of its container.

    Where the system does not say what is free (macOS), it is all memory of the machine.
    """
    return min([_free(), *_limits()])


def total_memory() -> float:
    """Return bytes of memory of this machine, or of the container that we are in."""
    return min([float(os.sysconf("SC_PAGE_SIZE")) * os.sysconf("SC_PHYS_PAGES"), *_limits()])


def _limits() -> list[float]:
    return [float(path.read_text()) for path in _CGROUP_LIMITS if path.exists() and path.read_text().strip() != "max"]


def _free() -> float:
    if _MEMINFO.exists():
        for line in _MEMINFO.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return float(line.split()[1]) * 1024
    return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
