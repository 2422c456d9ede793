"""`gpatlas gpfn predict`: a new population from a phenotyped one, in one command."""

import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from gpatlas.cli.gpfn import gpfn
from gpatlas.cli.measure import cpu_seconds, write_runtime
from gpatlas.cli.words import listed, say
from gpatlas.dataset import Dataset
from gpatlas.errors import ConfigError
from gpatlas.joins import Phenotypes
from gpatlas.wording import several


@gpfn.command()
def predict(
    train_genotypes: Annotated[Path, typer.Option(help="Genotypes of the phenotyped samples, in any format.")],
    target_genotypes: Annotated[Path, typer.Option(help="Genotypes of the samples to predict, in any format.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Table to write (CSV).")],
    phenotypes: Annotated[
        Path | None, typer.Option(help="Table of phenotypes; none: those in the dataset file of --train-genotypes.")
    ] = None,
    phenotype_name: Annotated[
        list[str] | None, typer.Option(help="Trait to predict; repeatable. Default: all columns of numbers.")
    ] = None,
    id_column: Annotated[str | None, typer.Option(help="Column of the samples' names in --phenotypes.")] = None,
    covariates: Annotated[
        str | None, typer.Option(help="Columns of --phenotypes that are fixed effects, comma-separated.")
    ] = None,
    categorical: Annotated[
        str | None, typer.Option(help="Of --covariates, those whose numbers name classes, comma-separated.")
    ] = None,
    checkpoint: Annotated[
        str, typer.Option(help="The network: one that comes with gpatlas, or a file of `gpatlas gpfn train`.")
    ] = "default",
    interval: Annotated[float, typer.Option(min=0.01, max=0.999, help="Chance that intervals hold their value.")] = 0.9,
    ambiguous: Annotated[
        Literal["keep", "frequency", "drop"],
        typer.Option(help="A/T and C/G loci: as spelt, by allele frequency where that is clear, or left out."),
    ] = "keep",
    anyway: Annotated[bool, typer.Option("--anyway", help="Predict although the panels hardly share loci.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    runtime: Annotated[Path | None, typer.Option(help="Write what this job cost, as JSON.")] = None,
) -> None:
    """Predict a new population: breeding values with standard errors, by a pretrained network.

    Nothing is trained: the network is conditioned on the samples that have genotypes and a phenotype, ten or more, at
    the loci that both panels have. Loci are found by position and alleles, then by id. What does not match is said, and
    so are target samples that are training samples. Where phenotypes of others are known, predictions are scored.

    \b
    Example:
      gpatlas simulate config/examples/population.yaml --out lines.h5
      gpatlas export lines.h5 --fold train --out old.vcf.gz --table phenotypes.csv
      gpatlas export lines.h5 --fold test --out new.bed
      gpatlas gpfn predict --train-genotypes old.vcf.gz --phenotypes phenotypes.csv --target-genotypes new.bed -o p.csv
    """
    import pandas as pd

    from gpatlas.gpfn.panels import join_table
    from gpatlas.gpfn.predicting import predict_population
    from gpatlas.io.checkpoints import find_checkpoint, read_checkpoint
    from gpatlas.io.tables import write_table
    from gpatlas.train.precision import choose_arithmetic

    start, cpu_start = time.perf_counter(), cpu_seconds()
    read_checkpoint(find_checkpoint(checkpoint))  # before the panels, which may take long
    try:
        choose_arithmetic(device, "f32")
    except ValueError as error:
        raise ConfigError(f"--device: {error}") from None
    table = _table(phenotypes, phenotype_name, id_column, listed(covariates) or [], listed(categorical) or [])
    training, target = (_read(path) for path in (train_genotypes, target_genotypes))
    if table is not None:
        training, target, said = join_table(training, target, table)
        say(said)
    found = predict_population(
        training,
        target,
        traits=phenotype_name,
        checkpoint=checkpoint,
        coverage=interval,
        ambiguous=ambiguous,
        anyway=anyway,
        device=device,
    )
    say(found.sentences)
    write_table(pd.DataFrame(found.table), out)
    seconds = {"seconds": time.perf_counter() - start, "cpu_seconds": cpu_seconds() - cpu_start}
    write_runtime(runtime, stage="predict", n_rows=len(found.table["trait"]), **seconds)
    n_traits = len(dict.fromkeys(found.table["trait"]))
    print(f"{out}: {several(n_traits, 'trait')} of {several(target.n_samples, 'sample')}")


def _table(
    path: Path | None, traits: list[str] | None, id_column: str | None, covariates: list[str], categorical: list[str]
) -> Phenotypes | None:
    from gpatlas.io.phenotypes import column_names, read_phenotypes

    if path is None:
        for option, value in (("--id-column", id_column), ("--covariates", covariates), ("--categorical", categorical)):
            if value:
                raise ConfigError(f"{option} names columns of --phenotypes, which is not given")
        return None
    if apart := [name for name in categorical if name not in covariates]:
        raise ConfigError(f"--categorical {apart[0]} is not one of --covariates")
    if twice := [name for name in covariates if name in (traits or ())]:
        raise ConfigError(f"{twice[0]} cannot be a phenotype to predict and one of --covariates at once")
    numbers = [name for name in traits or column_names(path) if name not in covariates]
    return read_phenotypes(path, id_column, traits, covariates=covariates, categorical=categorical, numeric=numbers)


def _read(path: Path) -> Dataset:
    from gpatlas.io.genotypes import read_genotypes

    dataset = read_genotypes(path)
    print(f"{path}: {dataset.n_samples:,} samples × {dataset.n_loci:,} loci")
    say(dataset.provenance.get("account", []))
    return dataset
