"""One candidate with one set of hyperparameters, fitted to some folds and judged on what they leave out."""

import base64
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.automl.candidates import CANDIDATES
from gpatlas.automl.resampling import Split
from gpatlas.automl.task import Task
from gpatlas.evaluate.scores import Score, mean_score

_FAILURES = (ValueError, ArithmeticError, RuntimeError, MemoryError, ImportError)  # LinAlgError is a ValueError


@dataclass(frozen=True, eq=False)
class Trial:
    """What came of it.

    Parameters
    ----------
    candidate, hyperparameters
        What was fitted; hyperparameters that are not named have their defaults.
    state
        "complete", "pruned" (worse than the median of earlier trials after some folds) or "failed".
    scores
        One for each fold that was judged.
    predictions
        Of each such fold's test samples: `(n_test,)`, or probabilities `(n_test, n_classes)`.
    seconds, n_fits
        What it cost.
    note
        Why it failed, or the first warning.
    """

    candidate: str
    hyperparameters: dict[str, Any]
    state: str
    scores: tuple[float, ...]
    predictions: tuple[NDArray[np.float64], ...]
    seconds: float
    n_fits: int
    note: str = ""

    def mean(self, score: Score) -> float:
        """Mean score over folds, NaN where there is none."""
        return mean_score(score, self.scores)

    def utility(self, score: Score) -> float:
        """Mean score, turned round so that more is better; minus infinity where there is none."""
        value = score.utility(self.mean(score))
        return -np.inf if np.isnan(value) else float(value)


def run_trial(
    task: Task,
    splits: Sequence[Split],
    candidate: str,
    hyperparameters: Mapping[str, Any],
    score: Score,
    seed: int,
    stop: Any = None,
) -> dict[str, Any]:
    """Fit, predict and judge, fold by fold, as a record for the journal.

    Parameters
    ----------
    task, splits
        Data and folds.
    candidate, hyperparameters
        What to fit.
    score
        What to judge by.
    seed
        Of the estimator: the same for all trials, so that they differ in hyperparameters alone.
    stop
        Called with the scores so far after every fold but the last; True ends the trial.
    """
    scores: list[float] = []
    predictions: list[NDArray] = []
    state, note, start = "complete", "", time.perf_counter()
    for number, split in enumerate(splits, start=1):
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                predicted = fit_and_predict(task, split, candidate, hyperparameters, seed)
        except _FAILURES as error:
            state, note = "failed", f"{type(error).__name__}: {' '.join(str(error).split())}"
            break
        if caught and not note:
            note = " ".join(str(caught[0].message).split())
        observed = task.y[split.test]
        scores.append(score.compute(observed.astype(np.intp) if task.classes else observed, predicted))
        predictions.append(predicted)
        if stop is not None and number < len(splits) and stop(scores):
            state = "pruned"
            break
    return {
        "candidate": candidate,
        "hyperparameters": dict(hyperparameters),
        "state": state,
        "scores": [None if np.isnan(value) else value for value in scores],
        "predictions": [_encoded(values) for values in predictions],
        "seconds": time.perf_counter() - start,
        "n_fits": len(scores) + (state == "failed"),
        "note": note[:300],
    }


def trial_of(record: Mapping[str, Any]) -> Trial:
    """Return the trial that a record holds."""
    return Trial(
        candidate=record["candidate"],
        hyperparameters=dict(record["hyperparameters"]),
        state=record["state"],
        scores=tuple(np.nan if value is None else value for value in record["scores"]),
        predictions=tuple(_decoded(text, shape) for text, shape in record["predictions"]),
        seconds=record["seconds"],
        n_fits=record["n_fits"],
        note=record["note"],
    )


def joined(head: Trial, tail: Trial) -> Trial:
    """Return the trial whose first folds are one trial and whose other folds are another."""
    return Trial(
        candidate=head.candidate,
        hyperparameters=head.hyperparameters,
        state=tail.state,
        scores=head.scores + tail.scores,
        predictions=head.predictions + tail.predictions,
        seconds=head.seconds + tail.seconds,
        n_fits=head.n_fits + tail.n_fits,
        note=head.note or tail.note,
    )


def fit_and_predict(
    task: Task, split: Split, candidate: str, hyperparameters: Mapping[str, Any], seed: int
) -> NDArray[np.float64]:
    """Fit to the training samples of a fold and predict its test samples.

    Returns
    -------
    ndarray
        `(n_test,)`, or probabilities of the task's classes `(n_test, n_classes)`.

    Raises
    ------
    ValueError
        The model cannot be fitted, or predicts something that is no number.
    """
    estimator = CANDIDATES[candidate].make(task.kind, task.n_covariates, seed, **hyperparameters)
    y = task.y[split.train]
    estimator.fit(task.X[split.train], y.astype(np.intp) if task.classes else y)
    return predict(estimator, task.X[split.test], len(task.classes))


def predict(estimator: Any, X: NDArray, n_classes: int) -> NDArray[np.float64]:
    """Predict `(n,)`, or with classes their probabilities `(n, n_classes)`, 0 for a class that was not there to fit."""
    if not n_classes:
        predicted = np.asarray(estimator.predict(X), dtype=np.float64).reshape(len(X))
    else:
        predicted = np.zeros((len(X), n_classes))
        predicted[:, np.asarray(estimator.classes_, dtype=np.intp)] = estimator.predict_proba(X)
    if not np.isfinite(predicted).all():
        raise ValueError("predictions are not all finite")
    return predicted


def _encoded(values: NDArray[np.float64]) -> tuple[str, list[int]]:
    return base64.b64encode(values.astype("<f4").tobytes()).decode(), list(values.shape)


def _decoded(text: str, shape: Sequence[int]) -> NDArray[np.float64]:
    return np.frombuffer(base64.b64decode(text), dtype="<f4").reshape(shape).astype(np.float64)
