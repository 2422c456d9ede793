"""Founder populations: AlphaSimR's `quickHaplo` and `newMapPop`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gpatlas.packed import PackedBits, random_bits
from gpatlas.simulate.population import Population


def quick_haplo(
    n_individuals: int,
    loci_per_chromosome: Sequence[int],
    rng: np.random.Generator,
    *,
    genetic_length: Sequence[float] | float = 1.0,
    ploidy: int = 1,
    inbred: bool = False,
) -> Population:
    """Draw founders whose alleles are independent Bernoulli(1/2) (AlphaSimR `quickHaplo`, R/founderPop.R).

    Parameters
    ----------
    n_individuals
        Number of founders.
    loci_per_chromosome
        Segregating sites of each chromosome (AlphaSimR `segSites`); sites are equally spaced on the map.
    rng
        Source of randomness.
    genetic_length
        Morgan, one number or one per chromosome.
    ploidy
        Chromosome sets; 1 gives haploids.
    inbred
        Whether all copies within an individual are identical.

    Returns
    -------
    Population
        Realised frequencies vary and a site may be monomorphic, as in AlphaSimR.
    """
    sites = np.asarray(loci_per_chromosome)
    lengths = np.broadcast_to(genetic_length, sites.shape)
    copies = 1 if inbred else ploidy
    position = [np.linspace(0.0, length, n) if n > 1 else np.zeros(n) for n, length in zip(sites, lengths, strict=True)]
    return Population(
        haplotypes=random_bits(n_individuals * copies, int(sites.sum()), rng),
        ploidy=ploidy,
        inbred=inbred,
        chromosome=np.repeat(np.arange(1, len(sites) + 1, dtype=np.int32), sites),
        position=np.concatenate(position),
    )


def from_haplotypes(
    haplotypes: NDArray,
    chromosome: NDArray,
    position: NDArray,
    *,
    ploidy: int = 1,
    inbred: bool = False,
) -> Population:
    """Make a population from given haplotypes (AlphaSimR `newMapPop`).

    Parameters
    ----------
    haplotypes
        0/1 `(n_individuals · copies, n_loci)`, individual-major; `copies` is the ploidy, or 1 when inbred.
    chromosome
        `(n_loci,)` 1-based chromosome numbers, ascending.
    position
        `(n_loci,)` Morgan; the first position of every chromosome is subtracted, as `SimParam` does.
    ploidy, inbred
        See `Population`.
    """
    chromosome = np.asarray(chromosome, dtype=np.int32)
    position = np.asarray(position, dtype=np.float64)
    first = np.searchsorted(chromosome, chromosome)
    return Population(PackedBits.pack(haplotypes), ploidy, inbred, chromosome, position - position[first])
