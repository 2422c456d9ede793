"""One trial: draw hyperparameters, fit, stop early where the pruner says so, judge."""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, Trial, TrialState

from gpatlas.errors import DataError
from gpatlas.evaluate.metrics import correlation
from gpatlas.models import make
from gpatlas.models.space import Choice, Float, Integer, Space, value_at, with_values
from gpatlas.tuning.pruning import Curve, is_worse, warmup

DIVERGED = -1.0  # the value of a trial whose training diverged: the worst that a correlation can be
RESULT = "result"  # attribute of a trial that says how it went

Progress = Callable[[int, int, float], None]


@dataclass
class Objective:
    """Runs trials on data that is prepared once.

    Parameters
    ----------
    model, fixed, space
        What is fitted, with which hyperparameters, and which of them vary.
    training, validation
        Features `(n, n_loci)` and phenotypes `(n, n_traits)`, NaN where missing.
    prune
        Whether trials that do worse than the median of earlier ones are stopped.
    progress
        Called after every epoch with (epoch, max_epochs, validation loss).
    fit_seconds
        Wall time within fits so far, preparations included.
    prepared
        What `prepare` of the estimator returned, by the values of its `preparation_keys`.
    """

    model: str
    fixed: dict[str, Any]
    space: Space
    training: tuple[NDArray, NDArray[np.float64]]
    validation: tuple[NDArray, NDArray[np.float64]]
    prune: bool
    progress: Progress | None
    fit_seconds: float = 0.0
    prepared: dict[str, Any] = field(default_factory=dict)

    def run(self, trial: Trial, earlier: Sequence[FrozenTrial]) -> tuple[TrialState, float | None]:
        """Fit and judge; record what it took as an attribute of the trial, and return how it ended.

        A fit is set by its hyperparameters: a trial that repeats an earlier one takes its result over.

        Raises
        ------
        DataError
            The model cannot be fitted to these data.
        """
        drawn = draw(trial, self.space)
        for other in earlier:
            if other.params == trial.params and other.state is TrialState.COMPLETE:
                trial.set_user_attr(RESULT, {**other.user_attrs[RESULT], "fit_seconds": 0.0})
                return TrialState.COMPLETE, other.value
        estimator = make(self.model, **with_values(self.fixed, drawn))
        complete = [t.user_attrs[RESULT]["losses"] for t in earlier if t.state is TrialState.COMPLETE]
        watch = _Watch(complete if self.prune and self._one_course(estimator) else (), self.progress)
        outcome, state, value = "complete", TrialState.COMPLETE, None
        start = time.perf_counter()
        try:
            self._fit(estimator, watch)
        except optuna.TrialPruned:
            outcome, state = "pruned", TrialState.PRUNED
        except FloatingPointError:
            outcome, value = "diverged", DIVERGED
        except ValueError as error:
            raise DataError(f"model {self.model}: {' '.join(str(error).split())}") from None
        seconds = time.perf_counter() - start - watch.seconds
        self.fit_seconds += seconds
        if outcome == "complete":
            value = self._judge(estimator)
        if outcome == "pruned":
            trial.report(-min(loss for loss in watch.losses if loss is not None), len(watch.losses))  # TPE ranks by it
        trial.set_user_attr(RESULT, {"state": outcome, "losses": watch.losses, "fit_seconds": seconds})
        return state, value

    def _one_course(self, estimator: Any) -> bool:
        """Whether the epochs of a fit are those of one network; those of several cannot be compared by number."""
        return not hasattr(estimator, "one_course") or estimator.one_course(self.training[1].shape[1])

    def _fit(self, estimator: Any, watch: "_Watch") -> None:
        x, y = self.training
        extra: dict[str, Any] = {}
        if estimator.uses_validation:
            extra = {"validation": self.validation, "progress": watch}
        if hasattr(estimator, "prepare"):
            settings = estimator.get_params()
            key = json.dumps([value_at(settings, name) for name in estimator.preparation_keys], default=repr)
            if key not in self.prepared:
                self.prepared[key] = estimator.prepare(x, y, extra.get("validation"))
            extra["prepared"] = self.prepared[key]
        estimator.fit(x, y, **extra)

    def _judge(self, estimator: Any) -> float:
        """Mean over traits of the correlation with observed phenotypes; a constant prediction counts as 0."""
        x, y = self.validation
        predicted = estimator.predict(x)
        abilities = []
        for p, observed in zip(predicted.T, y.T, strict=True):
            known = ~np.isnan(observed)
            abilities.append(np.nan_to_num(correlation(p[known], observed[known])))
        return float(np.mean(abilities))


@dataclass
class _Watch:
    """Follows a fit epoch by epoch, and stops it when it does worse than earlier trials."""

    complete: Sequence[Curve]  # none where nothing is pruned
    progress: Progress | None
    losses: list[float | None] = field(default_factory=list)
    seconds: float = 0.0  # spent here, which is not fitting

    def __call__(self, epoch: int, max_epochs: int, loss: float) -> None:
        start = time.perf_counter()
        self.losses.append(loss if math.isfinite(loss) else None)
        if self.progress is not None:
            self.progress(epoch, max_epochs, loss)
        worse = is_worse(self.losses, self.complete, warmup(max_epochs))
        self.seconds += time.perf_counter() - start
        if worse:
            raise optuna.TrialPruned


def draw(trial: Trial, space: Space) -> dict[str, Any]:
    """Let the trial's sampler suggest a value for every key; choices that are no plain values go by their labels."""
    drawn: dict[str, Any] = {}
    for key, range_ in space.items():
        match range_:
            case Float():
                drawn[key] = trial.suggest_float(key, range_.low, range_.high, log=range_.log)
            case Integer():
                drawn[key] = trial.suggest_int(key, range_.low, range_.high, log=range_.log)
            case Choice():
                drawn[key] = range_.labels[trial.suggest_categorical(key, list(range_.labels))]
    return drawn
