"""Genetic maps that tasks are drawn on: lengths of crops' and cattle's chromosomes, which are approximate for barley,
maize, rice and soybean, and made-up ones; loci are not spread evenly.
"""

import numpy as np
from numpy.typing import NDArray

from gpatlas.simulate import WHEAT

# Lengths in Morgan of chromosomes. Those of cattle are the autosomes' as published (Arias et al. 2009, BMC Genetics
# 10:18, Table 3), and wheat's are AlphaSimR's. The others are approximate, not copied from a table: their sums are near
# the published lengths of the whole map, and how chromosomes share in them is about right.
#   barley   1 099 cM in all (Close et al. 2009, BMC Genomics 10:582), by about the chromosomes' shares of the DNA
#   maize    1 400 cM in all (McMullen et al. 2009, Science 325:737), by about the chromosomes' shares of the DNA
#   rice     1 522 cM in all (Harushima et al. 1998, Genetics 148:479); here 1 527
#   soybean  2 296 cM in all (Hyten et al. 2010, Crop Science 50:960); here 2 293
MAPS: dict[str, tuple[float, ...]] = {
    "barley": (1.35, 1.74, 1.63, 1.60, 1.54, 1.47, 1.66),
    "cattle": (
        *(1.660, 1.480, 1.418, 1.325, 1.300, 1.342, 1.255, 1.244, 1.103, 1.189, 1.299, 1.173, 1.183, 1.274, 1.103),
        *(1.124, 0.970, 1.032, 1.008, 0.737, 0.902, 0.914, 0.900, 0.858, 0.620, 0.698, 0.609, 0.573, 0.680),
    ),
    "maize": (2.04, 1.62, 1.57, 1.64, 1.49, 1.16, 1.21, 1.20, 1.06, 1.00),
    "rice": (1.818, 1.579, 1.664, 1.296, 1.223, 1.244, 1.186, 1.211, 0.935, 0.838, 1.179, 1.095),
    "soybean": (
        *(0.98, 1.41, 1.00, 1.12, 0.87, 1.37, 1.35, 1.47, 1.00, 1.33),
        *(1.24, 1.21, 1.20, 1.08, 1.00, 0.92, 1.19, 1.05, 1.01, 1.13),
    ),
    "wheat": (WHEAT.genetic_length,) * 21,
}
PLANTS = ("barley", "maize", "rice", "soybean", "wheat")


def chromosome_lengths(rng: np.random.Generator, species: tuple[str, ...] = PLANTS) -> NDArray[np.float64]:
    """Draw Morgans per chromosome: a species', or in a third of draws 5 to 25 chromosomes of 0.7 to 2 Morgan."""
    if rng.random() < 1 / 3:
        return rng.uniform(0.7, 2.0, rng.integers(5, 26))
    return np.array(MAPS[species[rng.integers(len(species))]])


def draw_map(
    lengths: NDArray[np.float64], n_loci: int, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Place loci on chromosomes, uniformly along the DNA.

    Most genomes recombine towards the ends of their chromosomes. At the fraction u of a chromosome's DNA the map stands
    at the fraction F(u) of its length, F the distribution function of Beta(a, a): a = 1 is an even map, in half of the
    draws, and a = U(.3, 1) in the others crowds loci around the middle, as in maize or wheat.

    Parameters
    ----------
    lengths
        Morgan `(n_chromosomes,)`.
    n_loci
        How many; a chromosome has them in proportion to its length, at random.
    rng
        Source of randomness.

    Returns
    -------
    chromosome
        int32 `(n_loci,)`, from 1, ascending.
    position
        float64 `(n_loci,)`, Morgan from the chromosome's first locus, ascending; the last one is at its length.
    """
    from scipy.special import betainc

    evenness = 1.0 if rng.random() < 0.5 else rng.uniform(0.3, 1.0)
    counts = rng.multinomial(n_loci, lengths / lengths.sum())
    chromosome = np.repeat(np.arange(1, len(lengths) + 1, dtype=np.int32), counts)
    along = rng.random(n_loci)
    along = along[np.lexsort((along, chromosome))]
    position = from_first_locus(chromosome, betainc(evenness, evenness, along))
    last = position[np.searchsorted(chromosome, chromosome, side="right") - 1]
    return chromosome, position * np.divide(lengths[chromosome - 1], last, out=np.zeros(n_loci), where=last > 0)


def from_first_locus(chromosome: NDArray[np.int32], position: NDArray[np.float64]) -> NDArray[np.float64]:
    """Measure positions from every chromosome's first locus."""
    return position - position[np.searchsorted(chromosome, chromosome)]
