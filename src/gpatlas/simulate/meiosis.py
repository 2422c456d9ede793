"""`Meiosis`: how a gamete's crossovers are spread over the genetic map (AlphaSimR src/meiosis.cpp).

The gamma-sprinkling model of Housworth & Stumpf (2003, Am. J. Hum. Genet. 73:188). On the bundle of four strands a
share 1 - p of the chiasmata interfere: the gaps between them are Gamma(shape v, rate 2v(1 - p)). The others are a
Poisson process of rate 2p. A gamete receives each chiasma with probability 1/2, so a Morgan holds one crossover on
average. There is no obligate chiasma. v = 1 or p = 1 gives Haldane's map function; v = 2.6, p = 0 is near Kosambi's.

The process is stationary along the chromosome. AlphaSimR lets it run in from 9 to 10 Morgan before the first locus,
which is the same law but for a term of order exp(-80) at v = 2.6.

Chromosomes pair as bivalents; in polyploids the homologues are shuffled and pair two by two. Quadrivalents are not
simulated.
"""

from dataclasses import dataclass

import numpy as np

from gpatlas.errors import ConfigError


@dataclass(frozen=True)
class Meiosis:
    """Interference and the sexes' recombination rates.

    Parameters
    ----------
    v
        Shape of the gamma gaps, positive; larger is stronger interference.
    p
        Share of chiasmata that do not interfere, 0 to 1.
    female_to_male
        Recombination of females over that of males, f: a female's map is 2f/(1 + f) times the population's, a male's
        2/(1 + f) times (AlphaSimR `setRecombRatio`).
    """

    v: float = 2.6
    p: float = 0.0
    female_to_male: float = 1.0

    def __post_init__(self) -> None:
        for name, value, allowed, meant in (
            ("v", self.v, 0 < self.v < np.inf, "positive and finite"),
            ("p", self.p, 0 <= self.p <= 1, "from 0 to 1"),
            ("female_to_male", self.female_to_male, 0 < self.female_to_male < np.inf, "positive and finite"),
        ):
            if not allowed:
                raise ConfigError(f"meiosis: {name} = {value:g} is not {meant}")

    @property
    def female(self) -> float:
        """Factor from the population's map to the females'."""
        return 2 * self.female_to_male / (1 + self.female_to_male)

    @property
    def male(self) -> float:
        """Factor from the population's map to the males'."""
        return 2 / (1 + self.female_to_male)
