"""What a machine can do: measured here in a few seconds, or taken from a machine that is described.

Rates of one core are timed by its processor time, so that other work on the machine does not count as slowness.
"""

import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from gpatlas.memory import total_memory

# CPU seconds of importing what `gpatlas fit` needs of a classical model, on the machine where the rates that are not
# measured (simulating, drawing, Snakemake) were taken; the same import here tells how much slower this one is
REFERENCE_START = 1.05
CLASSICAL_IMPORTS = "import h5py, gpatlas.cli.fit, gpatlas.fitting, gpatlas.models.rrblup, gpatlas.io.predictions"

TRAFFIC = 0.2  # rate of the short passes that fits make over memory, in that of one long pass


@dataclass(frozen=True)
class Machine:
    """What the estimate is made for; rates are of one core.

    Parameters
    ----------
    cores
        That jobs may use.
    flops, flops64
        Of matrix products in single and double precision, 1/s.
    gpu, gpu_flops
        Name and rate of the GPU; None and 0 where there is none.
    eigen
        Cubed rows of symmetric eigendecompositions in double precision, 1/s.
    bandwidth
        Bytes per second of what models count as traffic.
    step, gpu_step
        Seconds of an optimiser step of a network too small to matter.
    start_torch
        CPU seconds of starting a process with torch.
    pace
        Time of everything else, in that of the machine where it was measured.
    memory, gpu_memory
        Bytes.
    """

    cores: int
    flops: float
    gpu: str | None = None
    gpu_flops: float = 0.0
    flops64: float = 4.8e10
    eigen: float = 6.5e9
    bandwidth: float = 1.2e10
    step: float = 3e-4
    gpu_step: float = 2.5e-4
    start_torch: float = 2.7
    pace: float = 1.0
    memory: float = float("inf")
    gpu_memory: float = float("inf")


# A node of a cluster whose speed nobody knows: an older core and a shared file system
SLOW_NODE = Machine(
    1, 3e10, flops64=1.5e10, eigen=2e9, bandwidth=4e9, step=1.2e-3, gpu_step=5e-4, start_torch=30.0, pace=4.0
)
T4 = replace(SLOW_NODE, gpu="T4", gpu_flops=2.5e13, gpu_step=4e-4, gpu_memory=1.6e10)


def calibrate(cores: int | None = None, *, processes: bool = True, torch: bool = True) -> Machine:
    """Measure this machine: matrix products and eigendecompositions, memory, processes that start, optimiser steps.

    Parameters
    ----------
    cores
        That jobs may use; None is all of them.
    processes
        Whether to time processes that start, which takes most of the time.
    torch
        Whether to time what networks need: a process with torch, optimiser steps and, where there is one, the GPU.
    """
    with threadpool_limits(1):
        a, b = (np.ones((640, 640), dtype=dtype) for dtype in (np.float32, np.float64))
        symmetric = np.random.default_rng(0).standard_normal((300, 300))
        symmetric += symmetric.T
        vector = np.ones(1 << 25)  # more than any cache holds
        machine = Machine(
            cores or usable_cores(),
            flops=2 * len(a) ** 3 / _cpu_seconds(lambda: a @ a),
            flops64=2 * len(b) ** 3 / _cpu_seconds(lambda: b @ b),
            eigen=len(symmetric) ** 3 / _cpu_seconds(lambda: np.linalg.eigh(symmetric)),
            bandwidth=TRAFFIC * 2 * vector.nbytes / _cpu_seconds(lambda: np.add(vector, 1.0, out=vector), 3),
            memory=total_memory(),
        )
    if processes:
        starts = [_start([sys.executable, "-c", CLASSICAL_IMPORTS])[0] for _ in range(2)]  # files are read by the first
        machine = replace(machine, pace=min(starts) / REFERENCE_START)
    if not torch:
        return machine
    cpu, words = _start([sys.executable, "-m", "gpatlas.cost.probe"])
    step, taken, *of_gpu = words
    machine = replace(machine, step=float(step), start_torch=cpu - float(taken))
    if not of_gpu:
        return machine
    gpu_step, gpu_flops, gpu_memory = map(float, of_gpu[:3])
    return replace(machine, gpu=" ".join(of_gpu[3:]), gpu_step=gpu_step, gpu_flops=gpu_flops, gpu_memory=gpu_memory)


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_disk(folder: Path) -> int:
    """Bytes that are free where a folder is, or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _cpu_seconds(call: Callable[[], object], times: int = 6) -> float:
    """Least processor time of a call, seconds."""
    taken = []
    for _ in range(times):
        start = time.thread_time()
        call()
        taken.append(time.thread_time() - start)
    return min(taken)


def _start(command: list[str]) -> tuple[float, list[str]]:
    """Processor seconds of a process, and the words that it prints."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout.split()
