"""`gpatlas import`: genotypes of any format, and tables that go with them, into a dataset file."""

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from gpatlas.cli import app
from gpatlas.cli.progress import progress
from gpatlas.dataset import Dataset
from gpatlas.errors import ConfigError


@app.command("import")
def import_(
    genotypes: Annotated[Path, typer.Argument(help="VCF, BCF, PLINK set or its prefix, HapMap, table, .trees, .h5.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Dataset file to write (HDF5).")],
    phenotypes: Annotated[Path | None, typer.Option(help="Table of phenotypes, one row per sample or record.")] = None,
    traits: Annotated[str | None, typer.Option(help="Columns of traits, comma-separated; default: all.")] = None,
    id_column: Annotated[str | None, typer.Option(help="Column of sample names in --phenotypes.")] = None,
    environment: Annotated[str | None, typer.Option(help="Column of environments in --phenotypes.")] = None,
    family: Annotated[str | None, typer.Option(help="Column of families in --phenotypes.")] = None,
    covariates: Annotated[
        str | None,
        typer.Option(help="Table of covariates, all columns; or columns of --phenotypes, comma-separated."),
    ] = None,
    categorical: Annotated[str | None, typer.Option(help="Columns of classes that are written as numbers.")] = None,
    samples: Annotated[
        str | None, typer.Option(help="Samples to keep: names, comma-separated, or a file with one in each line.")
    ] = None,
    region: Annotated[
        list[str] | None, typer.Option(help="Part of the genome to keep, 2 or 2:1000-2000; repeatable.")
    ] = None,
    multiallelic: Annotated[
        str | None, typer.Option(help="VCF, pgen: split loci with several ALT into one for each, or drop them.")
    ] = None,
    ploidy: Annotated[int | None, typer.Option(min=1, help="VCF, tables: alleles of a whole call.")] = None,
    fam_phenotype: Annotated[
        bool, typer.Option("--fam-phenotype", help="PLINK: take sex and phenotypes from .fam or .psam.")
    ] = False,
) -> None:
    """Read genotypes and phenotypes into a dataset file.

    VCF, BCF and PLINK files may be larger than memory. What was split, renamed, missing or left out is printed, and
    kept in the file.

    \b
    Example:
      gpatlas simulate-cohort --out clinic
      gpatlas import clinic/genotypes.vcf.gz --phenotypes clinic/phenotypes.csv --covariates Gender --out clinic.h5
    """
    from gpatlas.io.importing import Selection, import_genotypes
    from gpatlas.io.streams import Regions

    of_columns = {"traits": traits, "id-column": id_column, "environment": environment, "family": family}
    for name, value in of_columns.items():
        if value is not None and phenotypes is None:
            raise ConfigError(f"--{name} names columns of --phenotypes, which is not given")
    options: dict[str, Any] = {"multiallelic": multiallelic, "ploidy": ploidy, "fam_phenotype": fam_phenotype or None}

    def finish(dataset: Dataset) -> Dataset:
        dataset = _with_tables(dataset, phenotypes, _listed(traits), covariates, _listed(categorical) or [], columns)
        command = f"gpatlas {shlex.join(sys.argv[1:])}"
        return replace(dataset, provenance={**dataset.provenance, "command": command})

    columns = {"id_column": id_column, "environment": environment, "family": family}
    wanted = Selection(_names_or_file(samples), Regions.parse(region or []))
    given = {name: value for name, value in options.items() if value is not None}
    with progress(f"import {genotypes.name}") as report:
        dataset = import_genotypes(genotypes, out, wanted, finish, report, **given)
    for sentence in dataset.provenance.get("account", []):
        print(f"  {sentence}")
    n_traits, n_covariates = dataset.n_traits, dataset.covariates.shape[1]
    print(
        f"{out}: {dataset.n_samples:,} samples × {dataset.n_loci:,} loci, {n_traits} trait{'s' * (n_traits != 1)}, "
        f"{n_covariates} covariate{'s' * (n_covariates != 1)}"
    )


def _with_tables(
    dataset: Dataset,
    phenotypes: Path | None,
    traits: list[str] | None,
    covariates: str | None,
    categorical: list[str],
    columns: dict[str, Any],
) -> Dataset:
    """Join the tables of phenotypes and covariates, read once it is known that the genotypes can be."""
    from gpatlas.io import read_covariates, read_phenotypes
    from gpatlas.joins import attach

    apart = covariates is not None and Path(covariates).is_file()
    beside = [] if apart else _listed(covariates) or []
    if beside and phenotypes is None:
        raise ConfigError(f"--covariates {covariates}: no such file, and no --phenotypes that has such columns")
    tables = []
    if phenotypes is not None:
        of_traits = [] if apart else categorical
        tables.append(read_phenotypes(phenotypes, traits=traits, covariates=beside, categorical=of_traits, **columns))
    if apart:
        tables.append(read_covariates(str(covariates), categorical=categorical))
    return attach(dataset, *tables)[0] if tables else dataset


def _listed(names: str | None) -> list[str] | None:
    return None if names is None else [name.strip() for name in names.split(",") if name.strip()]


def _names_or_file(samples: str | None) -> list[str] | None:
    from gpatlas.io.text import text_lines

    if samples is not None and Path(samples).is_file():
        return [line.strip() for _, line in text_lines(samples)]
    return _listed(samples)
