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
from gpatlas.simulate.folds import assign_folds, phenotype_few


@app.command()
def split(
    file: Annotated[Path, typer.Argument(help="Dataset file (HDF5).")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Dataset file to write.")],
    test: Annotated[float, typer.Option(help="Share of samples that is predicted once.")] = 0.2,
    validation: Annotated[float, typer.Option(help="Share of samples for selection: early stopping, tuning.")] = 0.0,
    phenotyped: Annotated[
        int | None,
        typer.Option(min=1, help="Samples beside the test's that keep their phenotypes; --validation is their share."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another split.")] = 1,
    size: Annotated[
        str | None, typer.Option(help="Samples x loci that the file must have, e.g. 599x1279; the workflow's check.")
    ] = None,
    runtime: Annotated[Path | None, typer.Option(help="Write what this job cost, as JSON.")] = None,
) -> None:
    """Split samples at random into train, validation and test.

    The folds go into the file, so that all models are held against the same samples. With --phenotyped 50 the
    phenotypes of all training samples but 50 are left out: what would be, had they not been grown. The same seed and
    fewer phenotyped samples give the same test samples, and some of the phenotyped ones.

    \b
    Example:
      gpatlas simulate config/examples/population.yaml --out population.h5
      gpatlas split population.h5 --test 0.2 --seed 3 --out split.h5
    """
    start, cpu_start = time.perf_counter(), time.process_time()
    try:
        folds = FoldsSpec(test=test, validation=0.0 if phenotyped else validation)
    except ValueError:
        raise ConfigError(
            f"--test {test:g} --validation {validation:g}: shares of samples, of which --test is positive and which "
            "leave some to train on"
        ) from None
    dataset = read_dataset(file, lazy=True)
    _check_size(file, dataset.n_samples, dataset.n_loci, size)
    rng = np.random.default_rng(stable_seed(seed, "split"))
    record = {"test": test, "validation": validation, "seed": str(seed)}
    if phenotyped is None:
        fold, phenotypes = assign_folds(dataset.n_samples, folds, rng), dataset.phenotypes
    else:
        measured = np.asarray(np.isfinite(dataset.phenotypes).any(axis=1))
        few = phenotype_few(dataset.n_samples, phenotyped, test, validation, rng, measured)
        fold, phenotypes = few.fold, np.where(few.silent[:, None], np.nan, dataset.phenotypes)
        record["phenotyped"] = phenotyped
    provenance = {**dataset.provenance, "split": record}
    write_dataset(replace(dataset, fold=fold, phenotypes=phenotypes, provenance=provenance), out)
    took = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu_start}
    write_runtime(runtime, stage="split", n_rows=1, **took)
    counts = ", ".join(f"{(fold == f).sum():,} {f.name}" for f in Fold)
    without = "" if phenotyped is None else f", of which {few.silent.sum():,} without phenotypes"
    print(f"{out}: {dataset.n_samples:,} samples × {dataset.n_loci:,} loci; {counts}{without}")


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
