"""Founder populations, AlphaSimR's `quickHaplo` and `newMapPop`, and simple maps for them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gpatlas.packed import PackedBits, random_bits
from gpatlas.simulate.population import Population


def even_map(
    loci_per_chromosome: Sequence[int], genetic_length: Sequence[float] | float = 1.0
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return a map of equally spaced loci: chromosome `(n_loci,)` and position in Morgan, 0 … genetic_length."""
    sites = np.asarray(loci_per_chromosome)
    lengths = np.broadcast_to(genetic_length, sites.shape)
    position = [np.linspace(0.0, length, n) if n > 1 else np.zeros(n) for n, length in zip(sites, lengths, strict=True)]
    return np.repeat(np.arange(1, len(sites) + 1, dtype=np.int32), sites), np.concatenate(position)


def random_map(
    loci_per_chromosome: Sequence[int], rng: np.random.Generator, genetic_length: Sequence[float] | float = 1.0
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return a map of loci at uniformly random places, as `even_map` does; every chromosome's first one is at 0."""
    sites = np.asarray(loci_per_chromosome)
    lengths = np.broadcast_to(genetic_length, sites.shape)
    position = [np.sort(rng.random(n)) * length for n, length in zip(sites, lengths, strict=True)]
    chromosome = np.repeat(np.arange(1, len(sites) + 1, dtype=np.int32), sites)
    return chromosome, np.concatenate([along - along[:1] for along in position])


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
    chromosome, position = even_map(loci_per_chromosome, genetic_length)
    haplotypes = random_bits(n_individuals * (1 if inbred else ploidy), len(position), rng)
    return Population(haplotypes, ploidy, inbred, chromosome, position)


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
