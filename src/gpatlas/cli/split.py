"""`gpatlas split`: which samples of a dataset are predicted, chosen at random."""

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from gpatlas.cli import app
from gpatlas.cli.measure import write_runtime
from gpatlas.config import FoldsSpec
from gpatlas.dataset import Fold
from gpatlas.errors import ConfigError, DataError
from gpatlas.io import read_dataset, write_dataset
from gpatlas.seeding import stable_seed
from gpatlas.simulate.folds import assign_folds


@app.command()
def split(
    file: Annotated[Path, typer.Argument(help="Dataset file (HDF5).")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Dataset file to write.")],
    test: Annotated[float, typer.Option(help="Share of samples that is predicted once.")] = 0.2,
    validation: Annotated[float, typer.Option(help="Share of samples for selection: early stopping, tuning.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another split.")] = 1,
    size: Annotated[
        str | None, typer.Option(help="Samples x loci that the file must have, e.g. 599x1279; the workflow's check.")
    ] = None,
    runtime: Annotated[Path | None, typer.Option(help="Write what this job cost, as JSON.")] = None,
) -> None:
    """Split samples at random into train, validation and test.

    The folds go into the file, so that all models are held against the same samples.

    \b
    Example:
      gpatlas simulate config/examples/population.yaml --out population.h5
      gpatlas split population.h5 --test 0.2 --seed 3 --out split.h5
    """
    start, cpu_start = time.perf_counter(), time.process_time()
    try:
        folds = FoldsSpec(test=test, validation=validation)
    except ValueError:
        raise ConfigError(
            f"--test {test:g} --validation {validation:g}: shares of samples, of which --test is positive and which "
            "leave some to train on"
        ) from None
    dataset = read_dataset(file, lazy=True)
    _check_size(file, dataset.n_samples, dataset.n_loci, size)
    fold = assign_folds(dataset.n_samples, folds, np.random.default_rng(stable_seed(seed, "split")))
    provenance = {**dataset.provenance, "split": {"test": test, "validation": validation, "seed": str(seed)}}
    write_dataset(replace(dataset, fold=fold, provenance=provenance), out)
    took = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu_start}
    write_runtime(runtime, stage="split", n_rows=1, **took)
    counts = ", ".join(f"{(fold == f).sum():,} {f.name}" for f in Fold)
    print(f"{out}: {dataset.n_samples:,} samples × {dataset.n_loci:,} loci; {counts}")


def _check_size(file: Path, n_samples: int, n_loci: int, size: str | None) -> None:
    if size is None:
        return
    if (wanted := re.fullmatch(r"(\d+)x(\d+)", size)) is None:
        raise ConfigError(f"--size {size}: expected samples x loci, e.g. 599x1279")
    if (n_samples, n_loci) != (int(wanted[1]), int(wanted[2])):
        raise DataError(
            f"{file} has {n_samples} samples × {n_loci} loci, not {wanted[1]} × {wanted[2]}; in a configuration, "
            f"write n_samples: {n_samples} and n_markers: {n_loci}"
        )
