"""The honest score: the whole search, redone in every outer training set and judged on samples that it never saw.

Choice of candidate, hyperparameters and weights are part of what is judged. Beside it every candidate is judged on
the same outer folds, with the hyperparameters that the search of that fold found for it, and a null: the winner of the
search on all samples, refitted to permuted phenotypes in the same outer folds. It does not search again, so that it
shows what a model without anything to find scores, not what a search could pick from chance.
"""

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.automl.board import Flow, Job, Result, key_of
from gpatlas.automl.candidates import CANDIDATES
from gpatlas.automl.resampling import Resampling, Split, resample
from gpatlas.automl.search import Found, Search
from gpatlas.automl.settings import Settings
from gpatlas.automl.stack import Stack
from gpatlas.automl.task import Task
from gpatlas.automl.trial import Trial, run_trial, trial_of
from gpatlas.errors import DataError
from gpatlas.evaluate.scores import mean_score
from gpatlas.seeding import stable_seed

AUTOML, STACK = "automl", "stack"  # names beside those of candidates: the whole procedure, and the average

Steps = Generator[Sequence[Job], Mapping[str, Result], Any]


@dataclass(frozen=True)
class Judged:
    """One outer fold: what was found in its training samples, and what that predicts for its test samples.

    Parameters
    ----------
    split
        The fold.
    found
        By the search in its training samples.
    trials
        Candidate → its fit to all training samples, judged on the test samples.
    predictions
        Model → predictions of the test samples: of candidates, "stack" and "automl".
    """

    split: Split
    found: Found
    trials: dict[str, Trial]
    predictions: dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Final:
    """The search on all samples, and the winner's scores with permuted phenotypes."""

    found: Found
    null: tuple[float, ...]
    null_fits: int
    null_seconds: float


def outer_folds(task: Task, settings: Settings) -> Resampling:
    """Return the folds that judge."""
    return resample(task, settings.outer_folds, settings.outer_repeats, stable_seed(settings.seed, "outer"))


def flows(task: Task, settings: Settings) -> dict[str, Flow]:
    """Return a flow for each outer fold, and the one of all samples: what `run_flows` runs.

    Each returns `Judged`, the last one ("final") `Final`.
    """
    outer = outer_folds(task, settings)
    of_one = settings.of_one_search(len(outer) + 1)
    work = {f"outer {split.repeat}.{split.fold}": judge(task, split, of_one) for split in outer}
    return {**work, "final": _final(task, outer, of_one)}


def judge(task: Task, split: Split, settings: Settings) -> Steps:
    """Search in the training samples of an outer fold, and predict its test samples; returns `Judged`."""
    name = f"outer {split.repeat}.{split.fold}"
    search = Search(task.rows(split.train), settings, name)
    found = yield from search.flow()
    found = _something(found, search)

    def job(trial: Trial) -> Job:
        key = key_of(name, "judge", trial.candidate, trial.hyperparameters)
        return Job(
            key,
            lambda: run_trial(task, [split], trial.candidate, trial.hyperparameters, search.score, search.fit_seed),
        )

    jobs = {candidate: job(trial) for candidate, trial in found.best.items()}
    results = yield list(jobs.values())
    trials = {candidate: trial_of(results[job.key]) for candidate, job in jobs.items()}
    predictions = {name: trial.predictions[0] for name, trial in trials.items() if trial.state == "complete"}
    for model, weights, intercept in (
        (STACK, found.stack_weights, found.stack_intercept),
        (AUTOML, found.weights, found.intercept),
    ):
        absent = [candidate for candidate in weights if candidate not in predictions]
        if model == AUTOML and absent:
            raise DataError(f"{absent[0]} could be fitted to folds, but not to all of them: {trials[absent[0]].note}")
        if weights and not absent:
            members = np.stack([predictions[candidate] for candidate in weights])
            predictions[model] = intercept + np.tensordot(list(weights.values()), members, 1)
    return Judged(split, found, trials, predictions)


def _final(task: Task, outer: Resampling, settings: Settings) -> Steps:
    search = Search(task, settings, "final")
    found = yield from search.flow()
    found = _something(found, search)
    winner = found.best[found.winner]
    jobs = []
    for number in range(settings.permutations):
        rng = np.random.default_rng(stable_seed(settings.seed, "permutation", number))
        permuted = task.with_phenotypes(_permuted(task, rng))
        key = key_of("null", number, winner.candidate, winner.hyperparameters)

        def run(permuted: Task = permuted) -> Result:
            trial = run_trial(
                permuted, outer.splits, winner.candidate, winner.hyperparameters, search.score, search.fit_seed
            )
            return {**trial, "predictions": []}

        jobs.append(Job(key, run))
    results = yield jobs
    null = [trial_of(results[job.key]) for job in jobs]
    means = tuple(mean_score(search.score, trial.scores) for trial in null if trial.state == "complete")
    return Final(found, means, sum(trial.n_fits for trial in null), sum(trial.seconds for trial in null))


def _permuted(task: Task, rng: np.random.Generator) -> NDArray[np.float64]:
    """Permute phenotypes; those of records within each environment, for its mean is no chance."""
    if task.grouping != "environment" or task.groups is None:
        return rng.permutation(task.y)
    y = task.y.copy()
    for group in np.unique(task.groups):
        rows = np.flatnonzero(task.groups == group)
        y[rows] = y[rng.permutation(rows)]
    return y


def _something(found: Found | None, search: Search) -> Found:
    """Return what was found.

    Raises
    ------
    DataError
        No candidate could be fitted.
    """
    if found is None:
        notes = {trial.candidate: trial.note for trial in search.trials if trial.state == "failed"}
        first, note = next(iter(notes.items()))
        raise DataError(f"no candidate could be fitted; {first}: {note}")
    return found


def final_estimator(task: Task, found: Found, seed: int) -> tuple[Any, float]:
    """Fit what the search on all samples chose to all samples; returns the estimator and the seconds it took."""
    start = time.perf_counter()
    made = {
        name: CANDIDATES[name].make(task.kind, task.n_covariates, seed, **found.best[name].hyperparameters)
        for name in found.weights
    }
    estimator = next(iter(made.values()))
    if found.stacked:
        estimator = Stack(list(made.items()), list(found.weights.values()), found.intercept, len(task.classes))
    estimator.fit(task.X, task.y.astype(np.intp) if task.classes else task.y)
    return estimator, time.perf_counter() - start


def p_value(score: float, null: Sequence[float], larger_is_better: bool) -> float:
    """Share of permutations that score as well, the observed one counted in (Phipson & Smyth 2010)."""
    if not null or np.isnan(score):
        return np.nan
    sign = 1 if larger_is_better else -1
    return (1 + sum(sign * value >= sign * score for value in null)) / (1 + len(null))
