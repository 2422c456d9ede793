"""Trials of hyperparameters: fit to the training samples, stop early and judge on the validation samples.

The value of a trial is the mean over traits of its predictive ability on validation. Tuning is given a dataset
without test samples, so that it cannot look at them.
"""

import math
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, TrialState

from gpatlas import __version__
from gpatlas.config.experiment import VALIDATION_SHARE
from gpatlas.dataset import Dataset, Fold
from gpatlas.errors import DataError, StoreError
from gpatlas.models import make
from gpatlas.models.space import Space, with_values
from gpatlas.seeding import stable_seed
from gpatlas.tuning.distributions import value_of
from gpatlas.tuning.objective import RESULT, Objective, Progress
from gpatlas.tuning.study import INDEX, SharedStudy

OnTrial = Callable[[dict[str, Any], int], None]


@dataclass(frozen=True)
class TuneResult:
    """What tuning found.

    Parameters
    ----------
    hyperparameters
        The fixed ones, completed by the best trial's.
    value
        Mean predictive ability of the best trial on validation.
    trials
        One row per trial: trial (0-based), state ("complete", "pruned", "diverged"), value (NaN if pruned),
        validation_loss (the lowest), epochs, fit_seconds (0 where an earlier trial was the same), and a column for
        each key of the space.
    fit_seconds, seconds
        Wall time within model fits, and of everything, in this process; waiting for other processes is not in it.
    cpu_seconds
        Processor time of everything, in this process.
    n_train, n_validation
        Samples that set parameters, and samples that judged.
    """

    hyperparameters: dict[str, Any]
    value: float
    trials: list[dict[str, Any]]
    fit_seconds: float
    seconds: float
    cpu_seconds: float
    n_train: int
    n_validation: int


def tune_dataset(
    view: Dataset,
    model: str,
    hyperparameters: Mapping[str, Any],
    space: Space,
    n_trials: int,
    seed: int,
    journal: Path,
    *,
    pruner: Literal["median", "none"] = "median",
    progress: Progress | None = None,
    on_trial: OnTrial | None = None,
) -> TuneResult:
    """Search hyperparameters until `n_trials` trials have finished, over all processes on the same journal.

    Parameters
    ----------
    view
        A dataset without test samples (`Dataset.without_test`).
    model, hyperparameters
        For `gpatlas.models.make`; the space varies around these.
    space
        Key → range.
    n_trials
        Finished trials to come to, counting those that the journal holds.
    seed
        Of drawing hyperparameters, and of the fits, which all start from the same random state.
    journal
        Optuna's journal file; an existing one is gone on with.
    pruner
        "median" stops trials whose validation loss is worse than the median of earlier ones at the same epoch.
    progress
        Called after every epoch with (epoch, max_epochs, validation loss).
    on_trial
        Called with the row of every trial that ends in this process, and how many have finished anywhere.

    Raises
    ------
    DataError
        The model cannot be fitted to these data, or every trial diverged.
    ConfigError, StoreError
        See `SharedStudy`; a range gives a value that the model does not accept.
    """
    assert not len(view.rows(Fold.test)), "tuning is given a dataset without test samples"
    estimator = make(model, **hyperparameters)
    if estimator.uses_validation:
        import gpatlas.train.regression  # noqa: F401 - torch's import is no part of tuning
    start, cpu_start = time.perf_counter(), time.process_time()
    identity = {
        "dataset": view.content_hash,
        "model": model,
        "hyperparameters": with_values(hyperparameters, dict.fromkeys(space)),  # those that vary do not count
        "space": {key: range_.describe() for key, range_ in space.items()},
        "pruner": pruner,
        "seed": seed,
        "gpatlas": __version__,
    }
    train, stop = selection_rows(view)
    seed = stable_seed(seed, view.content_hash, bits=63)
    objective = Objective(
        model=model,
        fixed=_with_random_state(estimator, hyperparameters, stable_seed(seed, "fit", bits=31)),
        space=space,
        training=(view.features(train), view.phenotypes[train]),
        validation=(view.features(stop), view.phenotypes[stop]),
        prune=pruner == "median",
        progress=progress,
    )
    study = SharedStudy(journal, identity, seed)
    try:
        with closing(study.trials(n_trials)) as trials:
            for trial in trials:
                state, value = objective.run(trial, study.finished())
                study.tell(trial, state, value)
                if on_trial is not None:
                    finished = study.finished()
                    on_trial(next(_row(t, space) for t in finished if t.number == trial.number), len(finished))
        rows = [_row(trial, space) for trial in study.finished()]
        waited = study.waited
    except OSError as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"cannot write {journal}: {error.strerror}") from None
    finally:
        study.close()
    complete = [row for row in rows if row["state"] == "complete"]
    if not complete:
        raise DataError(f"model {model}: training diverged in all {len(rows)} trials; vary other values of the space")
    best = max(complete, key=lambda row: row["value"])  # the first of equals
    return TuneResult(
        hyperparameters=with_values(hyperparameters, {key: best[key] for key in space}),
        value=best["value"],
        trials=rows,
        fit_seconds=objective.fit_seconds,
        seconds=time.perf_counter() - start - waited,
        cpu_seconds=time.process_time() - cpu_start,
        n_train=len(train),
        n_validation=len(stop),
    )


def selection_rows(view: Dataset) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows that trials are fitted to and those that judge them.

    A dataset without validation samples (protocol "published") gives its last training samples to judge.

    Raises
    ------
    DataError
        Too few samples to have both.
    """
    train, stop = view.rows(Fold.train), view.rows(Fold.validation)
    if not len(stop):
        size = round(VALIDATION_SHARE * len(train))
        train, stop = train[: len(train) - size], train[len(train) - size :]
    if not len(train) or not len(stop):
        raise DataError(f"the dataset has {view.n_samples} samples outside the test fold, too few to tune with")
    return train, stop


def _with_random_state(estimator: Any, hyperparameters: Mapping[str, Any], random_state: int) -> dict[str, Any]:
    if "random_state" in estimator.get_params() and "random_state" not in hyperparameters:
        return {**hyperparameters, "random_state": random_state}
    return dict(hyperparameters)


def _row(trial: FrozenTrial, space: Space) -> dict[str, Any]:
    result = trial.user_attrs[RESULT]
    drawn = {key: value_of(range_, trial.params[key]) for key, range_ in space.items()}
    losses = result["losses"]
    return {
        "trial": trial.user_attrs[INDEX],
        "state": result["state"],
        "value": math.nan if trial.state is TrialState.PRUNED else trial.value,
        "validation_loss": min((loss for loss in losses if loss is not None), default=math.nan),
        "epochs": len(losses),
        "fit_seconds": result["fit_seconds"],
        **drawn,
    }
