"""A generation of random crosses: ours beside AlphaSimR's `randCross` and ChromaX's `random_crosses`.

Ours and AlphaSimR's do the same: crossovers with gamma interference, half a diallel, ids and parents kept. ChromaX has
neither interference nor a pedigree. Each side is warm and reports the least of ten rounds.
"""

import shutil
import subprocess
import sys
import time

import numpy as np

from gpatlas.simulate import quick_haplo, rand_cross
from tests.benchmarks.processes import ROOT

N_PARENTS, N_PROGENY, N_CHROMOSOMES, N_SITES = 100, 1_000, 10, 1_000
SIZE = [str(n) for n in (N_PARENTS, N_PROGENY, N_CHROMOSOMES, N_SITES)]
HERE = ROOT / "tests" / "benchmarks"


def compare(pythons: list[str]) -> list[tuple]:
    """Rows of (name, CPU seconds, how many times as fast we are)."""
    ours, rows = _ours(), []
    if shutil.which("Rscript"):
        rows.append(("AlphaSimR randCross", _printed(["Rscript", str(HERE / "breed_alphasimr.R"), *SIZE])))
    rows += [
        ("ChromaX random_crosses", _printed([python, str(HERE / "breed_chromax.py"), *SIZE])) for python in pythons
    ]
    return [("ours, rand_cross", ours, None), *((name, seconds, seconds / ours) for name, seconds in rows)]


def _ours() -> float:
    rng = np.random.default_rng(1)
    parents = quick_haplo(N_PARENTS, [N_SITES] * N_CHROMOSOMES, rng, ploidy=2)
    rand_cross(parents, N_PROGENY, rng)  # loads and compiles
    seconds = []
    for _ in range(10):
        start = time.process_time()
        rand_cross(parents, N_PROGENY, rng)
        seconds.append(time.process_time() - start)
    return min(seconds)


def _printed(command: list[str]) -> float:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr.strip().splitlines()[-1]}")
    return float(done.stdout.split()[-1])
