"""What a run did, in sentences with counts."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gpatlas.automl.candidates import CANDIDATES
from gpatlas.automl.nested import AUTOML, Final, Judged
from gpatlas.automl.resampling import Resampling
from gpatlas.automl.settings import Settings
from gpatlas.automl.task import Task
from gpatlas.evaluate.scores import Score
from gpatlas.wording import several

_SHOWN = 3  # candidates named with their scores


def narrative(
    task: Task,
    settings: Settings,
    score: Score,
    outer: Resampling,
    judged: Sequence[Judged],
    final: Final,
    leaderboard: Any,
) -> list[dict[str, str]]:
    """Return steps and their texts, in the order in which they were done."""
    honest = leaderboard[leaderboard.model == AUTOML].iloc[0]
    steps = [("task", text) for text in task.account]
    steps.append(("task", f"X is {task.n_samples:,} samples × {task.n_loci:,} loci{_covariates(task)}."))
    steps += [("search", text) for text in _search(task, settings, score, final)]
    steps += [("stack", text) for text in _stack(settings, final)]
    steps.append(("nest", _nest(score, outer, judged, honest)))
    steps += [("nest", text) for text in _unjudged(judged)]
    if settings.permutations:
        steps.append(("null", _null(score, settings, final, honest)))
    return [{"step": step, "text": text} for step, text in steps]


def _covariates(task: Task) -> str:
    if not task.n_covariates:
        return ", without covariates"
    names = task.feature_id[task.n_loci :].tolist()
    return f" and {several(task.n_covariates, 'column')} of covariates ({', '.join(names)})"


def _search(task: Task, settings: Settings, score: Score, final: Final) -> Iterator[str]:
    found = final.found
    states = Counter(trial.state for trial in found.trials)
    counts = ", ".join(f"{count} {state}" for state, count in states.items())
    seconds = settings.budget_seconds
    budget = several(settings.budget_fits, "fit") if seconds is None else f"{seconds:g} s in all"
    yield (
        f"{several(len(settings.competing(task.kind)), 'candidate')} competed for the best {score.text}, "
        f"on a budget of {budget}: {several(len(found.trials), 'trial')} ({counts}), "
        f"{several(sum(trial.n_fits for trial in found.trials), 'fit')}. {found.folds.text}"
    )
    most = max(len(trial.scores) for trial in found.best.values())
    whole = [trial for trial in found.best.values() if len(trial.scores) == most]
    ranked = sorted(whole, key=lambda trial: -trial.utility(score))
    best = ", ".join(f"{_title(t.candidate)} {t.mean(score):.3f}" for t in ranked[:_SHOWN])
    yield f"Best on held-out folds: {best}." + (
        f" {_title(found.winner)} was taken: the cheapest within a standard error of the best." * settings.one_se
    )
    if found.unseen:
        yield f"The budget did not reach {', '.join(map(_title, found.unseen))}."
    failed = {trial.candidate: trial.note for trial in found.trials if trial.state == "failed"}
    for name, note in failed.items():
        yield f"{_title(name)} could not be fitted: {note}."
    warned = Counter(trial.candidate for trial in found.trials if trial.note and trial.state != "failed")
    for name, count in warned.items():
        note = next(t.note for t in found.trials if t.candidate == name and t.note and t.state != "failed")
        yield f"{_title(name)} warned in {count} trial{'s' * (count > 1)}: {note.rstrip('.')}."


def _stack(settings: Settings, final: Final) -> Iterator[str]:
    found = final.found
    if not settings.stack:
        yield "Candidates were not averaged, as asked."
    elif found.stacked:
        shares = ", ".join(f"{_title(name)} {weight:.2f}" for name, weight in found.weights.items())
        yield (
            f"The average of {len(found.weights)} candidates ({shares}) is better than the best alone by more than a "
            "standard error, and was chosen."
        )
    elif len(found.stack_weights) > 1:
        yield (
            f"An average of candidates is not better by a standard error than {_title(found.winner)} alone, which "
            "stands."
        )
    else:
        yield f"An average would be of {_title(found.winner)} alone."


def _nest(score: Score, outer: Resampling, judged: Sequence[Judged], honest: Any) -> str:
    chosen = Counter("an average" if fold.found.stacked else _title(fold.found.winner) for fold in judged)
    picks = ", ".join(f"{name} {count} time{'s' * (count > 1)}" for name, count in chosen.most_common())
    return (
        f"{outer.text} In each the whole search was done again on the training samples, and judged on the others: "
        f"{score.text} {honest.score:.3f}{_interval(honest)}. It chose {picks}."
    )


def _interval(honest: Any) -> str:
    if np.isnan(honest.lower):
        return ""
    return f" (95 % interval {honest.lower:.3f} to {honest.upper:.3f}, corrected for training samples in common)"


def _unjudged(judged: Sequence[Judged]) -> Iterator[str]:
    failed = Counter(name for fold in judged for name, trial in fold.trials.items() if trial.state == "failed")
    for name, count in failed.items():
        yield f"{_title(name)} could not be fitted in {count} of {len(judged)} of these; its scores are of the others."


def _null(score: Score, settings: Settings, final: Final, honest: Any) -> str:
    null = np.array(final.null)
    if not len(null):
        return f"{_title(final.found.winner)} could be fitted to none of {settings.permutations} permutations."
    failed = settings.permutations - len(null)
    least = ", the least that so few can show" if np.isclose(honest.p_null, 1 / (1 + len(null))) else ""
    return (
        f"{_title(final.found.winner)} fitted to permuted phenotypes, {len(null)} times: mean {score.text} "
        f"{null.mean():.3f}, from {null.min():.3f} to {null.max():.3f}; "
        f"p = {honest.p_null:.2g} for the score above{least}."
        + (f" It could not be fitted to {several(failed, 'other')}." if failed else "")
    )


def _title(name: str) -> str:
    return CANDIDATES[name].title
