"""What a run will cost on this machine, before it starts: jobs, time, memory and disk.

Times follow from the matrix products, optimiser steps and memory traffic of every fit (`Work`), held against a
matrix product timed here; the other rates were measured once. It is an estimate: networks stop early when they like.
"""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from gpatlas.config.experiment import VALIDATION_SHARE
from gpatlas.design import Design, DesignRow, dataset_path, predictions_path, tuned_path
from gpatlas.models import make, search_space
from gpatlas.models.work import Work, memory_of_fit
from gpatlas.packed import n_bytes

START_SIMULATE, START_CLASSICAL, START_TORCH = 0.3, 1.3, 3.0  # CPU seconds of a process beside its work
FIGURES_AND_REPORT = 25.0
OVERHEAD_PER_JOB = 0.3  # Snakemake
GENOTYPES_PER_SECOND = 1.0e8  # simulating five traits and writing them, one core
DATASET_OVERHEAD = 6e4  # bytes of a dataset file beside its samples
SECONDS_PER_STEP = {"cpu": 4e-4, "gpu": 2.5e-4}
BYTES_PER_SECOND = {"cpu": 1.2e10, "gpu": 2.0e11}


@dataclass(frozen=True)
class Machine:
    """What the estimate is made for: cores, their speed, and that of the GPU (0 where there is none)."""

    cores: int
    flops: float
    gpu: str | None = None
    gpu_flops: float = 0.0


@dataclass(frozen=True)
class Stage:
    """Cost of one kind of job: seconds of one core, or of the GPU; memory of the largest job; bytes."""

    experiment: str
    name: str
    jobs: int
    seconds: float
    memory: float
    disk: float
    on_gpu: bool = False


def calibrate(cores: int | None = None) -> Machine:
    """Time matrix products, on one core in float32 and, where there is one, on the GPU."""
    a = np.ones((768, 768), dtype=np.float32)
    with threadpool_limits(1):
        rate = 2 * len(a) ** 3 / min(_timed(lambda: a @ a) for _ in range(6))
    n_cores = cores or os.cpu_count() or 1
    if shutil.which("nvidia-smi") is None:
        return Machine(n_cores, rate)
    import torch

    from gpatlas.train.precision import choose_arithmetic

    if not torch.cuda.is_available():
        return Machine(n_cores, rate)
    arithmetic = choose_arithmetic("cuda")
    b = torch.ones((8192, 8192), device=arithmetic.device, dtype=arithmetic.dtype)

    def product() -> None:
        b @ b
        torch.cuda.synchronize()

    gpu_rate = 2 * len(b) ** 3 / min(_timed(product) for _ in range(4))
    return Machine(n_cores, rate, torch.cuda.get_device_name(), gpu_rate)


def estimate(design: Design, machine: Machine, results: Path | None = None) -> list[Stage]:
    """Estimate what is left to do of an experiment.

    Parameters
    ----------
    design
        The experiment.
    machine
        From `calibrate`.
    results
        Folder that holds results of experiments; jobs whose products it holds are left out.
    """
    name = design.config.experiment

    def missing(path: str) -> bool:
        return results is None or not (results / name / path).exists()

    todo = [_size(design, row) for row in design.rows if missing(dataset_path(row))]
    ploidy = design.simulation(design.rows[0]).founders.ploidy
    stored = sum(n * (_stored_genotypes(p, ploidy) + 24 * t + 8) + DATASET_OVERHEAD for n, p, t in todo)
    seconds = sum(START_SIMULATE + n * p * max(1, t / 5) / GENOTYPES_PER_SECOND for n, p, t in todo)
    held = [n * (ploidy * n_bytes(p) + _stored_genotypes(p, ploidy) + 72 * t) for n, p, t in todo]
    stages = [Stage(name, "simulate", len(todo), seconds, 7e7 + max(held, default=0), stored)]
    for label, entry in design.config.models.items():
        model = entry.model or label
        estimator = make(model, preset=entry.preset, **entry.hyperparameters)
        on_gpu = machine.gpu is not None and getattr(estimator, "device", "cpu") != "cpu"
        if entry.tune is not None:
            stages.append(_tuning(design, label, estimator, machine, missing))
        seconds = memory = disk = 0.0
        evaluation = design.config.evaluation
        held_out = evaluation.test
        if evaluation.protocol == "holdout" and estimator.uses_validation:
            held_out += evaluation.validation
        jobs = [j for j in design.jobs if label in design.models(j) and missing(predictions_path(j, label))]
        for job in jobs:
            seconds += START_TORCH if estimator.uses_validation else START_CLASSICAL
            for row in job.rows:
                n, p, t = _size(design, row)
                work = estimator.work(round((1 - held_out) * n), p, t)
                fits = _fits_per_row(design, model, t)
                seconds += fits * _seconds(work, machine, on_gpu)
                memory = max(memory, memory_of_fit(estimator, n, p, t, packed=ploidy == 1))
                splits = evaluation.n_splits if fits > 1 else 1
                disk += splits * 8.0 * t * (2 * evaluation.test * n + p)
        stages.append(Stage(name, f"fit {label}", len(jobs), seconds, memory, disk, on_gpu))
    if any(stage.jobs for stage in stages):
        stages.append(Stage(name, "figures, report", 4, FIGURES_AND_REPORT, 5e8, 5e6))
    return stages


