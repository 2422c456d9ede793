"""Tables of the AutoML experiment, gathered from the folders of its runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gpatlas.automl.nested import AUTOML
from gpatlas.config.automl import AutomlConfig
from gpatlas.dataset import Dataset, as_text
from gpatlas.evaluate.intervals import corrected_interval
from gpatlas.evaluate.scores import SCORES, known_scores, mean_score
from gpatlas.io.store import read_dataset
from gpatlas.io.tables import read_json, read_table
from gpatlas.runs import Run, dataset_path, model_path, outcome_path, runs_of

SCORE_COLUMNS = (
    "source", "kind", "trait_id", "n_samples", "n_loci", "chosen", "metric", "selected_by", "score", "lower", "upper",
    "ceiling", "p_null", "seconds",
)  # fmt: skip
CAUSAL_COLUMNS = ("locus_id", "n_causal", "importance", "se", "rank", "p", "p_rank")


def gather(config: AutomlConfig, results: Path) -> dict[str, pd.DataFrame]:
    """Gather what the runs of the experiment left.

    Parameters
    ----------
    config
        The experiment.
    results
        Its results folder.

    Returns
    -------
    dict
        Name of a table → the table, with columns dataset and rep first. `metrics`: the project's, a row for each model
        and outer fold. `scores`: a row for each run and score of the whole procedure, with a 95 % interval and the
        ceiling where it is known. `causal`: a row for each causal locus of explained simulated data, with its rank
        among all loci by permutation importance and by p value; loci that were shuffled together share a rank.
        `runtimes`: a row for each job.

    Raises
    ------
    StoreError
        A run has not finished.
    """
    runs = runs_of(config)
    metrics = [
        _headed(run, read_table(results / outcome_path(run) / "metrics.csv", {"model", "trait_id", "fold"}))
        for run in runs
    ]
    causal = [row for run in runs for row in _causal(run, results)]
    return {
        "metrics": pd.concat(metrics, ignore_index=True),
        "scores": pd.DataFrame([row for run in runs for row in _scores(run, results / outcome_path(run))]),
        "causal": pd.DataFrame(causal, columns=["dataset", "rep", *CAUSAL_COLUMNS]),
        "runtimes": pd.DataFrame([row for run in runs for row in _runtimes(run, results)]),
    }


def _headed(run: Run, table: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([pd.DataFrame([run.columns] * len(table)), table], axis=1)


def _scores(run: Run, folder: Path) -> Iterator[dict[str, Any]]:
    task, folds = read_json(folder / "task.json"), read_table(folder / "folds.csv", {"model"})
    board = read_table(folder / "leaderboard.csv", {"model"}).set_index("model")
    folds = folds[folds.model == AUTOML]
    whole = board.loc[AUTOML]
    for name in (name for name in SCORES if name in folds):
        score = SCORES[name]
        lower, upper = corrected_interval(known_scores(score, folds[name]), folds.n_train.mean(), folds.n_test.mean())
        selected = name == task["metric"]
        values = (
            run.entry.source,
            task["kind"],
            task["trait"],
            task["n_samples"],
            task["n_loci"],
            board.index[board.chosen.astype(bool)][0],
            name,
            selected,
            mean_score(score, folds[name]),
            max(lower, score.lowest),
            min(upper, score.highest),
            (task["ceiling"] or {}).get(name, np.nan),
            whole.p_null if selected else np.nan,
            whole.seconds,
        )
        yield {**run.columns, **dict(zip(SCORE_COLUMNS, values, strict=True))}


def _causal(run: Run, results: Path) -> Iterator[dict[str, Any]]:
    """Yield causal loci of a simulated data set that was explained."""
    folder = results / outcome_path(run) / "explanation"
    if not run.entry.search.explain or run.entry.files is not None:
        return
    dataset = read_dataset(results / dataset_path(run), lazy=True)
    loci = _true_loci(dataset, run.entry.trait_name)
    names = {"feature", "linked", "locus_id"}
    importance = read_table(folder / "permutation_importance.csv", names)
    importance = importance[importance.kind == "locus"].reset_index(drop=True)
    stands_for = {
        locus: row
        for row in importance.itertuples()
        for locus in [row.feature, *(row.linked.split(";") if isinstance(row.linked, str) else [])]
    }
    effects = read_table(folder / "marker_effects.csv", names).set_index("locus_id")
    p_rank = effects.p.rank(method="min")
    for locus in as_text(dataset.locus_id)[loci]:
        block = stands_for.get(locus)
        values = (
            locus,
            len(loci),
            block.importance if block else np.nan,
            block.se if block else np.nan,
            block.Index + 1 if block else np.nan,
            effects.p.get(locus, np.nan),
            p_rank.get(locus, np.nan),
        )
        yield {**run.columns, **dict(zip(CAUSAL_COLUMNS, values, strict=True))}


def _true_loci(dataset: Dataset, trait: str) -> np.ndarray:
    """Return the loci that have an effect on a trait."""
    if dataset.truth is None:
        return np.empty(0, dtype=np.int32)
    effects = dataset.truth.effects
    return np.unique(effects.locus[effects.trait == as_text(dataset.trait_id).tolist().index(trait)])


def _runtimes(run: Run, results: Path) -> Iterator[dict[str, Any]]:
    for product in (dataset_path(run), model_path(run)):
        yield {**run.columns, **read_json((results / product).with_suffix(".runtime.json"))}
