"""`gpatlas import`: genotypes of any format, and tables that go with them, into a dataset file."""

import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from gpatlas.cli import app
from gpatlas.cli.measure import cpu_seconds, write_runtime
from gpatlas.cli.progress import progress
from gpatlas.cli.words import listed, say
from gpatlas.dataset import Dataset
from gpatlas.errors import ConfigError, did_you_mean
from gpatlas.joins import Phenotypes


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
    categorical: Annotated[
        str | None, typer.Option(help="Columns of classes that are written as numbers, comma-separated.")
    ] = None,
    numeric: Annotated[str | None, typer.Option(help="Columns of numbers that look like classes.")] = None,
    missing: Annotated[
        str | None, typer.Option(help="Texts that mean missing, besides NA: -99, or in one column status=0.")
    ] = None,
    samples: Annotated[
        str | None, typer.Option(help="Samples to keep: names, comma-separated, or a file with one in each line.")
    ] = None,
    region: Annotated[
        list[str] | None, typer.Option(help="Part of the genome to keep, 2 or 2:1000-2000; repeatable.")
    ] = None,
    multiallelic: Annotated[
        str | None,
        typer.Option(help="Loci with several ALT: split (one for each), drop, or (VCF) keep with allele codes."),
    ] = None,
    ploidy: Annotated[int | None, typer.Option(min=1, help="VCF, tables: alleles of a whole call.")] = None,
    rows: Annotated[
        str | None, typer.Option(help="Tables: what a row is, samples or loci; found out by default.")
    ] = None,
    coding: Annotated[
        str | None, typer.Option(help="Tables: counts (-1 missing), centred (-1, 0, 1) or alleles (gperceiver's).")
    ] = None,
    ignore: Annotated[str | None, typer.Option(help="Tables: columns that are neither names nor dosages.")] = None,
    marker_map: Annotated[
        Path | None, typer.Option(help="Tables: a table of marker, chr, pos and perhaps ref, alt.")
    ] = None,
    chroms: Annotated[
        Path | None, typer.Option(help="gperceiver: its table of chr, marker, pos; GENOTYPES are its markers.")
    ] = None,
    n_alleles: Annotated[
        int | None, typer.Option(min=2, help="gperceiver: alleles of a locus, the missing one not counted.")
    ] = None,
    cv: Annotated[
        str | None,
        typer.Option(help="gperceiver: the value of column cv in --phenotypes that names validation samples."),
    ] = None,
    fam_phenotype: Annotated[
        bool, typer.Option("--fam-phenotype", help="PLINK: take sex and phenotypes from .fam or .psam.")
    ] = False,
    runtime: Annotated[Path | None, typer.Option(help="Write what this job cost, as JSON.")] = None,
) -> None:
    """Read genotypes and phenotypes into a dataset file.

    VCF, BCF and PLINK files may be larger than memory. What was split, renamed, missing or left out is printed, and
    kept in the file.

    gperceiver's tables are its markers with --chroms, and --phenotypes with columns name, response, block and cv: each
    block becomes an environment.

    \b
    Example:
      gpatlas simulate-cohort --out clinic
      gpatlas import clinic/genotypes.vcf.gz --phenotypes clinic/phenotypes.csv --covariates Gender --out clinic.h5
    """
    from gpatlas.io.importing import Selection, import_genotypes
    from gpatlas.io.variants.streams import Regions
    from gpatlas.joins import attach

    of_columns = {"traits": traits, "id-column": id_column, "environment": environment, "family": family}
    for name, value in of_columns.items():
        if value is not None and phenotypes is None:
            raise ConfigError(f"--{name} names columns of --phenotypes, which is not given")
    options: dict[str, Any] = {
        "multiallelic": multiallelic,
        "ploidy": ploidy,
        "rows": rows,
        "coding": coding,
        "ignore": listed(ignore),
        "marker_map": marker_map,
        "chroms": chroms,
        "n_alleles": n_alleles,
        "fam_phenotype": fam_phenotype or None,
    }
    kinds = {"categorical": listed(categorical) or [], "numeric": listed(numeric) or []}
    asked = (chroms or cv) and not any(of_columns.values())
    blocks = phenotypes if phenotypes is not None and asked and _are_blocks(phenotypes) else None
    if cv is not None and blocks is None:
        of_blocks = "columns name, response, block and cv, and none named by another option"
        raise ConfigError(f"--cv {cv}: only for gperceiver's --phenotypes, with {of_blocks}")

    def finish(dataset: Dataset) -> Dataset:
        if blocks is not None:
            dataset = _with_blocks(dataset, blocks, cv, kinds, listed(missing) or [])
        table = phenotypes if blocks is None else None
        tables = _tables(table, listed(traits), covariates, kinds, listed(missing) or [], columns)
        dataset = attach(dataset, *tables)[0] if tables else dataset
        command = f"gpatlas {shlex.join(sys.argv[1:])}"
        return replace(dataset, provenance={**dataset.provenance, "command": command})

    columns = {"id_column": id_column, "environment": environment, "family": family}
    wanted = Selection(_names_or_file(samples), Regions.parse(region or []))
    given = {name: value for name, value in options.items() if value is not None}
    start, cpu_start = time.perf_counter(), cpu_seconds()
    with progress(f"import {genotypes.name}") as report:
        dataset = import_genotypes(genotypes, out, wanted, finish, report, **given)
    seconds = {"seconds": time.perf_counter() - start, "cpu_seconds": cpu_seconds() - cpu_start}
    write_runtime(runtime, stage="import", n_rows=1, **seconds)
    say(dataset.provenance.get("account", []))
    n_traits, n_covariates = dataset.n_traits, dataset.covariates.shape[1]
    print(
        f"{out}: {dataset.n_samples:,} samples × {dataset.n_loci:,} loci, {n_traits} trait{'s' * (n_traits != 1)}, "
        f"{n_covariates} covariate{'s' * (n_covariates != 1)}"
    )


