"""What other programs cost."""

import resource
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def cpu_seconds_of(command: list[str]) -> float:
    """Run a command quietly; return its CPU seconds, user and system."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
