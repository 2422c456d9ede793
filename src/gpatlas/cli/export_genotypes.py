"""`gpatlas export`: a dataset file as VCF, PLINK files or gperceiver's tables, and its phenotypes as a table."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from gpatlas.cli import app
from gpatlas.cli.progress import progress
from gpatlas.dataset import Dataset, Fold, as_text
from gpatlas.errors import ConfigError, DataError
from gpatlas.io import read_dataset

MARKERS = ".markers.tsv"


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Dataset file (HDF5).")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="File to write: .vcf, .vcf.gz, .bed, .pgen or .markers.tsv.")
    ],
    fold: Annotated[
        Literal["train", "validation", "test"] | None, typer.Option(help="Only the samples of this fold.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="Write covariates and phenotypes of the same samples too, as CSV.")
    ] = None,
    trait: Annotated[
        str | None,
        typer.Option(help="gperceiver: the trait to write, in all its environments; needed if there are more."),
    ] = None,
) -> None:
    """Write genotypes as VCF, PLINK or gperceiver's files.

    A VCF that ends in .gz is compressed as bgzip does; beside .bed or .pgen stand the files that belong to it, and
    beside x.markers.tsv, which is gperceiver's, x.chroms.tsv and x.phenotypes.tsv. What the format cannot hold is
    printed.

    \b
    Example:
      gpatlas simulate config/examples/population.yaml --out population.h5
      gpatlas export population.h5 --out population.vcf.gz --table phenotypes.csv
    """
    from gpatlas.io.variants import exporting

    writers: dict[str, Callable[..., list[str]]] = {
        ".vcf": exporting.write_vcf,
        ".vcf.gz": exporting.write_vcf,
        ".bed": exporting.write_bed,
        ".pgen": exporting.write_pgen,
        MARKERS: partial(_write_gperceiver, trait=trait),
    }
    fitting = [ending for ending in writers if out.name.endswith(ending)]
    if not fitting:
        raise ConfigError(f"--out {out}: the name says the format; known are {', '.join(writers)}")
    if trait is not None and not out.name.endswith(MARKERS):
        raise ConfigError(f"--trait {trait}: only for gperceiver's tables, --out x{MARKERS}")
    dataset = read_dataset(file, lazy=True)
    if fold is not None:
        rows = dataset.rows(Fold[fold])
        if not len(rows):
            raise DataError(f"{file}: no sample is in fold {fold}")
        dataset = dataset.samples(rows)
    with progress(f"export {out.name}") as report:
        account = writers[max(fitting, key=len)](dataset, out, report)
    for sentence in account:
        print(f"  {sentence}")
    print(f"{out}: {dataset.n_samples:,} samples × {dataset.n_loci:,} loci")
    if table is not None:
        _write_table(dataset, table)


def _write_gperceiver(dataset: Dataset, markers: Path, report: Callable[..., None], trait: str | None) -> list[str]:
    """Write the tables that belong to a table of markers, phenotypes where there are any."""
    from gpatlas.io.gperceiver import write_gperceiver

    stem = markers.name.removesuffix(MARKERS)
    chroms, phenotypes = (markers.with_name(f"{stem}.{what}.tsv") for what in ("chroms", "phenotypes"))
    with_traits = dataset.n_traits > 0 or trait is not None
    return write_gperceiver(dataset, chroms, markers, phenotypes if with_traits else None, trait, report)


def _write_table(dataset: Dataset, path: Path) -> None:
    """Write sample_id, covariates and traits; classes by their names."""
    import pandas as pd

    from gpatlas.io.tables import write_table

    columns: dict[str, Any] = {"sample_id": as_text(dataset.sample_id)}
    for names, values in ((dataset.covariate_id, dataset.covariates), (dataset.trait_id, dataset.phenotypes)):
        for name, column in zip(as_text(names).tolist(), values.T, strict=True):
            levels = dataset.levels.get(name)
            columns[name] = column if levels is None else [_level(levels, code) for code in column]
    write_table(pd.DataFrame(columns), path)
    print(f"{path}: {', '.join(list(columns)[1:]) or 'no traits'}")


def _level(levels: tuple[str, ...], code: float) -> str:
    return "" if math.isnan(code) else levels[int(code)]