def _are_blocks(phenotypes: Path) -> bool:
    from gpatlas.io.gperceiver import are_gperceiver_columns
    from gpatlas.io.phenotypes import column_names

    return are_gperceiver_columns(column_names(phenotypes))


def _with_blocks(
    dataset: Dataset, phenotypes: Path, cv: str | None, kinds: dict[str, list[str]], missing: list[str]
) -> Dataset:
    """Join gperceiver's phenotypes; what is said of the response is not asked of another table."""
    from gpatlas.io.gperceiver import with_gperceiver_phenotypes

    said = {kind: "response" in names for kind, names in kinds.items()}
    for kind, names in kinds.items():
        kinds[kind] = [name for name in names if name != "response"]
    return with_gperceiver_phenotypes(dataset, phenotypes, cv, missing=missing, **said)


def _tables(
    phenotypes: Path | None,
    traits: list[str] | None,
    covariates: str | None,
    kinds: dict[str, list[str]],
    missing: list[str],
    columns: dict[str, Any],
) -> list[Phenotypes]:
    """Read the tables of phenotypes and covariates, once it is known that the genotypes can be."""
    from gpatlas.io.phenotypes import column_names, read_covariates, read_phenotypes

    apart = covariates is not None and Path(covariates).is_file()
    beside = [] if apart else listed(covariates) or []
    if beside and phenotypes is None:
        raise ConfigError(f"--covariates {covariates}: no such file, and no --phenotypes that has such columns")
    paths = [path for path in (phenotypes, covariates if apart else None) if path is not None]
    names = {path: column_names(path) for path in paths}
    for option, of_option in kinds.items():
        for name in of_option:
            if not any(name in there for there in names.values()):
                there = dict.fromkeys(name for some in names.values() for name in some)
                hint = did_you_mean(name, there) if there else ", as no table is given"
                raise ConfigError(f"--{option} {name}: no such column{hint}")

    def of_table(path: Path | str) -> dict[str, Any]:
        return {option: [name for name in names_of if name in names[path]] for option, names_of in kinds.items()}

    tables = []
    if phenotypes is not None:
        options = {**of_table(phenotypes), **columns}
        tables.append(read_phenotypes(phenotypes, traits=traits, covariates=beside, missing=missing, **options))
    if apart and covariates is not None:
        tables.append(read_covariates(covariates, missing=missing, **of_table(covariates)))
    return tables


def _names_or_file(samples: str | None) -> list[str] | None:
    from gpatlas.io.text import text_lines

    if samples is not None and Path(samples).is_file():
        return [line.strip() for _, line in text_lines(samples)]
    return listed(samples)
