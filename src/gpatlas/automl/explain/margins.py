"""What a model computes before it is turned into probabilities, and whether that is linear in the features."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Margin = Callable[[NDArray], Array]

LARGEST_PROBED = 30_000  # features; each is moved once
_PAIRS = 50  # of samples, at whose midpoints a linear model is the mean of the two
_TOLERANCE = 1e-3  # of the margins' standard deviation: dosages are float32
_VALUES_AT_ONCE = 2**24


def predicted(model: Any, X: NDArray, kind: str, y: Array) -> Array:
    """Return values `(n_samples,)`, or probabilities of all codes in y `(n_samples, n_classes)`."""
    if kind == "continuous":
        return np.asarray(model.predict(X), dtype=np.float64)
    found = np.zeros((len(X), int(y.max()) + 1))
    found[:, np.asarray(model.classes_).astype(int)] = model.predict_proba(X)
    return found


def margins(model: Any, kind: str, y: Array) -> Margin:
    """Return a function of X: values, log odds of two classes, or centred log probabilities `(n, n_outputs)`."""

    def of(X: NDArray) -> Array:
        values = predicted(model, X, kind, y)
        if kind == "continuous":
            return values[:, None]
        logs = np.log(np.clip(values, 1e-12, 1 - 1e-12))
        return logs[:, 1:] - logs[:, :1] if kind == "binary" else logs - logs.mean(axis=1, keepdims=True)

    return of


def slopes(margin: Margin, X: NDArray, rng: np.random.Generator) -> Array | None:
    """Return slopes of a linear margin `(n_outputs, n_features)`, None if it is not linear.

    The model is asked, not opened: at midpoints of pairs of samples first, which tells whether it is linear at all,
    then at the mean with one feature moved at a time; the slopes must then reproduce the margins of the pairs.

    Parameters
    ----------
    margin
        As of `margins`.
    X
        `(n_samples, n_features)`, complete.
    rng
        Chooses pairs.
    """
    n, p = X.shape
    if p > LARGEST_PROBED:
        return None
    a, b = X[rng.integers(n, size=_PAIRS)], X[rng.integers(n, size=_PAIRS)]
    at_a, at_b = margin(a), margin(b)
    allowed = _TOLERANCE * np.concatenate([at_a, at_b]).std(axis=0) + 1e-9
    if (np.abs(margin((a + b) / 2) - (at_a + at_b) / 2) > allowed).any():
        return None
    mean, step = X.mean(axis=0), X.std(axis=0)
    step = np.where(step > 0, step, 1.0).astype(X.dtype)
    at_mean = margin(mean[None, :])[0]
    found = np.empty((at_a.shape[1], p))
    at_once = max(_VALUES_AT_ONCE // p, 1)
    for start in range(0, p, at_once):
        columns = np.arange(start, min(start + at_once, p))
        moved = np.repeat(mean[None, :], len(columns), axis=0)
        moved[np.arange(len(columns)), columns] += step[columns]
        found[:, columns] = (
            (margin(moved) - at_mean) / (moved[np.arange(len(columns)), columns] - mean[columns])[:, None]
        ).T
    rebuilt = at_mean + (a - mean) @ found.T
    return None if (np.abs(rebuilt - at_a) > 10 * allowed).any() else found
