"""What a job cost: written beside its result, gathered into runtimes.csv."""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from gpatlas.io.atomic import atomic_path

_STARTED = time.perf_counter()


def write_runtime(path: Path | None, **what: Any) -> None:
    """Write a JSON line with wall and CPU seconds and peak memory of this process so far."""
    if path is None:
        return
    own, children = _usage()
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes there, in KiB elsewhere
    record = {
        **what,
        "process_seconds": round(time.perf_counter() - _STARTED, 3),
        "process_cpu_seconds": round(cpu_seconds(), 3),
        "max_rss_mb": round(max(own.ru_maxrss, children.ru_maxrss) * unit / 1e6, 1),
    }
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(record, sort_keys=True) + "\n", encoding="utf-8")


def cpu_seconds() -> float:
    """CPU seconds of this process so far, and of the processes that it started and that have ended."""
    return sum(used.ru_utime + used.ru_stime for used in _usage())


def _usage() -> list[resource.struct_rusage]:
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
