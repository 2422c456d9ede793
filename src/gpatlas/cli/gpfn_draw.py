"""`gpatlas gpfn draw`: populations to train on, into a cache or a queue."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from gpatlas.cli.gpfn import gpfn
from gpatlas.cli.measure import cpu_seconds, write_runtime
from gpatlas.cli.progress import progress
from gpatlas.errors import ConfigError
from gpatlas.wording import several


@gpfn.command()
def draw(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the cache, or of the queue.")],
    file: Annotated[Path | None, typer.Argument(help="YAML of a recipe, or of an experiment with recipes.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Which of the experiment's recipes.")] = None,
    recipe_text: Annotated[str | None, typer.Option(help="The recipe itself, as JSON or YAML.")] = None,
    shard: Annotated[str, typer.Option(help="Part of the cache to draw, e.g. 2/8: the second of eight.")] = "1/1",
    queue: Annotated[
        bool, typer.Option("--queue", help="Fill a queue that training empties, until it has all that it needs.")
    ] = False,
    capacity: Annotated[
        int | None,
        typer.Option(min=2, help="Batches that a queue holds at most: whoever opens it first says, else 64."),
    ] = None,
    mpi: Annotated[bool, typer.Option("--mpi", help="Share the work among the ranks of MPI (mpi4py.futures).")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Start anew where the folder is of another recipe, instead of refusing.")
    ] = False,
    runtime: Annotated[Path | None, typer.Option(help="Write what this job cost, as JSON.")] = None,
) -> None:
    """Draw populations for training.

    Any number of processes may fill one folder. A cache stays and serves any number of trainings; batches that are
    there already are not drawn again. A queue is bounded; processes that draw and the one that trains may start, die
    and start again in any order.

    \b
    Example:
      gpatlas gpfn draw config/recipes/small.yaml --out draws
    """
    from gpatlas.cli.recipes import read_recipe
    from gpatlas.gpfn.batch_files import BatchFiles
    from gpatlas.gpfn.queue import Queue
    from gpatlas.gpfn.schedule import Schedule

    schedule = Schedule(read_recipe(file, recipe, recipe_text))
    start, cpu_start, n = time.perf_counter(), cpu_seconds(), schedule.spec.n_batches
    if queue and (mpi or shard != "1/1"):
        raise ConfigError("--queue goes without --shard and --mpi: start as many processes as you like")
    if capacity is not None and not queue:
        raise ConfigError(f"--capacity {capacity} is that of a queue; give --queue, too")
    if replace and queue:
        raise ConfigError("--replace is for a cache; a queue of another recipe may be in use: delete its folder")
    part, made = _part(shard, n), 0
    with progress("draw") as say:
        if queue:
            made = Queue(out, schedule, capacity).fill(lambda batch: say(batch + 1, n, "batches"))
        else:
            files = BatchFiles(out, schedule, replace)
            todo = [batch for batch in part if not files.has(batch)]
            for made, _ in enumerate(_map(files.make, todo, mpi), start=1):
                say(made, len(todo), "batches")
    seconds = {"seconds": time.perf_counter() - start, "cpu_seconds": cpu_seconds() - cpu_start}
    write_runtime(runtime, stage="draw", n_rows=made * schedule.spec.batch_size, **seconds)
    print(f"{out}: {several(made, 'batch')} of {schedule.spec.batch_size} populations drawn")


def _part(shard: str, n: int) -> range:
    """Return the batches of a part such as 2/8."""
    number, slash, count = shard.partition("/")
    if not (slash and number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count)):
        raise ConfigError(f"--shard {shard}: expected NUMBER/COUNT, such as 2/8, the second of eight")
    return range(int(number) - 1, n, int(count))


def _map(make: Callable[[int], None], todo: list[int], mpi: bool) -> Iterator[None]:
    """Make batches, here or by the ranks of MPI; yield after each. Ranks but the first end here with their work."""
    if not mpi:
        yield from map(make, todo)
        return
    try:
        from mpi4py.futures import MPICommExecutor
    except (ImportError, RuntimeError):
        raise ConfigError("--mpi needs mpi4py and an MPI library: pip install 'gpatlas[mpi]'") from None
    pool: Any
    with MPICommExecutor() as pool:
        if pool is not None:  # the first rank; the others work for it
            yield from pool.map(make, todo, unordered=True)
    if pool is None:
        raise typer.Exit
