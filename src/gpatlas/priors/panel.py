"""The panel: the loci that a model sees, a random part of those that vary enough among the context rows."""

import numpy as np
from numpy.typing import NDArray

from gpatlas.priors.kernels import count_ones, dosage
from gpatlas.simulate import Population


def draw_panel(
    population: Population,
    context: NDArray[np.bool_],
    n_markers: int,
    rng: np.random.Generator,
    *,
    rarest: float,
    wanted: NDArray | None = None,
    excluded: NDArray | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.int8]] | None:
    """Draw loci whose minor allele has a frequency of at least `rarest` among the context rows and whose dosage varies.

    Parameters
    ----------
    population
        Diploids.
    context
        bool `(n_individuals,)`.
    n_markers
        How many.
    rng
        Source of randomness.
    rarest
        Least minor allele frequency.
    wanted, excluded
        Loci that are in the panel if they qualify, and loci that are not; both may be None.

    Returns
    -------
    loci, genotypes
        Ascending indices `(n_markers,)` and int8 dosage `(n_individuals, n_markers)`; None where too few loci qualify.
    """
    bits, copies = population.haplotypes.packed(), population.copies
    rows = np.flatnonzero(np.repeat(context, copies))
    ones = count_ones(bits, rows)[: population.n_loci]
    minor = np.minimum(ones, len(rows) - ones)
    passes = minor >= max(1, rarest * len(rows))
    if copies == 2:  # where half of the alleles are "1", all rows may be heterozygous: no variation of dosage
        doubtful = np.flatnonzero(2 * ones == len(rows))
        x = dosage(bits[rows], 2, 1, doubtful)
        passes[doubtful[(x == 1).all(axis=0)]] = False
    if excluded is not None:
        passes[excluded] = False
    first = np.empty(0, dtype=np.intp)
    if wanted is not None:
        first = rng.permutation(wanted[passes[wanted]])[:n_markers]
        passes[first] = False
    others = np.flatnonzero(passes)
    missing = n_markers - len(first)
    if len(others) < missing:
        return None
    loci = np.sort(np.concatenate([first, rng.choice(others, missing, replace=False)]))
    return loci, dosage(bits, copies, 2 // copies, loci)
