"""`gpatlas score` and `gpatlas report`: from predictions to tables, and from tables and figures to one page."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpatlas.cli import app
from gpatlas.config import AutomlConfig, ExperimentConfig, read_any
from gpatlas.design import Design, dataset_path, imputed_path, predictions_path, tuned_path
from gpatlas.errors import StoreError

if TYPE_CHECKING:
    from pandas import DataFrame


@app.command()
def score(
    config: Annotated[Path, typer.Argument(help="Experiment YAML.")],
    results: Annotated[Path, typer.Option(help="Folder with the experiment's datasets and predictions.")],
) -> None:
    """Score the predictions of an experiment.

    Writes metrics.csv, splits.csv, selected.csv, pairs.csv, variances.csv and runtimes.csv into the results folder,
    of the perceiver experiment imputation.csv too; of the AutoML experiment metrics.csv, scores.csv, causal.csv and
    runtimes.csv.

    \b
    Example (after `bash run_snakemake_pipeline.sh scaling`):
      gpatlas score config/scaling.yaml --results results/scaling
    """
    experiment = read_any(config)
    if isinstance(experiment, AutomlConfig):
        _gather(experiment, results)
    else:
        _score(experiment, results)


def _gather(experiment: AutomlConfig, results: Path) -> None:
    """Write the tables of the AutoML experiment, whose runs have been scored."""
    from gpatlas.automl.collect import gather
    from gpatlas.io.tables import write_table

    for name, table in gather(experiment, results).items():
        write_table(table, results / f"{name}.csv")
        print(f"{results / name}.csv: {len(table)} rows")


def _score(experiment: ExperimentConfig, results: Path) -> None:
    """Score predictions, and write the tables of an experiment with a design."""
    import pandas as pd

    from gpatlas.cli.progress import progress
    from gpatlas.io import read_dataset
    from gpatlas.io.predictions import read_predictions
    from gpatlas.io.tables import write_table
    from gpatlas.scoring import (
        METRIC_COLUMNS,
        PAIR_COLUMNS,
        SELECTED_COLUMNS,
        pair_rows,
        score_fit,
        selected_rows,
        variance_rows,
    )

    design = Design(experiment)
    trait_columns = design.config.trait_columns
    metrics, splits, selected, pairs, variances, runtimes = [], [], [], [], [], []
    with progress("score") as report:
        for done, job in enumerate(design.jobs, start=1):
            datasets = [read_dataset(results / dataset_path(row), lazy=True) for row in job.rows]
            for row, dataset in zip(job.rows, datasets, strict=True):
                variances += variance_rows(dataset, row.columns, trait_columns(row.columns))
                runtimes.append({**row.columns, **_runtime(results / dataset_path(row))})
            for model in design.models(job):
                path = results / predictions_path(job, model)
                fits = read_predictions(path)
                runtimes.append({**job.columns, **_runtime(path)})
                runtimes += [
                    {**row.columns, **_runtime(results / tuned_path(row, model))}
                    for row in design.tuned_rows(job, model)
                ]
                for row, dataset in zip(job.rows, datasets, strict=True):
                    if dataset.content_hash not in fits:
                        raise StoreError(f"{path} holds no predictions for {results / dataset_path(row)}; fit again")
                    fit = fits[dataset.content_hash]
                    found = score_fit(dataset, fit, model, row.columns, trait_columns(row.columns))
                    metrics += found[0]
                    splits += found[1]
                    selected += selected_rows(dataset, fit, model, row.columns, trait_columns(row.columns))
                    pairs += pair_rows(dataset, fit, model, row.columns, trait_columns(row.columns))
            report(done, len(design.jobs), "jobs")
    runtimes += [_runtime(results / imputed_path(panel)) for panel in design.imputed_panels]
    runtimes += [_runtime(results / path) for path in design.pretrained]
    first = [*design.rows[0].columns, *trait_columns(design.rows[0].columns)]
    table = pd.DataFrame(metrics)[[*first, *METRIC_COLUMNS]]
    write_table(table, results / "metrics.csv")
    write_table(pd.DataFrame(splits), results / "splits.csv")
    write_table(pd.DataFrame(selected, columns=[*first, *SELECTED_COLUMNS]), results / "selected.csv")
    write_table(pd.DataFrame(pairs, columns=[*first, *PAIR_COLUMNS]), results / "pairs.csv")
    write_table(pd.DataFrame(variances), results / "variances.csv")
    write_table(pd.DataFrame(runtimes), results / "runtimes.csv")
    if experiment.panel_names:
        write_table(_imputation(design, results), results / "imputation.csv")
    print(f"{results / 'metrics.csv'}: {len(metrics)} rows")
    for model, count in table[table.predictive_ability.isna()].groupby("model").size().items():
        print(f"{model}: {count} rows without predictive ability, because prediction or phenotype is constant")


@app.command()
def report(
    results: Annotated[list[Path], typer.Argument(help="Results folders of experiments, or that of one AutoML run.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="HTML file to write.")],
) -> None:
    """Gather results into one HTML page.

    Self-contained: figures, metrics, configuration, versions and runtimes. An AutoML run has a page of its own.

    \b
    Example (after `bash run_snakemake_pipeline.sh scaling`):
      gpatlas report results/scaling --out report.html
    """
    from gpatlas.report import write_report

    write_report(results, out)
    print(f"{out}: the report of {', '.join(str(folder) for folder in results)}")


def _imputation(design: Design, results: Path) -> "DataFrame":
    """Gather how well masked calls were told after each pretraining."""
    import pandas as pd

    from gpatlas.io.tables import read_table

    tables = [
        read_table((results / path).with_name("imputation.csv"), {"class", "model"}).assign(data=panel, recipe=recipe)
        for path, (recipe, panel) in design.pretrained.items()
    ]
    names = ["data", "recipe", "class", "n_calls", "model", "accuracy"]
    return pd.concat(tables)[names] if tables else pd.DataFrame(columns=names)


def _runtime(product: Path) -> dict:
    """What the job that made a file cost: the JSON beside it."""
    from gpatlas.io.tables import read_json

    return read_json(product.with_suffix(".runtime.json"))
