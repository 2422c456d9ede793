"""Small populations for tests of the networks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Draw:
    """A task, as `gpatlas.priors` makes them."""

    genotypes: NDArray[np.int8]
    chromosome: NDArray[np.int32]
    phenotype: NDArray[np.float64]
    genetic_value: NDArray[np.float64]
    context: NDArray[np.bool_]


def draw(rng, n=60, m=80, n_context=40, n_qtl=3, h2=0.6, n_chromosomes=2):
    """An F2 of recombinant chromosomes: linked markers, few QTL."""
    per = m // n_chromosomes
    switched = rng.random((2 * n, n_chromosomes, per)) < 0.05
    switched[:, :, 0] = rng.random((2 * n, n_chromosomes)) < 0.5
    haplotypes = np.cumsum(switched, axis=2) % 2
    x = haplotypes.reshape(n, 2, m).sum(axis=1).astype(np.int8)
    g = x[:, rng.choice(m, n_qtl, replace=False)] @ rng.normal(size=n_qtl)
    y = g + rng.normal(size=n) * np.sqrt(g.var() * (1 / h2 - 1) + 1e-6)
    context = np.arange(n) < n_context
    chromosome = np.repeat(np.arange(1, n_chromosomes + 1), per).astype(np.int32)
    return Draw(x, chromosome, y, g, context)
