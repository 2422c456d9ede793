"""`gpatlas impute`: a dataset whose missing calls are filled in."""

import time
from pathlib import Path
from typing import Annotated

import typer

from gpatlas.cli import app
from gpatlas.cli.measure import cpu_seconds, write_runtime
from gpatlas.cli.progress import progress
from gpatlas.cli.words import say
from gpatlas.wording import several


@app.command()
def impute(
    file: Annotated[Path, typer.Argument(help="Dataset file, or any genotypes that `gpatlas import` reads.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Dataset file to write.")],
    seed: Annotated[int, typer.Option(min=0, help="Which known calls are hidden to choose neighbours by.")] = 0,
    runtime: Annotated[Path | None, typer.Option(help="Write what this job cost, as JSON.")] = None,
) -> None:
    """Fill in missing calls by nearest neighbours.

    The samples that are most alike in a window of markers around a call vote; how many, and how wide the window is, is
    chosen by hiding known calls, of which it is said how many are told right. Genotypes of all samples serve, whatever
    their fold; phenotypes are not looked at, and everything else stays as it is. Of any ploidy and number of alleles;
    phase is not needed.

    \b
    Example:
      gpatlas simulate config/examples/population.yaml --out population.h5
      gpatlas impute population.h5 --out imputed.h5
    """
    from gpatlas.cost import duration
    from gpatlas.imputing import impute as by_neighbours
    from gpatlas.io import write_dataset
    from gpatlas.io.genotypes import read_genotypes

    start, cpu_start = time.perf_counter(), cpu_seconds()
    dataset = read_genotypes(file)
    say(dataset.provenance.get("account", []))
    size = f"{dataset.n_samples:,} samples × {dataset.n_loci:,} loci"

    def announce(n_missing: int, seconds: float) -> None:
        missing = several(n_missing, "call")
        print(f"{file}: {size}, {missing} missing; estimate: {duration(seconds)} on one core", flush=True)

    with progress("impute") as report:
        found = by_neighbours(dataset, seed, announce, lambda done, total: report(done, total, "samples"))
    write_dataset(found.dataset, out)
    print(f"{out}: {size}")
    say(found.sentences)
    seconds = {"seconds": time.perf_counter() - start, "cpu_seconds": cpu_seconds() - cpu_start}
    write_runtime(runtime, stage="impute", n_rows=1, **seconds)
