"""Learning rates over the steps of a training."""

import math


def warm_up_cosine(step: int, n_steps: int, highest: float, warm_up: float) -> float:
    """Return the learning rate of a step, from 0: it rises linearly, then falls along a half cosine.

    Parameters
    ----------
    step, n_steps
        Which, of how many.
    highest
        Learning rate at the end of the rise.
    warm_up
        Share of the steps in which it rises.
    """
    rising = warm_up * n_steps
    if step < rising:
        return highest * (step + 1) / (rising + 1)
    return highest * (1 + math.cos(math.pi * (step - rising) / (n_steps - rising))) / 2
