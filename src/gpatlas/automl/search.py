"""The search: which candidate, with which hyperparameters, predicts held-out samples best.

A budget is spent where it looks best spent, in three steps: all candidates on two folds, cheapest first, for at most
half of it; the better half of them on the other folds; then trials of hyperparameters for fewer and fewer of these.
Every step waits for the one before, and draws depend on earlier steps alone. So with a budget in fits the result is
the same for any number of processes; a budget in seconds depends on the machine.
"""

import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optuna

from gpatlas.automl.board import Job, Result, key_of
from gpatlas.automl.candidates import CANDIDATES
from gpatlas.automl.resampling import Resampling, Split, resample
from gpatlas.automl.settings import LOOK_FOLDS, LOOK_SHARE, Settings
from gpatlas.automl.task import Task
from gpatlas.automl.trial import Trial, joined, run_trial, trial_of
from gpatlas.evaluate.scores import Score, known_scores, score_for
from gpatlas.models.space import Space
from gpatlas.models.stacking import stack, stack_classes
from gpatlas.seeding import stable_seed
from gpatlas.tuning.distributions import distribution, label, value_of
from gpatlas.tuning.pruning import is_worse
from gpatlas.tuning.study import tpe_sampler

RACE_SHARE = 0.6  # of what is left of the budget after the first step
LEAST_RACED = 3  # candidates that go on from the first step, if the budget allows
STEPS_PER_HALF = 3  # trials of each contender before the worse half of them goes
FRESH_DRAWS = 5  # times that a draw may repeat an earlier trial before a candidate counts as exhausted

Steps = Generator[Sequence[Job], Mapping[str, Result], Any]


@dataclass(frozen=True)
class Found:
    """What a search found.

    Parameters
    ----------
    winner
        Name of the best candidate (or, with one standard error, of the cheapest that is as good).
    best
        Candidate → its best trial; of candidates that were dropped after the first step, on its folds only.
    weights
        Candidate → weight in the average; the winner alone where candidates are not averaged.
    intercept
        What is added to the average of a continuous trait.
    stack_weights, stack_intercept
        The same, had they been averaged in any case; empty where there is only one.
    stacked
        Whether they are averaged.
    trials
        All of them, in the order in which they were planned.
    folds
        That trials were compared on.
    unseen
        Candidates that the budget did not reach.
    """

    winner: str
    best: dict[str, Trial]
    weights: dict[str, float]
    intercept: float
    stack_weights: dict[str, float]
    stack_intercept: float
    stacked: bool
    trials: tuple[Trial, ...]
    folds: Resampling
    unseen: tuple[str, ...]


