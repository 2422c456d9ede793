"""Which rows a model is told: random ones, whole families, or the older generation."""

import numpy as np
from numpy.typing import NDArray

from gpatlas.priors.task import Split

MIN_CONTEXT = 10


def random_split(n: int, n_context: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Choose `n_context` of n rows, `(n,)`."""
    context = np.zeros(n, dtype=bool)
    context[rng.permutation(n)[:n_context]] = True
    return context


def family_split(family: NDArray, n_context: int, rng: np.random.Generator) -> NDArray[np.bool_] | None:
    """Choose whole families, in random order, until `n_context` rows are reached; at least one family is left out.

    Returns
    -------
    ndarray or None
        `(n,)`; None where no such choice leaves ten rows of context.
    """
    codes, members = np.unique(family, return_counts=True)
    order = rng.permutation(len(codes))
    told = np.cumsum(members[order])
    n_told = min(int(np.searchsorted(told, n_context)) + 1, len(codes) - 1)
    if n_told < 1 or told[n_told - 1] < MIN_CONTEXT:
        return None
    return np.isin(family, codes[order[:n_told]])


def split_rows(
    n: int,
    n_context: int,
    family: NDArray | None,
    next_generation: NDArray | None,
    allowed: tuple[Split, ...],
    rng: np.random.Generator,
) -> tuple[NDArray[np.bool_], Split]:
    """Split by one of the allowed ways, each as likely as the others where the lines have what it takes.

    Parameters
    ----------
    n, n_context
        Rows, and how many of them the context should have; where families or generations decide, they do.
    family, next_generation
        Of every row, or None: see `gpatlas.priors.Lines`.
    allowed
        Ways to choose from.
    rng
        Source of randomness.

    Returns
    -------
    context
        bool `(n,)`.
    split
        What was done; "random" where families are too few to leave one out.
    """
    possible = {"random": True, "family": family is not None, "generation": next_generation is not None}
    ways = [way for way in allowed if possible[way]]
    way = ways[rng.integers(len(ways))] if ways else "random"
    if way == "generation" and next_generation is not None:
        return ~next_generation, way
    if way == "family" and family is not None:
        context = family_split(family, n_context, rng)
        if context is not None:
            return context, way
    return random_split(n, n_context, rng), "random"
