"""`gpatlas gpfn train`: a checkpoint from a recipe."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpatlas.cli.gpfn import gpfn
from gpatlas.cli.measure import cpu_seconds, write_runtime
from gpatlas.cli.progress import progress
from gpatlas.errors import ConfigError

if TYPE_CHECKING:
    from gpatlas.gpfn.draws import Draws
    from gpatlas.gpfn.schedule import Schedule
    from gpatlas.train.state import State

_FIRST_STEPS = 5  # that an estimate of the time is made from


@gpfn.command()
def train(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the checkpoint, its curves and its state.")],
    file: Annotated[Path | None, typer.Argument(help="YAML of a recipe, or of an experiment with recipes.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Which of the experiment's recipes.")] = None,
    recipe_text: Annotated[str | None, typer.Option(help="The recipe itself, as JSON or YAML.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes that draw populations meanwhile; none: half of the cores.")
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Take draws from a cache (`gpatlas gpfn draw`) instead.")] = None,
    queue: Annotated[Path | None, typer.Option(help="Take draws from a queue (`gpatlas gpfn draw --queue`).")] = None,
    capacity: Annotated[
        int | None,
        typer.Option(min=2, help="Batches that a queue holds at most: whoever opens it first says, else 64."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    replace: Annotated[
        bool, typer.Option("--replace", help="Start anew where the folder is of another recipe, instead of refusing.")
    ] = False,
    runtime: Annotated[Path | None, typer.Option(help="Write what this job cost, as JSON.")] = None,
) -> None:
    """Train a network on draws of a prior.

    The same recipe gives the same checkpoint, whether draws are made meanwhile, cached or queued, and however often
    training was interrupted: start the same command again and it goes on. Several processes share every batch by
    `torchrun --nproc_per_node N -m gpatlas gpfn train …`.

    \b
    Example:
      gpatlas gpfn train config/recipes/small.yaml --out small
    """
    import torch

    from gpatlas.cli.recipes import read_recipe
    from gpatlas.cost import duration
    from gpatlas.gpfn.outcome import write_curves, write_trained
    from gpatlas.gpfn.schedule import Schedule
    from gpatlas.gpfn.training import train
    from gpatlas.train.precision import choose_arithmetic

    spec = read_recipe(file, recipe, recipe_text)
    schedule = Schedule(spec)
    try:
        arithmetic = choose_arithmetic(device, "f32")
    except ValueError as error:
        raise ConfigError(f"--device: {error}") from None
    leads = os.environ.get("RANK", "0") == "0"
    draws, every = _draws(schedule, workers, cache, queue, capacity, leads)
    if arithmetic.device.type == "cpu":  # threads of so small matrices wait for each other, and would change bits
        torch.set_num_threads(1)
    start, cpu_start = time.perf_counter(), cpu_seconds()
    first: list[tuple[int, float]] = []

    def report(state: "State") -> None:
        if not leads:
            return
        first.append((state.batch, time.perf_counter()))
        if len(first) == _FIRST_STEPS + 1:
            per_step = (first[-1][1] - first[0][1]) / _FIRST_STEPS
            print(f"{out}: about {duration(per_step * (spec.n_batches - state.batch))} on {arithmetic.describe()}")
        say(state.batch, spec.n_batches, _note(state))
        if state.losses and state.losses[-1][0] == state.batch:
            write_curves(state, spec, out)

    with progress("train") as say:
        state = train(spec, draws, out, arithmetic, report, every, replace)
    if not leads:
        return
    with progress("intervals") as say:
        path, factor = write_trained(state, spec, out, lambda done, total: say(done, total, ""))
    seconds = {"seconds": time.perf_counter() - start, "cpu_seconds": cpu_seconds() - cpu_start}
    write_runtime(runtime, stage="pretrain", n_rows=1, device=arithmetic.describe(), **seconds)
    print(
        f"{path}: {sum(p.numel() for p in state.network.parameters()):,} weights, {state.batch * spec.batch_size:,} "
        f"draws, {duration(state.seconds)}; {_note(state)}, before their widths were multiplied by {factor:.3f}"
    )


def _draws(
    schedule: "Schedule",
    workers: int | None,
    cache: Path | None,
    queue: Path | None,
    capacity: int | None,
    leads: bool,
) -> tuple["Draws", int]:
    """Return where batches come from, and the most steps between two checkpoints."""
    from gpatlas.gpfn.draws import Cached, Here, Queued
    from gpatlas.gpfn.queue import Queue

    if cache is not None and queue is not None:
        raise ConfigError("draws come from a --cache or from a --queue, not from both")
    if capacity is not None and queue is None:
        raise ConfigError(f"--capacity {capacity} is that of a queue; give --queue, too")
    every = schedule.spec.checkpoint_every
    if cache is not None:
        return Cached(cache, schedule), every
    if queue is not None:
        of_batches = Queue(queue, schedule, capacity)
        return Queued(of_batches, leads), min(every, max(1, of_batches.capacity // 2))
    return Here(schedule, max(1, (os.cpu_count() or 1) // 2) if workers is None else workers), every


def _note(state: "State") -> str:
    if not state.validations:
        return "steps"
    rows = [row for row in state.validations if row["batch"] == state.validations[-1]["batch"]]
    accuracy, coverage = (sum(row[key] for row in rows) / len(rows) for key in ("accuracy", "coverage"))
    return f"accuracy {accuracy:.3f}, 90 % intervals hold {100 * coverage:.0f} %"
