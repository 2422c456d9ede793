"""Simulation, hashing, rrBLUP and its prediction from the dataset file: wall and CPU seconds, and peak memory.

Every stage runs in a fresh process, so that each has its own peak. The published protocol in scikit-learn stands
beside ours where its size allows.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gpatlas.config import EvaluationSpec
from gpatlas.fitting import fit_dataset
from gpatlas.io import read_dataset, write_dataset
from gpatlas.models.ridge_splits import random_splits
from gpatlas.simulate import simulate
from tests.benchmarks.cells import spec

PEER_GENOTYPES = 2e5  # scikit-learn takes minutes beyond
STAGES = {
    "simulate": "simulate five traits and write them",
    "hash": "content hash from disk",
    "fit": "rrBLUP by REML, one split, and prediction",
    "splits": "rrBLUP by GCV, ten splits shared by five traits",
    "peer": "scikit-learn RidgeCV, the same ten splits",
}


def compare(n_samples: int, n_loci: int) -> list[tuple]:
    """Rows of (stage, wall seconds, CPU seconds, peak in MB)."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "d.h5"
        for stage, name in STAGES.items():
            if stage == "peer" and n_samples * n_loci > PEER_GENOTYPES:
                continue
            command = [sys.executable, "-m", "tests.benchmarks.scale", stage, str(path), str(n_samples), str(n_loci)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            rows.append((name, *json.loads(done.stdout)))
    return rows


def _stage(stage: str, path: Path, n_samples: int, n_loci: int) -> None:
    if stage == "simulate":
        write_dataset(simulate(spec(n_samples, n_loci), 1), path)
        return
    data = read_dataset(path, lazy=True)
    if stage == "hash":
        assert len(data.content_hash) == 32
    elif stage == "fit":
        fit_dataset(data, "rrblup", {}, EvaluationSpec(), 1)
    elif stage == "splits":
        fit_dataset(data, "rrblup", {"penalty": "gcv"}, EvaluationSpec(protocol="published", splits="shared"), 1)
    else:
        from tests.benchmarks import peers  # loads torch, which is no part of the other stages' memory

        splits = random_splits(n_samples, data.n_traits, 10, 0.15, seed=1)
        peers.ridge_protocol(data.dosage(), data.phenotypes, splits)


def main() -> None:
    start, cpu_start = time.perf_counter(), time.process_time()
    stage, path, n_samples, n_loci = sys.argv[1:]
    _stage(stage, Path(path), int(n_samples), int(n_loci))
    print(json.dumps([time.perf_counter() - start, time.process_time() - cpu_start, peak_memory() / 1e6]))


def peak_memory() -> float:
    """Bytes; from Linux's own count, as `getrusage` hands a child its parent's peak there."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024.0 * int(status.read_text().split("VmHWM:")[1].split()[0])
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    main()
