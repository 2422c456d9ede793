"""`Prior`: what all schemes share, from a population of lines to a task."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import ConfigError, EngineError
from gpatlas.priors.laws import Trait, TraitLaw, n_hidden_sites, total_value
from gpatlas.priors.panel import draw_panel
from gpatlas.priors.splits import MIN_CONTEXT, split_rows
from gpatlas.priors.task import Split, Task
from gpatlas.seeding import stable_seed
from gpatlas.simulate import Population

_ATTEMPTS = 8


@dataclass(frozen=True)
class Size:
    """How large a population a scheme is asked for.

    Parameters
    ----------
    n_samples
        Rows of the task: individuals that the scheme returns.
    n_context
        Rows that a model will be told, about; where there is a next generation, exactly those that are not in it.
    n_markers
        Loci of the panel.
    n_sites
        Loci to simulate: the panel, hidden QTL, and spare ones for those that are lost.
    h2
        Heritability of the phenotypes that are told, for schemes that select by them.
    """

    n_samples: int
    n_context: int
    n_markers: int
    n_sites: int
    h2: float

    @property
    def n_query(self) -> int:
        """Rows that a model will predict."""
        return self.n_samples - self.n_context


@dataclass(frozen=True)
class Lines:
    """What a scheme returns.

    Parameters
    ----------
    population
        The analysed individuals, diploid.
    family
        int `(n,)`, code of each individual's family; None without families.
    next_generation
        bool `(n,)`, True for descendants of the others; None where there is one generation.
    trait
        The trait for which the scheme selected; None where it selected for none.
    errors
        Errors of the analysed phenotypes in their standard deviations `(n,)`, where lines were selected by these
        phenotypes; else None.
    error_sd
        Their standard deviation in the unit of the trait.
    """

    population: Population
    family: NDArray[np.integer] | None = None
    next_generation: NDArray[np.bool_] | None = None
    trait: Trait | None = None
    errors: NDArray[np.float64] | None = None
    error_sd: float = 0.0


class Prior(ABC):
    """A generator of tasks. A subclass has a docstring and a `scheme`; what else differs, it overrides.

    Parameters
    ----------
    law : TraitLaw, default=TraitLaw()
        What traits are drawn from.
    h2 : (float, float), default=(0.1, 0.9)
        Range of the heritability among the rows of a task, or among those that are told where a scheme selects by their
        phenotypes; uniform.
    """

    context_share: ClassVar[tuple[float, float]] = (0.5, 0.9)  # of all rows; uniform
    splits: ClassVar[tuple[Split, ...]] = ("random",)
    rarest_marker: ClassVar[tuple[float, ...]] = (0.0, 0.01, 0.05)  # least frequency of a marker; one of them
    spare: ClassVar[float] = 1.2  # loci simulated per locus needed

    def __init__(self, law: TraitLaw | None = None, h2: tuple[float, float] = (0.1, 0.9)):
        if not 0 < h2[0] <= h2[1] < 1:
            raise ConfigError(f"prior {self.name}: h2 = {h2}; a range within (0, 1) is allowed, ends excluded")
        self.law = law or TraitLaw()
        self.h2 = h2

    @property
    def name(self) -> str:
        """The scheme's name in tasks: the class's, in words."""
        name = type(self).__name__
        return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))

    @abstractmethod
    def scheme(self, rng: np.random.Generator, size: Size) -> Lines:
        """Breed: return `size.n_samples` individuals with about `size.n_sites` loci."""

    def trait(self, rng: np.random.Generator, population: Population, size: Size) -> Trait:
        """Draw a trait on a population."""
        return self.law.draw(population, size.n_markers, rng)

    def draw(self, seed: int, n_samples: int, n_markers: int) -> Task:
        """Draw a task; the same arguments give the same bytes.

        Raises
        ------
        ConfigError
            Fewer than 11 samples or one marker.
        EngineError
            The scheme leaves too few polymorphic loci, however many are simulated.
        """
        if n_samples <= MIN_CONTEXT or n_markers < 1:
            raise ConfigError(
                f"prior {self.name}: n_samples = {n_samples}, n_markers = {n_markers}; "
                f"at least {MIN_CONTEXT + 1} samples and 1 marker are allowed"
            )
        rng = np.random.default_rng(stable_seed(seed, self.name, n_samples, n_markers))
        n_context = int(np.clip(rng.uniform(*self.context_share) * n_samples, MIN_CONTEXT, n_samples - 1))
        h2 = float(rng.uniform(*self.h2))
        rarest = self.rarest_marker[rng.integers(len(self.rarest_marker))]
        n_sites = self.spare * (n_markers + n_hidden_sites(n_markers))
        for attempt in range(_ATTEMPTS):
            size = Size(n_samples, n_context, n_markers, int(n_sites * 2**attempt), h2)
            lines = self.scheme(rng, size)
            task = self._analyse(rng, lines, size, rarest, h2, seed)
            if task is not None:
                return task
            rarest = 0.0  # what is rare here is all that there is
        raise EngineError(
            f"prior {self.name}: {n_markers} polymorphic markers were not found among {size.n_sites} simulated loci "
            f"of {n_samples} samples; ask for fewer markers or more samples"
        )

    def _analyse(
        self, rng: np.random.Generator, lines: Lines, size: Size, rarest: float, h2: float, seed: int
    ) -> Task | None:
        """Give the lines a trait, errors and a panel; None where the trait does not vary or loci are too few."""
        population = lines.population
        trait = lines.trait or self.trait(rng, population, size)
        context, split = split_rows(
            size.n_samples, size.n_context, lines.family, lines.next_generation, self.splits, rng
        )
        value = total_value(population, trait.group)
        spread = value.std()
        if not spread > 1e-9 * max(1.0, np.abs(value).max()) or np.ptp(value[context]) == 0:
            return None
        errors = lines.errors
        if errors is None:
            errors = rng.standard_normal(len(value))
        else:
            h2 = float(spread**2 / (spread**2 + lines.error_sd**2))
        value = (value - value.mean()) * (np.sqrt(h2) / spread)
        phenotype = value + errors * np.sqrt(1 - h2)
        qtl = trait.group.loci
        panel = draw_panel(
            population,
            context,
            size.n_markers,
            rng,
            rarest=rarest,
            wanted=None if trait.hidden else qtl,
            excluded=qtl if trait.hidden else None,
        )
        if panel is None:
            return None
        loci, genotypes = panel
        return Task(
            genotypes=genotypes,
            chromosome=population.chromosome[loci],
            position=population.position[loci],
            phenotype=phenotype,
            genetic_value=value,
            context=context,
            scheme=self.name,
            law=trait.law,
            h2=h2,
            n_qtl=len(qtl),
            hidden=trait.hidden,
            split=split,
            seed=seed,
        )
