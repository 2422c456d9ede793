"""The results folder of a run: tables, records, and the model that travels."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from gpatlas.automl.nested import AUTOML
from gpatlas.automl.outcome import Outcome
from gpatlas.automl.tables import with_ceiling
from gpatlas.dataset import Dataset
from gpatlas.io.tables import write_json, write_table
from gpatlas.predictor import make_predictor, save_predictor

MODEL = "model.gpatlas"


def write_outcome(
    outcome: Outcome,
    folder: Path,
    ceiling: Mapping[str, float] | None = None,
    before: Sequence[tuple[str, str]] = (),
    after: Sequence[tuple[str, str]] = (),
) -> None:
    """Write the tables, task.json and narrative.json.

    Parameters
    ----------
    outcome
        Of the run.
    folder
        Made if absent; files that it holds are replaced.
    ceiling
        Scores of the truth.
    before, after
        Steps of the narrative before and after the run: (step, text).

    Raises
    ------
    StoreError
        The folder cannot be written.
    """
    tables = {**outcome.tables, "metrics": with_ceiling(outcome.tables["metrics"], ceiling or {})}
    for name, table in tables.items():
        write_table(table, folder / f"{name}.csv")
    write_json(outcome.record(ceiling), folder / "task.json")
    first, last = ([{"step": step, "text": text} for step, text in steps] for steps in (before, after))
    write_json(first + outcome.narrative() + last, folder / "narrative.json")


def write_model(outcome: Outcome, dataset: Dataset, covariates: Sequence[str] | None, path: Path) -> None:
    """Write the model that was fitted to all samples, to predict others with (`gpatlas predict`).

    Parameters
    ----------
    outcome
        Of the run.
    dataset
        That its task was made of.
    covariates
        Names that the task was made with; None: all.
    path
        File to write.

    Raises
    ------
    StoreError
        The file cannot be written.
    """
    task, board = outcome.task, outcome.tables["leaderboard"].set_index("model")
    honest = [fold for fold in outcome.judged if AUTOML in fold.predictions]
    residuals = None
    if not task.classes:
        residuals = np.concatenate([task.y[fold.split.test] - fold.predictions[AUTOML] for fold in honest])
    summary = {
        "model": outcome.chosen,
        "metric": outcome.score.name,
        **{key: float(board.loc[AUTOML, key]) for key in ("score", "lower", "upper")},
        "seed": outcome.settings.seed,
    }
    predictor = make_predictor(
        outcome.estimator,
        dataset,
        task.trait,
        kind=task.kind,
        classes=task.classes,
        covariates=covariates,
        rows=task.row,
        residuals=residuals,
        summary={key: None if value != value else value for key, value in summary.items()},
    )
    save_predictor(predictor, path)
