"""Steps that several schemes share: parents of crosses, and lines that are bred from them."""

import numpy as np
from numpy.typing import NDArray

from gpatlas.simulate import Population, make_cross, make_dh, self_pollinate


def random_pairs(n_parents: int, n_pairs: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw pairs of different parents `(n_pairs, 2)`; a parent may be in several."""
    first = rng.integers(n_parents, size=n_pairs)
    return np.column_stack([first, (first + rng.integers(1, n_parents, size=n_pairs)) % n_parents])


def even_sizes(n: int, n_families: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Share n individuals among families as evenly as it goes, in random order: family codes `(n,)`, ascending."""
    sizes = np.full(n_families, n // n_families)
    sizes[rng.permutation(n_families)[: n % n_families]] += 1
    return np.repeat(np.arange(n_families), sizes)


def self_repeatedly(population: Population, generations: int, rng: np.random.Generator) -> Population:
    """Self every plant and go on with one of its progeny (single seed descent)."""
    for _ in range(generations):
        population = self_pollinate(population, rng)
    return population


def lines_of_crosses(
    parents: Population,
    pairs: NDArray[np.intp],
    family: NDArray[np.intp],
    generations: int,
    rng: np.random.Generator,
) -> Population:
    """Cross pairs of parents and breed lines: doubled haploids, or by single seed descent.

    Parameters
    ----------
    parents
        Their F1 of pair k is the family k.
    pairs
        Indices of parents `(n_families, 2)`.
    family
        The family of each line `(n,)`.
    generations
        Selfings after the F1: 1 gives F2 plants, 5 gives F6 lines; 0 stands for doubled haploids.
    rng
        Source of randomness.
    """
    f1 = make_cross(parents, pairs, rng)
    plants = f1.take(family)
    return make_dh(plants, rng) if generations == 0 else self_repeatedly(plants, generations, rng)


def next_generation(n_context: int, n_samples: int) -> NDArray[np.bool_]:
    """Mark the rows after the first `n_context`, `(n_samples,)`."""
    return np.arange(n_samples) >= n_context
