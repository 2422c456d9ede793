"""`gpatlas predict`: a saved model's predictions of new samples."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from gpatlas.cli import app
from gpatlas.cli.words import say
from gpatlas.dataset import Dataset, as_text
from gpatlas.predictor import Prediction, Predictor


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="Model file (.gpatlas) that `gpatlas automl` wrote.")],
    new: Annotated[Path, typer.Argument(help="Genotypes of new samples, in any format that gpatlas reads.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Table to write (CSV).")],
    table: Annotated[
        list[Path] | None,
        typer.Option(help="Table of the new samples with the model's covariates, or phenotypes to score; repeatable."),
    ] = None,
    id_column: Annotated[str | None, typer.Option(help="Column of the samples' names in the tables.")] = None,
    ambiguous: Annotated[
        Literal["keep", "frequency", "drop"],
        typer.Option(help="A/T and C/G loci: as spelt, by allele frequency where that is clear, or missing."),
    ] = "keep",
    coverage: Annotated[float, typer.Option(min=0.01, max=0.999, help="Of intervals of a continuous trait.")] = 0.9,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Predict although many loci, or a covariate, are absent.")
    ] = False,
    account: Annotated[
        Path | None, typer.Option(help="Write what was done to each locus, as CSV: status, id, what was taken.")
    ] = None,
) -> None:
    """Predict new samples with a saved model.

    Loci are found by position and alleles, then by id; what is turned round, missing, ambiguous or unknown is said, and
    so are samples that the model was trained on. A model file runs no code, whoever sent it.

    \b
    Example:
      gpatlas simulate-cohort --out clinic.h5
      gpatlas simulate-cohort --clinic 2 --out other_clinic
      gpatlas automl clinic.h5 --trait Status --candidates lasso --outer 3x1 --out status
      gpatlas predict status/model.gpatlas other_clinic/genotypes.vcf.gz --table other_clinic/phenotypes.csv -o p.csv
    """
    import pandas as pd

    from gpatlas.io.genotypes import read_genotypes
    from gpatlas.io.tables import write_table
    from gpatlas.predictor import load_predictor
    from gpatlas.predictor.predictor import MOST_MISSING

    predictor = load_predictor(model)
    print(f"{model}: {_described(predictor)}")
    dataset = read_genotypes(new)
    print(f"{new}: {dataset.n_samples:,} samples × {dataset.n_loci:,} loci")
    say(dataset.provenance.get("account", []))
    for path in table or []:
        dataset = _joined(dataset, predictor, path, id_column)
    prediction = predictor.predict(
        dataset, ambiguous=ambiguous, most_missing=1.0 if anyway else MOST_MISSING, coverage=coverage
    )
    say(prediction.sentences)
    columns = dict(prediction.table)
    if predictor.trait in as_text(dataset.trait_id):
        columns |= _scored(predictor, prediction, dataset)
    write_table(pd.DataFrame(columns), out)
    if account is not None:
        write_table(pd.DataFrame(prediction.harmonized.account), account)
    print(f"{out}: predictions of {predictor.trait} for {dataset.n_samples:,} samples")


def _described(predictor: Predictor) -> str:
    n, covariates = predictor.summary.get("n_samples", "?"), [covariate.name for covariate in predictor.covariates]
    what = predictor.kind if predictor.kind == "continuous" else ", ".join(predictor.classes)
    beside = f" and {', '.join(covariates)}" if covariates else ""
    return f"{predictor.trait} ({what}) from {predictor.variants.n_loci:,} loci{beside}, trained on {n} samples"


def _joined(dataset: Dataset, predictor: Predictor, path: Path, id_column: str | None) -> Dataset:
    """Join the columns of a table that the model knows."""
    from gpatlas.errors import DataError
    from gpatlas.io.phenotypes import column_names, read_phenotypes
    from gpatlas.joins import attach

    there = column_names(path)
    covariates = [covariate for covariate in predictor.covariates if covariate.name in there]
    traits = [predictor.trait] if predictor.trait in there else []
    if not traits and not covariates:
        wanted = [predictor.trait, *(covariate.name for covariate in predictor.covariates)]
        raise DataError(f"{path}: none of its columns is one of the model's ({', '.join(wanted)})")
    continuous = predictor.kind == "continuous"
    read = read_phenotypes(
        path,
        id_column,
        traits=traits,
        covariates=[covariate.name for covariate in covariates],
        categorical=[c.name for c in covariates if c.levels] + (traits if predictor.kind == "multiclass" else []),
        numeric=[c.name for c in covariates if not c.levels] + (traits if continuous else []),
    )
    joined, joins = attach(dataset, read)
    say(joins.sentences)
    return joined


def _scored(predictor: Predictor, prediction: Prediction, dataset: Dataset) -> dict:
    """Score where phenotypes are known, print, and return the column of observed values."""
    from gpatlas.evaluate.scores import SCORES
    from gpatlas.predictor.scoring import score_prediction

    found = score_prediction(predictor, prediction, dataset)
    say(found.sentences)
    for name, value in found.scores.items():
        print(f"    {SCORES[name].text:<28}{value:8.4f}")
    return {"observed": found.observed}
