"""Founders of tasks: mosaics of a random history, and the parents of crosses, with loci that differ among them."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gpatlas.packed import PackedBits
from gpatlas.priors.laws import allele_frequency
from gpatlas.priors.maps import PLANTS, chromosome_lengths, draw_map, from_first_locus
from gpatlas.simulate import Population, from_haplotypes, mosaic, mosaic_of

_FEW = 200  # haplotypes among which loci are sought that differ; among more nearly all do


def draw_founders(
    rng: np.random.Generator,
    n: int,
    n_sites: int,
    *,
    inbred: bool = False,
    species: tuple[str, ...] = PLANTS,
    subpopulations: bool = True,
) -> Population:
    """Draw founders from a random history of two depths.

    Founders are mosaics of 4 to 64 ancestors in long pieces, and those of 4 to 16 older ones in short pieces, at
    0.5 to 15 and at 15 to 500 switches per Morgan: close loci are in linkage disequilibrium, and founders are related.
    All are drawn evenly on a log scale. Alleles of the oldest have frequencies of the neutral law 1/x or of Beta(a, a),
    a = U(.3, 2). In half of draws there are two to four subpopulations, each with 4 to 24 ancestors of its own, which
    makes them differ by about F = 1/24 to 1/4.

    Parameters
    ----------
    rng
        Source of randomness.
    n
        Number of founders.
    n_sites
        Loci; those of few founders all segregate among them.
    inbred
        Whether founders are inbred lines.
    species
        Whose maps are drawn from; see `gpatlas.priors.maps`.
    subpopulations
        Whether there may be several.
    """
    few = n * (1 if inbred else 2) <= _FEW
    lengths = chromosome_lengths(rng, species)
    n_groups = int(rng.integers(2, 5)) if subpopulations and rng.random() < 0.5 else 1
    n_ancestors = int(_log_uniform(rng, 4, 65 if n_groups == 1 else 25))
    n_oldest = int(_log_uniform(rng, 4, 17))
    long, short = _log_uniform(rng, 0.5, 15), _log_uniform(rng, 15, 500)
    evenness = rng.uniform(0.3, 2.0)
    frequency: tuple[float, float] | Literal["reciprocal"] = "reciprocal" if rng.random() < 0.5 else (evenness,) * 2
    drawn = 2 * n_sites if few else n_sites
    while True:
        ancestors = mosaic(
            n_ancestors * n_groups,
            n_oldest,
            *draw_map(lengths, drawn, rng),
            rng,
            switch_rate=short,
            frequency=frequency,
            inbred=True,
        )
        founders = mosaic_of(
            ancestors,
            n,
            rng,
            switch_rate=long,
            subpopulation=rng.integers(n_groups, size=n),
            n_subpopulations=n_groups,
            inbred=inbred,
        )
        if not few:
            return founders
        share = allele_frequency(founders)
        different = np.flatnonzero((share > 0) & (share < 1))
        if len(different) >= n_sites:
            return take_loci(founders, np.sort(rng.choice(different, n_sites, replace=False)))
        drawn = int(1.3 * drawn * n_sites / max(len(different), n_sites / 8))


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def draw_parents(rng: np.random.Generator, n_sites: int) -> Population:
    """Draw two inbred parents and loci at which they differ.

    In half of draws the parents are related: they share the share f = U(0, .5) of their genome, in pieces of 20 cM or
    multiples of it, where no loci are drawn then.
    """
    lengths = chromosome_lengths(rng)
    shared = rng.uniform(0.0, 0.5) if rng.random() < 0.5 else 0.0
    while True:
        chromosome, position = draw_map(lengths, int(2.5 * n_sites) if shared else n_sites, rng)
        piece = (np.concatenate([[0.0], np.cumsum(lengths)])[chromosome - 1] + position) // 0.2
        alike = rng.random(int(piece.max()) + 1) < shared
        different = np.flatnonzero(~alike[piece.astype(np.intp)])
        if len(different) >= n_sites:
            break
    loci = np.sort(rng.choice(different, n_sites, replace=False))
    first = rng.integers(0, 2, n_sites, dtype=np.uint8)
    return from_haplotypes(np.stack([first, 1 - first]), chromosome[loci], position[loci], ploidy=2, inbred=True)


def take_loci(population: Population, loci: NDArray[np.intp]) -> Population:
    """Keep some loci, ascending; positions are measured from each chromosome's first one that is kept."""
    chromosome = population.chromosome[loci]
    return Population(
        PackedBits.pack(population.haplotypes.unpack(loci=loci)),
        population.ploidy,
        population.inbred,
        chromosome,
        from_first_locus(chromosome, population.position[loci]),
    )
