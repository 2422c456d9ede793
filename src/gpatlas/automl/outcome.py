"""`automl`: from a task and settings to everything that is told about them, as tables."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import gpatlas
from gpatlas.automl import tables
from gpatlas.automl.board import OnResult, Result, run_flows
from gpatlas.automl.narrative import narrative
from gpatlas.automl.nested import Final, Judged, final_estimator, flows, outer_folds
from gpatlas.automl.processes import helpers
from gpatlas.automl.resampling import Resampling
from gpatlas.automl.settings import Settings
from gpatlas.automl.task import Task
from gpatlas.evaluate.scores import Score, score_for
from gpatlas.seeding import stable_seed


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    Parameters
    ----------
    task, settings, score, outer
        What was asked: data, settings, the score and the outer folds.
    judged
        One for each outer fold.
    final
        The search on all samples.
    estimator
        What that chose, fitted to all samples.
    final_seconds
        Of that fit.
    """

    task: Task
    settings: Settings
    score: Score
    outer: Resampling
    judged: tuple[Judged, ...]
    final: Final
    estimator: Any
    final_seconds: float

    @property
    def chosen(self) -> str:
        """Name of the chosen model: a candidate, or "stack"."""
        return tables.chosen_name(self.final)

    @cached_property
    def tables(self) -> dict[str, Any]:
        """Pandas tables by the name of their file: leaderboard, folds, predictions, trials, null, metrics."""
        folds = tables.folds_table(self.task, self.judged)
        return {
            "leaderboard": tables.leaderboard(self.task, self.score, self.judged, self.final, folds),
            "folds": folds,
            "predictions": tables.predictions_table(self.task, self.judged),
            "trials": tables.trials_table(self.score, self.judged, self.final),
            "null": tables.null_table(self.final),
            "metrics": tables.metrics_table(self.task, self.judged),
        }

    def record(self, ceiling: Mapping[str, float] | None = None) -> dict[str, Any]:
        """Return what task.json holds."""
        task, settings = self.task, self.settings
        budget = f"{settings.budget_fits} fits" if settings.budget_seconds is None else f"{settings.budget_seconds:g} s"
        return {
            "trait": task.trait,
            "kind": task.kind,
            "classes": list(task.classes),
            "n_samples": task.n_samples,
            "n_loci": task.n_loci,
            "n_covariates": task.n_covariates,
            "covariates": task.feature_id[task.n_loci :].tolist(),
            "metric": self.score.name,
            "resampling": self.outer.text,
            "budget": budget,
            "seed": settings.seed,
            "ceiling": None if not ceiling else dict(ceiling),
            "classes_counts": task.class_counts,
            "settings": asdict(settings),
            "gpatlas": gpatlas.__version__,
        }

    def narrative(self) -> list[dict[str, str]]:
        """Return what was done, step by step, with counts."""
        return narrative(
            self.task, self.settings, self.score, self.outer, self.judged, self.final, self.tables["leaderboard"]
        )


def automl(
    task: Task,
    settings: Settings,
    journal: Path,
    *,
    processes: int = 1,
    on_result: OnResult | None = None,
) -> Outcome:
    """Search, judge the search, and fit what it chose to all samples.

    Parameters
    ----------
    task
        What to predict.
    settings
        How.
    journal
        File of results that processes share; an existing one is gone on with.
    processes
        That work on it, this one among them. More do not change what comes out of a budget in fits.
    on_result
        Called after every job with all results so far.

    Raises
    ------
    DataError
        No candidate could be fitted.
    ConfigError, StoreError
        The journal is of something else, or cannot be written.
    """
    score = score_for(task.kind, settings.metric)
    settings.competing(task.kind)
    identity = study_identity(task, settings)
    with helpers(processes - 1, task, settings, journal, identity):
        returned = run_flows(flows(task, settings), journal, identity, on_result)
    final = returned.pop("final")
    seed = stable_seed(settings.seed, "final", "fit", bits=31)
    estimator, seconds = final_estimator(task, final.found, seed)
    return Outcome(
        task, settings, score, outer_folds(task, settings), tuple(returned.values()), final, estimator, seconds
    )


def study_identity(task: Task, settings: Settings) -> dict[str, Any]:
    """Return what results in a journal depend on beside their keys; budgets and candidates are not among it."""
    return {
        "task": task.digest(),
        "metric": score_for(task.kind, settings.metric).name,
        "outer": f"{settings.outer_folds}x{settings.outer_repeats}",
        "inner": settings.inner_folds,
        "seed": settings.seed,
        "gpatlas": gpatlas.__version__,
    }


def units_done(results: Mapping[str, Result], settings: Settings) -> float:
    """Fits, or seconds, that results took: how far a run has come."""
    key = "n_fits" if settings.budget_seconds is None else "seconds"
    return sum(result[key] for result in results.values())


def units_in_all(task: Task, settings: Settings) -> float:
    """Fits, or seconds, that a run takes at most."""
    if settings.budget_seconds is not None:
        return settings.budget_seconds
    n_outer, n_candidates = len(outer_folds(task, settings)), len(settings.competing(task.kind))
    return settings.budget_fits * (n_outer + 1) + n_outer * (n_candidates + settings.permutations)
