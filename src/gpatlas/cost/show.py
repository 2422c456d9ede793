"""Tables of an estimate, and of an estimate beside what happened."""

from collections.abc import Sequence

from gpatlas.cost.happened import Happened
from gpatlas.cost.machine import Machine
from gpatlas.cost.stages import Stage
from gpatlas.cost.verdict import bytes_text, peak_memory, wall_seconds


def print_estimate(stages: Sequence[Stage], machine: Machine) -> None:
    """Print a table of stages and what they come to on this machine."""
    stages = [stage for stage in stages if stage.jobs]
    if not stages:
        print("Everything is there; nothing to run.")
        return
    rows = [
        (
            stage.experiment,
            stage.name,
            str(stage.jobs),
            duration(stage.seconds) + " (GPU)" * stage.on_gpu,
            bytes_text(stage.memory),
            bytes_text(stage.disk),
        )
        for stage in stages
    ]
    print_table(("experiment", "stage", "jobs", "time of one core", "memory", "disk"), rows)
    cores = f"{machine.cores} core{'s' * (machine.cores > 1)}"
    where = f"{cores} and {machine.gpu}" if any(stage.on_gpu for stage in stages) else cores
    print(
        f"Estimate: {duration(wall_seconds(stages, machine))} on {where}, "
        f"{bytes_text(peak_memory(stages, machine))} of memory at once, "
        f"{bytes_text(sum(stage.disk for stage in stages))} of disk."
    )


def print_comparison(stages: Sequence[Stage], happened: dict[str, Happened], wall: float, machine: Machine) -> None:
    """Print a table of what was predicted for the stages of one experiment, and what happened."""
    rows = []
    for stage in stages:
        real = happened.get(stage.name)
        if real is None or not real.jobs:
            continue
        part = real.jobs / stage.jobs  # of a run that is not complete
        rows.append(
            (
                stage.experiment,
                stage.name,
                f"{real.jobs} of {stage.jobs}",
                *_beside(part * stage.seconds, real.seconds, duration),
                *_beside(stage.memory, real.memory, bytes_text),
                *_beside(part * stage.disk, real.disk, bytes_text),
            )
        )
    columns = ("experiment", "stage", "jobs", "time of one core", "happened", "ratio")
    print_table((*columns, "memory", "happened", "ratio", "disk", "happened", "ratio"), rows)
    predicted = wall_seconds(stages, machine)
    print(
        f"Estimate: {duration(predicted)} on {machine.cores} core{'s' * (machine.cores > 1)}; "
        f"from first product to last: {duration(wall)} ({predicted / max(wall, 1e-9):.2f} times), jobs of other "
        f"experiments and pauses in between included."
    )


def duration(seconds: float) -> str:
    """Say a time the way one would, e.g. 45 s, 3 min, 2.5 h, 4 days."""
    for limit, unit, text in ((90, 1, "s"), (5400, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            value = seconds / unit
            return f"{value:.0f} {text}" if value >= 10 or unit == 1 else f"{value:.1f} {text}"
    return f"{seconds / 86_400:.1f} days"


def _beside(predicted: float, real: float, text) -> tuple[str, str, str]:  # type: ignore[no-untyped-def]
    return text(predicted), text(real), f"{predicted / real:.2f}" if real else "–"


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], left: int = 2) -> None:
    """Print rows of text; the first columns, of names, start at the left."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number < left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False, soft_wrap=True)
    console = console if console.is_terminal else Console(highlight=False, soft_wrap=True, width=160)
    console.print(table)
