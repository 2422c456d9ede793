"""Random mating over many generations."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gpatlas.priors.breeding import random_pairs
from gpatlas.priors.founders import draw_founders
from gpatlas.priors.prior import Lines, Prior, Size
from gpatlas.simulate import make_cross

_SMALLEST = 50  # a deme is split only where both parts stay this large


class Wild(Prior):
    """500 to 1 000 outbred founders, 20 to 50 generations of random pairs within demes that split now and then.

    Published: at every generation a deme splits with a chance p = U(.1, .3), here the largest one, at a random place.
    """

    founders: ClassVar[tuple[int, int]] = (500, 1000)
    generations: ClassVar[tuple[int, int]] = (20, 50)
    split_chance: ClassVar[tuple[float, float]] = (0.1, 0.3)
    spare: ClassVar[float] = 1.3

    def scheme(self, rng: np.random.Generator, size: Size) -> Lines:
        """Mate at random; the analysed individuals are the last generation, or a part of it."""
        n, generations = (int(rng.integers(*span, endpoint=True)) for span in (self.founders, self.generations))
        chance, demes, plans = rng.uniform(*self.split_chance), np.array([n]), []
        for generation in range(1, generations + 1):
            if rng.random() < chance:
                demes = split_largest(demes, rng)
            plans.append(_mates(demes, n if generation < generations else size.n_samples, rng))
        n_ancestors, plans = ancestors_only(plans)
        plants = draw_founders(rng, n_ancestors, size.n_sites, subpopulations=False)
        for plan in plans:
            plants = make_cross(plants, plan, rng)
        return Lines(plants)


def split_largest(demes: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
    """Split the largest deme in two at a random place, if it is large enough; demes are sizes `(n_demes,)`."""
    largest = int(demes.argmax())
    if demes[largest] < 2 * _SMALLEST:
        return demes
    part = int(rng.integers(_SMALLEST, demes[largest] - _SMALLEST, endpoint=True))
    return np.concatenate([demes[:largest], [part, demes[largest] - part], demes[largest + 1 :]])


def _mates(demes: NDArray[np.intp], n_progeny: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw the parents `(n_progeny, 2)` of the next generation, deme by deme, as many as demes are large."""
    ends = np.cumsum(demes)
    shares = np.diff(np.round(ends * (n_progeny / ends[-1])).astype(np.intp), prepend=0)
    pairs = [random_pairs(deme, share, rng) for deme, share in zip(demes, shares, strict=True)]
    return np.concatenate(pairs) + np.repeat(ends - demes, shares)[:, None]


def ancestors_only(plans: list[NDArray[np.intp]]) -> tuple[int, list[NDArray[np.intp]]]:
    """Leave out of crossing plans, each `(n_progeny, 2)`, whoever has no descendant in the last generation.

    Returns
    -------
    n_founders
        How many founders have one.
    plans
        The plans of the others, numbered anew.
    """
    needed, kept = np.arange(len(plans[-1])), []
    for plan in reversed(plans):
        needed, parents = np.unique(plan[needed], return_inverse=True)
        kept.append(parents.reshape(-1, 2))
    return len(needed), kept[::-1]
