"""Breeding in cycles: the older generation is told, the next one predicted."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gpatlas.priors.breeding import even_sizes, lines_of_crosses, next_generation, random_pairs
from gpatlas.priors.founders import draw_founders
from gpatlas.priors.laws import total_value
from gpatlas.priors.prior import Lines, Prior, Size
from gpatlas.priors.task import Split
from gpatlas.simulate import Population, concatenate, make_cross


class Silva(Prior):
    """Da Silva's soybean scheme: 50 to 60 pairs, 20 to 25 F2 plants each, their F4; and the same again from those.

    Published: F4 lines of the first cycle are told, those of the second predicted. Only lines that are analysed or
    become parents are bred.
    """

    splits: ClassVar[tuple[Split, ...]] = ("generation",)
    pairs: ClassVar[tuple[int, int]] = (50, 60)
    f2_plants: ClassVar[tuple[int, int]] = (20, 25)
    selfings: ClassVar[int] = 3  # F1 to F4

    def scheme(self, rng: np.random.Generator, size: Size) -> Lines:
        """Breed two cycles."""
        n_pairs, n_plants = (int(rng.integers(*span, endpoint=True)) for span in (self.pairs, self.f2_plants))
        founders = draw_founders(rng, 2 * n_pairs, size.n_sites, inbred=True, species=("soybean",))
        couples = rng.permutation(2 * n_pairs).reshape(-1, 2)
        n_lines = n_pairs * max(n_plants, -(-size.n_context // n_pairs))
        # of all F4 lines of the first cycle: the told ones, then the parents of the second, which may be among them
        told, parents = (rng.choice(n_lines, n, replace=False) for n in (size.n_context, 2 * n_pairs))
        bred, where = np.unique(np.concatenate([told, parents]), return_inverse=True)
        first = lines_of_crosses(founders, couples, bred % n_pairs, self.selfings, rng)
        family = even_sizes(size.n_query, n_pairs, rng)
        second = lines_of_crosses(first.take(where[size.n_context :]), couples, family, self.selfings, rng)
        lines = concatenate([first.take(where[: size.n_context]), second])
        return Lines(lines, next_generation=next_generation(size.n_context, size.n_samples))


class Recurrent(Prior):
    """Recurrent selection: 3 to 8 cycles in which the best 2 to 10 % by phenotype are mated at random.

    Published: the last cycle is told, its progeny predicted. The heritability of selection, U(.2, .8), holds in the
    founders; parents of the progeny are selected by the phenotypes that are told, of the heritability of a task.
    """

    splits: ClassVar[tuple[Split, ...]] = ("generation",)
    cycles: ClassVar[tuple[int, int]] = (3, 8)
    selected: ClassVar[tuple[float, float]] = (0.02, 0.1)
    spare: ClassVar[float] = 2.0
    fewest: ClassVar[int] = 4  # parents

    def scheme(self, rng: np.random.Generator, size: Size) -> Lines:
        """Select and mate."""
        n = max(200, size.n_context)
        plants = draw_founders(rng, n, size.n_sites, subpopulations=False)
        trait = self.trait(rng, plants, size)
        h2, share = rng.uniform(0.2, 0.8), rng.uniform(*self.selected)
        value = total_value(plants, trait.group)
        error_sd = _error_sd(value, h2)
        n_cycles = int(rng.integers(*self.cycles, endpoint=True))
        for cycle in range(n_cycles):
            last = cycle == n_cycles - 1
            phenotype = value + error_sd * rng.standard_normal(n)
            plants = self._mate(plants, phenotype, share, size.n_context if last else n, rng)
            value = total_value(plants, trait.group)
        error_sd, errors = _error_sd(value, size.h2), rng.standard_normal(size.n_samples)
        progeny = self._mate(plants, value + error_sd * errors[: size.n_context], share, size.n_query, rng)
        return Lines(
            concatenate([plants, progeny]),
            next_generation=next_generation(size.n_context, size.n_samples),
            trait=trait,
            errors=errors,
            error_sd=error_sd,
        )

    def _mate(
        self,
        plants: Population,
        phenotype: NDArray[np.float64],
        share: float,
        n_progeny: int,
        rng: np.random.Generator,
    ) -> Population:
        """Mate the plants of highest phenotype."""
        n_best = max(self.fewest, round(share * len(phenotype)))
        best = np.argsort(-phenotype, kind="stable")[:n_best]
        return make_cross(plants, best[random_pairs(n_best, n_progeny, rng)], rng)


def _error_sd(value: NDArray[np.float64], h2: float) -> float:
    return float(value.std() * np.sqrt(1 / h2 - 1))