def _tuning(design: Design, label: str, estimator: Any, machine: Machine, missing: Callable[[str], bool]) -> Stage:
    """Cost of a model's searches, were no trial stopped early.

    Raises
    ------
    ConfigError
        The model has no such search space.
    """
    entry = design.config.models[label]
    assert entry.tune is not None
    search_space(entry.model or label, entry.tune.space)
    rows = [row for job in design.jobs if label in design.models(job) for row in design.tuned_rows(job, label)]
    rows = [row for row in rows if missing(tuned_path(row, label))]
    evaluation = design.config.evaluation
    fitted = 1 - evaluation.test - evaluation.validation
    if evaluation.protocol == "published":
        fitted = (1 - evaluation.test) * (1 - VALIDATION_SHARE)
    seconds = memory = 0.0
    for n, p, t in (_size(design, row) for row in rows):
        fit = seconds_of_fit(estimator, round(fitted * n), p, t, machine)
        seconds += START_TORCH + entry.tune.n_trials * fit
        memory = max(memory, estimator.work(n, p, t).memory)
    on_gpu = machine.gpu is not None and getattr(estimator, "device", "cpu") != "cpu"
    return Stage(design.config.experiment, f"tune {label}", len(rows), seconds, memory, 1e5 * len(rows), on_gpu)


def seconds_of_fit(estimator: Any, n_samples: int, n_loci: int, n_traits: int, machine: Machine) -> float:
    """Estimate the seconds of fitting one estimator to so many samples, on a core or, if it takes one, the GPU."""
    work = estimator.work(n_samples, n_loci, n_traits)
    return _seconds(work, machine, machine.gpu is not None and getattr(estimator, "device", "cpu") != "cpu")


def print_estimate(experiments: list[list[Stage]], machine: Machine) -> None:
    """Print a table of stages and what they come to on this machine."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("experiment", "stage", "jobs", "time of one core", "memory", "disk"):
        table.add_column(column, justify="left" if column in ("experiment", "stage") else "right", no_wrap=True)
    stages = [stage for experiment in experiments for stage in experiment if stage.jobs]
    for stage in stages:
        on = " (GPU)" if stage.on_gpu else ""
        cells = (
            str(stage.jobs),
            duration(stage.seconds) + on,
            _size_text(stage.memory),
            _size_text(stage.disk),
        )
        table.add_row(stage.experiment, stage.name, *cells)
    console = Console(highlight=False)
    if not stages:
        console.print("Everything is there; nothing to run.")
        return
    console.print(table)
    cpu = sum(s.seconds + OVERHEAD_PER_JOB * s.jobs for s in stages if not s.on_gpu)
    gpu = sum(s.seconds for s in stages if s.on_gpu)
    wall = max(cpu / machine.cores, gpu)
    where = f"{machine.cores} core{'s' * (machine.cores > 1)}" + (f" and {machine.gpu}" if machine.gpu else "")
    disk = sum(stage.disk for stage in stages)
    console.print(f"Estimate: {duration(wall)} on {where}, {_size_text(disk)} of disk.", soft_wrap=True)
    free = shutil.disk_usage(Path.cwd()).free
    if disk > 0.95 * free:
        console.print(f"[bold]Only {_size_text(free)} of disk are free here.[/bold]", soft_wrap=True)


def duration(seconds: float) -> str:
    """Say a time the way one would, e.g. 45 s, 3 min, 2.5 h, 4 days."""
    for limit, unit, text in ((90, 1, "s"), (5400, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            value = seconds / unit
            return f"{value:.0f} {text}" if value >= 10 or unit == 1 else f"{value:.1f} {text}"
    return f"{seconds / 86_400:.1f} days"


def _seconds(work: Work, machine: Machine, on_gpu: bool) -> float:
    device, rate = ("gpu", 0.5 * machine.gpu_flops) if on_gpu else ("cpu", machine.flops)
    return work.flops / rate + work.steps * SECONDS_PER_STEP[device] + work.traffic / BYTES_PER_SECOND[device]


def _fits_per_row(design: Design, model: str, n_traits: int) -> int:
    evaluation = design.config.evaluation
    if evaluation.protocol == "published" and model == "rrblup":
        return evaluation.n_splits * (n_traits if evaluation.splits == "published" else 1)
    return 1


def _size(design: Design, row: DesignRow) -> tuple[int, int, int]:
    """Samples, loci and traits of a row."""
    simulation = design.simulation(row)
    return simulation.founders.n_individuals, simulation.founders.n_loci, simulation.n_traits


def _stored_genotypes(n_loci: int, ploidy: int) -> int:
    """Bytes of one sample's genotypes: bits in haploids, a byte for each locus otherwise."""
    return n_bytes(n_loci) if ploidy == 1 else n_loci


def _timed(call) -> float:  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _size_text(n: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if n < 1000 or unit == "GB":
            return f"{n:.0f} {unit}" if n >= 10 or unit == "B" else f"{n:.1f} {unit}"
        n /= 1000
    raise AssertionError
