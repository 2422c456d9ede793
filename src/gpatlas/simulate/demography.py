"""Population histories of founders: AlphaSimR's presets, and ones of your own.

Sizes are effective numbers of diploid individuals; time runs backward, in generations. The presets are those of
AlphaSimR 2.1 (R/founderPop.R, runMacs), whose CATTLE differs from that of versions before 1.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

from gpatlas.errors import DataError


@dataclass(frozen=True)
class Demography:
    """One population's history, and the chromosome that it is told for.

    Parameters
    ----------
    size
        Effective number of individuals now.
    length
        Base pairs of a chromosome.
    genetic_length
        Morgan of a chromosome on the founders' map.
    mutation_rate, recombination_rate
        Per base pair and generation.
    history
        `(generation, size)`: from that many generations ago and further back, the size was this one.
    split
        Generations ago that the population split into two halves, without migration since; None for one population.
    """

    size: float
    length: float
    genetic_length: float
    mutation_rate: float
    recombination_rate: float
    history: tuple[tuple[float, float], ...] = ()
    split: float | None = None

    def __post_init__(self) -> None:
        for name in ("size", "length", "genetic_length"):
            if not getattr(self, name) > 0:
                raise DataError(f"demography: {name} = {getattr(self, name):g} is not above 0")
        for name in ("mutation_rate", "recombination_rate"):
            if not getattr(self, name) >= 0:
                raise DataError(f"demography: {name} = {getattr(self, name):g} is below 0")
        times = [0.0, *(generation for generation, _ in self.history)]
        if any(not later > earlier for earlier, later in pairwise(times)):
            raise DataError(f"demography: generations must ascend from above 0, not {times[1:]}")
        if any(not size > 0 for _, size in self.history):
            raise DataError(f"demography: sizes must be above 0, not {[size for _, size in self.history]}")
        if self.split is not None and not self.split > 0:
            raise DataError(f"demography: split = {self.split:g} generations ago is not above 0")

    @classmethod
    def scaled(
        cls,
        size: float = 100,
        length: float = 1e8,
        genetic_length: float = 1.0,
        mutation_rate: float = 2.5e-8,
        sizes: Sequence[float] = (500, 1500, 6000, 12000, 100000),
        generations: Sequence[float] = (100, 1000, 10000, 100000, 1000000),
        ploidy: int = 2,
        split: float | None = None,
    ) -> Self:
        """Make a history with the arguments of AlphaSimR's runMacs2, whose defaults give `GENERIC`.

        All sizes are multiplied by ploidy/2, as there; recombination is `genetic_length` over `length`.

        Raises
        ------
        DataError
            The lists differ in length, or a number is out of its range.
        """
        if len(sizes) != len(generations):
            raise DataError(f"demography: {len(sizes)} sizes do not match {len(generations)} generations")
        factor = ploidy / 2
        history = tuple((float(g), s * factor) for g, s in zip(generations, sizes, strict=True))
        return cls(size * factor, length, genetic_length, mutation_rate, genetic_length / length, history, split)

    def to_msprime(self) -> Any:
        """Return the history as an `msprime.Demography`; split halves are its populations "A" and "B"."""
        import msprime

        demography = msprime.Demography()
        for name in "AB" if self.split is not None else "A":
            demography.add_population(name=name, initial_size=self.size)
        for generation, size in self.history:
            demography.add_population_parameters_change(time=generation, initial_size=size)
        if self.split is not None:
            just_behind = self.split + 4e-6 * self.size  # AlphaSimR's: a change of size at that time comes first
            demography.add_mass_migration(time=just_behind, source="B", dest="A", proportion=1)
        demography.sort_events()
        return demography


def _history(sizes: str, generations: str) -> tuple[tuple[float, float], ...]:
    return tuple((float(g), float(s)) for g, s in zip(generations.split(), sizes.split(), strict=True))


GENERIC = Demography.scaled()
CATTLE = Demography(
    size=90,
    length=93_333_333,
    genetic_length=0.8642667,
    mutation_rate=9.4e-9,
    recombination_rate=9.26e-9,
    history=_history(  # Macleod et al. 2013, Mol Biol Evol 30:2209
        "120 250 350 1000 1500 2000 2500 3500 7000 10000 17000 62000",
        "3 6 12 18 24 154 454 654 1754 2354 3354 33154",
    ),
)
WHEAT = Demography(
    size=50,
    length=8e8,
    genetic_length=1.43,
    mutation_rate=2e-9,
    recombination_rate=1.8e-9,
    history=_history(
        "50 100 200 300 400 500 600 700 800 900 1000 2000 3000 4000 5000 "
        "6000 7000 8000 9000 10000 12000 16000 20000 24000 28000 32000",
        "6 10 20 30 40 50 60 70 80 90 100 200 400 600 800 "
        "1000 2000 4000 6000 8000 10000 20000 40000 60000 80000 100000",
    ),
)
MAIZE = Demography(
    size=100,
    length=2e8,
    genetic_length=2.0,
    mutation_rate=1.25e-8,
    recombination_rate=1e-8,
    history=_history(
        "100 200 400 600 800 1000 1200 1400 1600 1800 2000 4000 6000 8000 10000",
        "12 20 40 60 80 100 120 140 160 180 200 800 1200 1600 2000",
    ),
)
