"""How fast training goes, and when it ends: functions of the step and of the validation losses so far."""

import math
from collections.abc import Sequence

from gpatlas.config import PerceiverRecipe
from gpatlas.train.pace import warm_up_cosine


def learning_rate(step: int, recipe: PerceiverRecipe, losses: Sequence[float]) -> float:
    """Learning rate of a step: it rises linearly, then falls along a half cosine, or from plateau to plateau.

    Parameters
    ----------
    step
        From 0.
    losses
        Of all validations so far.
    """
    if recipe.schedule == "plateau" and step >= recipe.warm_up * recipe.n_steps:
        return recipe.learning_rate * recipe.plateau_factor ** n_plateaus(losses, recipe.plateau_patience)
    return warm_up_cosine(step, recipe.n_steps, recipe.learning_rate, recipe.warm_up)


def n_plateaus(losses: Sequence[float], patience: int) -> int:
    """Return how often the loss did not fall below its lowest for `patience` validations."""
    found, lowest, waited = 0, math.inf, 0
    for loss in losses:
        waited = 0 if loss < lowest else waited + 1
        lowest = min(lowest, loss)
        if waited == patience:
            found, waited = found + 1, 0
    return found


def has_ended(losses: Sequence[float], patience: int) -> bool:
    """Whether none of the last `patience` losses is lower than all before."""
    if len(losses) <= patience:
        return False
    return min(losses[-patience:]) >= min(losses[:-patience])
