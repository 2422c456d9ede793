"""Weights of models that are averaged, from how they predict samples that they were not fitted to.

Stacked regression (Breiman 1996, Machine Learning 24:49) with his non-negativity constraint: least squares of what was
observed on what the members predicted. Weights are estimates, too, so that they count only where the average is better
than the best member alone by more than a standard error.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls


def stack(
    predicted: NDArray[np.float64], y: NDArray[np.float64], combine: str = "auto", best: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """Weigh predictions of a continuous trait.

    Parameters
    ----------
    predicted
        Held-out predictions `(n_members, n)`.
    y
        Phenotypes `(n,)`.
    combine
        "stack" weighs members, "best" takes one alone, "auto" weighs them where that is better by a standard error.
    best
        The member that the average has to beat; None is the one with the largest correlation.

    Returns
    -------
    r : ndarray of shape (n_members,)
        Correlation of each member with the trait, 0 of a constant one.
    weights : ndarray of shape (n_members,)
        Of deviations from each member's mean; the best member's is its least-squares slope, 0 at the least.
    stacked : bool
        Whether members were weighed.
    """
    centred = predicted - predicted.mean(axis=1, keepdims=True)
    left = y - y.mean()
    squares, with_trait = (centred**2).sum(axis=1), centred @ left
    size = float((left**2).sum())
    r = np.divide(with_trait, np.sqrt(squares * size), out=np.zeros(len(centred)), where=squares * size > 0)
    alone = np.zeros(len(r))
    k = int(np.argmax(r)) if best is None else best
    alone[k] = max(0.0, with_trait[k] / squares[k]) if squares[k] > 0 else 0.0
    if combine == "best":
        return r, alone, False
    weights, _ = nnls(centred.T, left)
    if combine == "auto":
        gain = (left - alone @ centred) ** 2 - (left - weights @ centred) ** 2
        if not surely_positive(gain):
            return r, alone, False
    return r, weights, True


def stack_classes(
    probability: NDArray[np.float64], codes: NDArray[np.intp], best: int, combine: str = "auto"
) -> tuple[NDArray[np.float64], bool]:
    """Weigh probabilities of classes; weights sum to one, so that their average is one of probabilities again.

    Parameters
    ----------
    probability
        Held-out `(n_members, n, n_classes)`.
    codes
        Observed classes `(n,)`.
    best
        The member that the average has to beat, by its Brier score.
    combine
        As for `stack`.

    Returns
    -------
    weights : ndarray of shape (n_members,)
        One for the best member, 0 for the others, where they were not weighed.
    stacked : bool
        Whether members were weighed.
    """
    n_members, _, n_classes = probability.shape
    alone = np.eye(n_members)[best]
    outcome = np.eye(n_classes)[codes]
    weights, _ = nnls(probability.reshape(n_members, -1).T, outcome.reshape(-1))
    if combine == "best" or not weights.any():
        return alone, False
    weights /= weights.sum()
    if combine == "auto":
        losses = (((np.tensordot(w, probability, 1) - outcome) ** 2).sum(axis=1) for w in (alone, weights))
        if not surely_positive(next(losses) - next(losses)):
            return alone, False
    return weights, True


def surely_positive(gain: NDArray[np.float64]) -> bool:
    """Whether the mean gain of samples is more than its standard error."""
    return bool(gain.mean() > gain.std() / np.sqrt(len(gain)))