@dataclass
class Search:
    """One search on one task; `flow` is run by `gpatlas.automl.board`.

    Parameters
    ----------
    task
        All its samples are for the search to see.
    settings
        With the budget of this search.
    name
        Of the search in the journal.
    """

    task: Task
    settings: Settings
    name: str
    trials: list[Trial] = field(default_factory=list)
    folds: Resampling = field(init=False)
    score: Score = field(init=False)
    fit_seed: int = field(init=False)

    def __post_init__(self) -> None:
        seed = self.settings.seed
        self.folds = resample(self.task, self.settings.inner_folds, 1, stable_seed(seed, self.name, "inner"))
        self.score = score_for(self.task.kind, self.settings.metric)
        self.fit_seed = stable_seed(seed, self.name, "fit", bits=31)

    def flow(self) -> Steps:
        """Search; returns `Found`, or None where no candidate could be fitted."""
        looked = yield from self._look()
        unseen = tuple(c for c in self.settings.competing(self.task.kind) if c not in looked)
        complete = yield from self._race(looked, RACE_SHARE)
        if complete:
            yield from self._tune(complete)
            others = {name: trial for name, trial in looked.items() if name not in complete and trial in self.trials}
            complete |= yield from self._race(others, 1.0, at_least=0)  # where there is nothing to tune
        return self._choose(looked, complete, unseen)

    def _look(self) -> Generator[Sequence[Job], Mapping[str, Result], dict[str, Trial]]:
        """Fit all candidates with their defaults to the first folds, as far as half of the budget goes."""
        splits = self.folds.splits[:LOOK_FOLDS]
        looked: dict[str, Trial] = {}
        for batch in self._batches(splits):
            done = yield from self._run([(name, {}, splits) for name in batch])
            looked |= {trial.candidate: trial for trial in done}
        return looked

    def _batches(self, splits: Sequence[Split]) -> Iterator[list[str]]:
        """Candidates in batches: all that fits are for, or, where seconds count, one after the other."""
        names = self.settings.competing(self.task.kind)
        if self.settings.budget_seconds is None:
            yield list(names[: max(1, int(LOOK_SHARE * self.settings.budget_fits) // len(splits))])
            return
        rows = len(splits[0].train)
        for name in names:
            expected = len(splits) * CANDIDATES[name].work(rows, self.task.X.shape[1], self.task.kind)
            if not self.trials or self._spent() + expected <= LOOK_SHARE * self.settings.budget_seconds:
                yield [name]

    def _race(
        self, looked: Mapping[str, Trial], share: float, at_least: int = 1
    ) -> Generator[Sequence[Job], Mapping[str, Result], dict[str, Trial]]:
        """Fit the better half to the other folds, too, as far as this share of what is left goes."""
        ranked = [trial for trial in self._ranked(looked.values()) if trial.state == "complete"]
        rest = self.folds.splits[LOOK_FOLDS:]
        if not rest:
            return {trial.candidate: trial for trial in ranked}
        most, room = max(LEAST_RACED, math.ceil(len(ranked) / 2)), share * self._left()
        entered: list[Trial] = []
        for trial in ranked[:most]:
            room -= self._price(trial, len(rest))
            if len(entered) < at_least or room >= 0:
                entered.append(trial)
        done = yield from self._run([(trial.candidate, {}, rest) for trial in entered])
        raced = {}
        for head, tail in zip(entered, done, strict=True):
            whole = joined(head, tail)
            self.trials[self.trials.index(head)] = whole
            self.trials.remove(tail)
            if whole.state == "complete":
                raced[whole.candidate] = whole
        return raced

    def _tune(self, complete: dict[str, Trial]) -> Steps:
        """Draw hyperparameters for the candidates that are ahead; puts better trials into `complete`."""
        spaces = {name: CANDIDATES[name].space(self.task.kind) for name in complete}
        contenders = [name for name in complete if spaces[name]]
        n_contenders, step = len(contenders), 0
        while contenders:
            allowed = max(1, math.ceil(n_contenders / 2 ** (step // STEPS_PER_HALF)))
            ranked = [t.candidate for t in self._ranked(complete.values()) if t.candidate in contenders]
            asked, room = [], self._left()
            for name in ranked[:allowed]:
                drawn = self._draw(name, spaces[name])
                if drawn is None:
                    contenders.remove(name)
                    continue
                room -= self._price(complete[name], len(self.folds))
                if room >= 0:
                    asked.append((name, drawn, self.folds.splits))
            if not asked:
                if room < 0:
                    return
                continue
            for trial in (yield from self._run(asked, prune=True)):
                best = complete[trial.candidate]
                if trial.state == "complete" and trial.utility(self.score) > best.utility(self.score):
                    complete[trial.candidate] = trial
            step += 1

    def _draw(self, name: str, space: Space) -> dict[str, Any] | None:
        """Draw hyperparameters where earlier trials of the candidate were good; None where all draws repeat one."""
        earlier = [trial for trial in self.trials if trial.candidate == name]
        known = {key_of(trial.hyperparameters) for trial in earlier}
        for attempt in range(FRESH_DRAWS):
            seed = stable_seed(self.settings.seed, self.name, "draw", name, len(earlier), attempt, bits=31)
            study = optuna.create_study(direction="maximize", sampler=tpe_sampler(seed))
            for trial in earlier:
                utility = trial.utility(self.score)
                if trial.hyperparameters and np.isfinite(utility):
                    study.add_trial(_as_optuna(trial, space, utility))
            drawn = study.ask({key: distribution(range_) for key, range_ in space.items()}).params
            values = {key: value_of(range_, drawn[key]) for key, range_ in space.items()}
            if key_of(values) not in known:
                return values
        return None

    def _run(
        self, asked: Sequence[tuple[str, dict[str, Any], Sequence[Split]]], prune: bool = False
    ) -> Generator[Sequence[Job], Mapping[str, Result], list[Trial]]:
        """Have trials run: candidate, hyperparameters and folds of each."""
        complete = [t for t in self.trials if t.state == "complete" and len(t.scores) == len(self.folds)]
        curves = [self._curve(trial.scores) for trial in complete]
        mark = stable_seed(0, curves, bits=32) if prune else 0  # trials stopped by other curves are other trials

        def stop(scores: Sequence[float]) -> bool:
            return is_worse(self._curve(scores), curves, LOOK_FOLDS)

        jobs = []
        for name, drawn, splits in asked:
            key = key_of(self.name, name, drawn, [split.fold for split in splits], mark)

            def run(name: str = name, drawn: dict = drawn, splits: Sequence[Split] = splits) -> Result:
                return run_trial(
                    self.task, splits, name, drawn, self.score, self.fit_seed, stop if prune else None
                )  # fmt: skip

            jobs.append(Job(key, run))
        results = yield jobs
        done = [trial_of(results[job.key]) for job in jobs]
        self.trials += done
        return done

    def _curve(self, scores: Sequence[float]) -> list[float | None]:
        """Loss after each fold: the mean so far of minus the utility."""
        curve: list[float | None] = []
        for n in range(1, len(scores) + 1):
            known = [value for value in scores[:n] if not math.isnan(value)]
            curve.append(-self.score.utility(sum(known) / len(known)) if known else None)
        return curve

    def _choose(self, looked: dict[str, Trial], complete: dict[str, Trial], unseen: tuple[str, ...]) -> Found | None:
        failed = {trial.candidate for trial in self.trials if trial.state == "failed" and not trial.hyperparameters}
        fitted = complete or {
            name: trial for name, trial in looked.items() if trial.state == "complete" and name not in failed
        }
        if not fitted:
            return None
        ranked = self._ranked(fitted.values())
        winner = ranked[0]
        if self.settings.one_se and len(winner.scores) > 1:
            known = known_scores(self.score, winner.scores)
            error = known.std(ddof=1) / math.sqrt(len(known)) if len(known) > 1 else 0.0
            enough = winner.utility(self.score) - error
            order = [c for c in CANDIDATES if c in fitted]
            winner = next(fitted[c] for c in order if fitted[c].utility(self.score) >= enough)
        alone = {winner.candidate: 1.0}
        best = {name: trial for name, trial in looked.items() if name not in failed} | complete
        averaged, intercept, stacked = self._average(fitted, winner) if complete else ({}, 0.0, False)
        stacked = stacked and self.settings.stack and not self.settings.one_se
        return Found(
            winner=winner.candidate,
            best=best,
            weights=averaged if stacked else alone,
            intercept=intercept if stacked else 0.0,
            stack_weights=(averaged or alone) if self.settings.stack else {},
            stack_intercept=intercept,
            stacked=stacked,
            trials=tuple(self.trials),
            folds=self.folds,
            unseen=unseen,
        )

    def _average(self, fitted: dict[str, Trial], winner: Trial) -> tuple[dict[str, float], float, bool]:
        """Weigh candidates by their held-out predictions; says also whether that is surely better than the winner."""
        names = [name for name in CANDIDATES if name in fitted]
        if len(names) < 2:
            return {}, 0.0, False
        rows = np.concatenate([split.test for split in self.folds])
        predicted = np.stack([np.concatenate(fitted[name].predictions) for name in names])
        y, best = self.task.y[rows], names.index(winner.candidate)
        if self.task.classes:
            codes = y.astype(np.intp)
            weights, _ = stack_classes(predicted, codes, best, "stack")
            stacked = stack_classes(predicted, codes, best)[1]
            intercept = 0.0
        else:
            _, weights, _ = stack(predicted, y, "stack", best)
            stacked = stack(predicted, y, "auto", best)[2]
            intercept = float(y.mean() - weights @ predicted.mean(axis=1))
        shares = {name: float(weight) for name, weight in zip(names, weights, strict=True) if weight > 0}
        return shares, intercept, stacked and len(shares) > 1

    def _ranked(self, trials: Any) -> list[Trial]:
        """Best first; of equals the cheaper candidate."""
        order = {name: k for k, name in enumerate(CANDIDATES)}
        return sorted(trials, key=lambda trial: (-trial.utility(self.score), order[trial.candidate]))

    def _spent(self) -> float:
        in_fits = self.settings.budget_seconds is None
        return sum(trial.n_fits if in_fits else trial.seconds for trial in self.trials)

    def _left(self) -> float:
        budget = self.settings.budget_seconds
        return (self.settings.budget_fits if budget is None else budget) - self._spent()

    def _price(self, trial: Trial, n_folds: int) -> float:
        """What so many folds of a trial like this one take of the budget."""
        if self.settings.budget_seconds is None:
            return n_folds
        return n_folds * trial.seconds / max(1, trial.n_fits)


def _as_optuna(trial: Trial, space: Space, utility: float) -> optuna.trial.FrozenTrial:
    return optuna.trial.create_trial(
        params={key: label(range_, trial.hyperparameters[key]) for key, range_ in space.items()},
        distributions={key: distribution(range_) for key, range_ in space.items()},
        value=utility,
    )
