"""Whether a run fits this machine, and how long it takes with its cores."""

from collections.abc import Sequence
from dataclasses import replace
from heapq import nlargest
from pathlib import Path

from gpatlas.cost.machine import Machine, free_disk
from gpatlas.cost.stages import Stage

OVERHEAD_PER_JOB = 0.06  # CPU seconds of Snakemake, at pace 1
SCHEDULER = 0.06  # of a core, all the time
STARTING = 3.0  # seconds in which Snakemake reads the workflow and the disk, one core, at pace 1
LAST_STEPS = 11.0  # seconds of score, notebooks and report, one after the other, at pace 1
SPARE_DISK = 0.05  # share of what is free that is left alone


def wall_seconds(stages: Sequence[Stage], machine: Machine) -> float:
    """Seconds that a run takes: all cores at work, jobs that wait for the GPU, none shorter than its longest job."""
    jobs = [cost for stage in stages for cost in stage.costs]
    if not jobs:
        return 0.0
    on_cores = sum(cost.seconds + OVERHEAD_PER_JOB * machine.pace for cost in jobs) / (machine.cores - SCHEDULER)
    on_gpu = sum(cost.seconds * max(cost.gpu_share, 1 / machine.cores) for cost in jobs if cost.gpu_memory)
    longest = max(cost.seconds for cost in jobs)
    alone = (STARTING + LAST_STEPS * (1 - 1 / machine.cores)) * machine.pace  # the other cores have nothing to do
    return max(on_cores, on_gpu, longest) + alone


def peak_memory(stages: Sequence[Stage], machine: Machine) -> float:
    """Bytes that the largest jobs hold, as many as run at once."""
    return sum(nlargest(machine.cores, (cost.memory for stage in stages for cost in stage.costs)))


def obstacles(stages: Sequence[Stage], machine: Machine, results: Path) -> list[str]:
    """Say in a line each what does not fit: memory of a stage's largest job, of the GPU, and disk; with the way out."""
    found = []
    for stage in stages:
        if not stage.costs:
            continue
        for what, limit, held in (
            ("memory", machine.memory, [cost.memory for cost in stage.costs]),
            ("GPU memory", machine.gpu_memory, [cost.gpu_memory for cost in stage.costs]),
        ):
            if max(held) > limit:
                sizes = [cost.n_samples for cost in stage.costs]
                too_large = min(n for n, bytes_ in zip(sizes, held, strict=True) if bytes_ > limit)
                fits = max((n for n in sizes if n < too_large), default=0)
                found.append(
                    f"{stage.experiment}: {stage.name} needs {bytes_text(max(held))} of {what} for "
                    f"{sizes[held.index(max(held))]:,} samples, there are {bytes_text(limit)}; "
                    f"{_way_out(stage.name, what, fits)}"
                )
    at_once = peak_memory(stages, machine)
    if at_once > machine.memory and not found:
        fewer = range(1, machine.cores)
        cores = max(n for n in fewer if peak_memory(stages, replace(machine, cores=n)) <= machine.memory)
        found.append(
            f"{_names(stages)}: {machine.cores} jobs at once need {bytes_text(at_once)} of memory, there are "
            f"{bytes_text(machine.memory)}; run fewer at once, --cores {cores}"
        )
    disk, free = sum(stage.disk for stage in stages), free_disk(results)
    if disk > (1 - SPARE_DISK) * free:
        found.append(
            f"{_names(stages)}: {bytes_text(disk)} of disk are needed, {bytes_text(free)} are free at {results}; "
            f"make room, take fewer replicates or samples, or make {results} a link to a larger disk"
        )
    return found


def bytes_text(n: float) -> str:
    """Say a size the way one would, e.g. 85 kB, 1.2 GB."""
    for unit in ("B", "kB", "MB", "GB"):
        if n < 1000 or unit == "GB":
            return f"{n:.0f} {unit}" if n >= 10 or unit == "B" else f"{n:.1f} {unit}"
        n /= 1000
    raise AssertionError


def _names(stages: Sequence[Stage]) -> str:
    return ", ".join(dict.fromkeys(stage.experiment for stage in stages))


def _way_out(stage: str, what: str, fits: int) -> str:
    verb, _, label = stage.partition(" ")
    if verb == "simulate":
        return f"take n_samples of at most {fits:,}, or a machine with more" if fits else "take fewer samples or loci"
    smaller = f"set max_n_samples: {fits} for {label}" if fits else f"leave {label} out or make it smaller"
    return f"{smaller}, or take {'device: cpu' if what == 'GPU memory' else 'a machine with more'}"
