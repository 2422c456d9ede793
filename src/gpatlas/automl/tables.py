"""Tables of a run: columns are those that reports and users read; see `config/README.md` for what they mean."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from gpatlas.automl.candidates import CANDIDATES
from gpatlas.automl.nested import AUTOML, STACK, Final, Judged, p_value
from gpatlas.automl.task import Task
from gpatlas.automl.trial import Trial
from gpatlas.evaluate.intervals import corrected_interval
from gpatlas.evaluate.metrics import METRICS, correlation, evaluate
from gpatlas.evaluate.scores import SCORES, Score, all_scores, known_scores, mean_score

FINAL = -1  # the outer fold of trials of the search on all samples


def chosen_name(final: Final) -> str:
    """Name of the model that the search on all samples chose."""
    return STACK if final.found.stacked else final.found.winner


def leaderboard(task: Task, score: Score, judged: Sequence[Judged], final: Final, folds: pd.DataFrame) -> pd.DataFrame:
    """One row for each model: "automl", the whole procedure, first, the others by score."""
    n_train, n_test = folds.n_train.mean(), folds.n_test.mean()
    other = [name for name in all_scores(task.kind, *_nothing(task)) if name != score.name]
    chosen, weights = chosen_name(final), final.found.weights
    whole = max(len(trial.scores) for trial in final.found.best.values())  # scores of fewer folds are not comparable
    rows = []
    for model, table in folds.groupby("model", sort=False):
        mean = mean_score(score, table[score.name])
        lower, upper = corrected_interval(known_scores(score, table[score.name]), n_train, n_test)
        cost = _cost(str(model), judged, final)
        best = final.found.best.get(str(model))
        rows.append(
            {
                "model": model,
                "score": mean,
                "lower": max(lower, score.lowest),
                "upper": min(upper, score.highest),
                "inner_score": best.mean(score) if best is not None and len(best.scores) == whole else np.nan,
                "p_null": p_value(mean, final.null, score.larger_is_better),
                "weight": weights.get(str(model), 0.0) if model in CANDIDATES else np.nan,
                "n_fits": cost[0],
                "seconds": cost[1],
                "hyperparameters": json.dumps(best.hyperparameters if best is not None else {}),
                "chosen": model == chosen,
                **{name: mean_score(SCORES[name], table[name]) for name in other},
            }
        )
    board = pd.DataFrame(rows)
    order = (-score.utility(board.score)).fillna(np.inf) - np.where(board.model == AUTOML, np.inf, 0.0)
    return board.iloc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)


def folds_table(task: Task, judged: Sequence[Judged]) -> pd.DataFrame:
    """One row for each model and outer fold, with all scores."""
    rows = [
        {
            "model": model,
            "repeat": fold.split.repeat,
            "fold": fold.split.fold,
            "n_train": len(fold.split.train),
            "n_test": len(fold.split.test),
            **all_scores(task.kind, _observed(task, fold), predicted),
        }
        for fold in judged
        for model, predicted in fold.predictions.items()
    ]
    return pd.DataFrame(rows)


def predictions_table(task: Task, judged: Sequence[Judged]) -> pd.DataFrame:
    """One row for each model and sample of each repeat: what was observed, and what was predicted without it."""
    parts = []
    for fold in judged:
        rows = fold.split.test
        for model, predicted in fold.predictions.items():
            part = {
                "model": model,
                "sample_id": task.sample_id[rows],
                "repeat": fold.split.repeat,
                "fold": fold.split.fold,
                "observed": task.y[rows],
                "prediction": predicted,
            }
            if task.classes:
                names = np.array(task.classes)
                part["observed"] = names[task.y[rows].astype(np.intp)]
                part["prediction"] = names[predicted.argmax(axis=1)]
                part |= {f"p_{name}": p for name, p in zip(task.classes, predicted.T, strict=True)}
            parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def trials_table(score: Score, judged: Sequence[Judged], final: Final) -> pd.DataFrame:
    """One row for each trial of every search; `outer` numbers outer folds, -1 is the search on all samples."""
    searches = [(FINAL, final.found.trials), *((k, fold.found.trials) for k, fold in enumerate(judged))]
    rows = [
        {
            "outer": outer,
            "model": trial.candidate,
            "trial": number,
            "state": trial.state,
            "score": trial.mean(score),
            "se": _standard_error(score, trial),
            "n_folds": len(trial.scores),
            "seconds": trial.seconds,
            "hyperparameters": json.dumps(trial.hyperparameters),
            "note": trial.note,
        }
        for outer, trials in searches
        for number, trial in enumerate(trials)
    ]
    return pd.DataFrame(rows)


def null_table(final: Final) -> pd.DataFrame:
    """Scores with permuted phenotypes."""
    return pd.DataFrame({"permutation": np.arange(len(final.null)), "score": np.array(final.null, dtype=np.float64)})


def metrics_table(task: Task, judged: Sequence[Judged]) -> pd.DataFrame:
    """Return the project's table of metrics: one row for each model and outer fold, scores of classes after the others.

    Of a binary trait, the probability of the case is what is held against its code, and against the probability given
    the true genotypes (`accuracy`); of several classes only the scores of classes are there.
    """
    rows = []
    for fold in judged:
        test = fold.split.test
        for model, predicted in fold.predictions.items():
            numbers = {"n_test": len(test), **dict.fromkeys(METRICS, np.nan)}
            truth = None if task.genetic_value is None else task.genetic_value[test]
            if task.kind == "binary":
                numbers = evaluate(predicted[:, 1], task.y[test])
                if truth is not None:  # the rest is of the phenotype, which covariates change, too
                    numbers["accuracy"] = correlation(predicted[:, 1], truth)
            elif task.kind == "continuous":
                numbers = evaluate(predicted, task.y[test], truth)
            seconds = fold.trials[model].seconds if model in fold.trials else np.nan
            head = {
                "model": model,
                "trait_id": task.trait,
                "fold": f"{fold.split.repeat + 1}.{fold.split.fold + 1}",
                "n_train": len(fold.split.train),
                "n_test": numbers.pop("n_test"),
            }
            scores = all_scores(task.kind, _observed(task, fold), predicted)
            rows.append({**head, **{name: numbers[name] for name in METRICS}, "seconds": seconds, **scores})
    return pd.DataFrame(rows)


def with_ceiling(metrics: pd.DataFrame, ceiling: Mapping[str, float]) -> pd.DataFrame:
    """Fill in the ceiling of predictive ability, of all possible samples, where test samples do not tell it."""
    return metrics.assign(ceiling=metrics.ceiling.fillna(ceiling.get("predictive_ability", np.nan)))


def _observed(task: Task, fold: Judged) -> Any:
    observed = task.y[fold.split.test]
    return observed.astype(np.intp) if task.classes else observed


def _nothing(task: Task) -> tuple[Any, Any]:
    """Return two samples, for the names of scores."""
    if not task.classes:
        return np.arange(2.0), np.arange(2.0)
    return np.arange(2), np.full((2, len(task.classes)), 1 / len(task.classes))


def _standard_error(score: Score, trial: Trial) -> float:
    known = known_scores(score, trial.scores)
    return float(np.std(known, ddof=1) / np.sqrt(len(known))) if len(known) > 1 else np.nan


def _cost(model: str, judged: Sequence[Judged], final: Final) -> tuple[int, float]:
    """Fits and seconds of a candidate in all searches and outer folds, or of all of them together."""
    if model == STACK:
        return 0, 0.0
    trials = [trial for trial in _all_trials(judged, final) if model in (AUTOML, trial.candidate)]
    null = (final.null_fits, final.null_seconds) if model == AUTOML else (0, 0.0)
    return sum(trial.n_fits for trial in trials) + null[0], sum(trial.seconds for trial in trials) + null[1]


def _all_trials(judged: Sequence[Judged], final: Final) -> Iterator[Trial]:
    yield from final.found.trials
    for fold in judged:
        yield from fold.found.trials
        yield from fold.trials.values()
