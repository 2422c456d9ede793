"""Animals: sires, dams, and families of half-sibs."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from gpatlas.priors.breeding import even_sizes, next_generation
from gpatlas.priors.founders import draw_founders
from gpatlas.priors.prior import Lines, Prior, Size
from gpatlas.priors.task import Split
from gpatlas.simulate import FEMALE, MALE, Population, concatenate, make_cross2


class HalfSibs(Prior):
    """Animals: 5 to 40 sires, each with dams of its own, and a second generation from their sons and daughters.

    A family are a sire's progeny. The split is between generations, between families, or random.
    """

    splits: ClassVar[tuple[Split, ...]] = ("generation", "family", "random")
    sires: ClassVar[tuple[int, int]] = (5, 40)
    litter: ClassVar[tuple[int, int]] = (1, 4)  # a dam's progeny

    def scheme(self, rng: np.random.Generator, size: Size) -> Lines:
        """Mate sires to dams, and their sons to their daughters."""
        litter = int(rng.integers(*self.litter, endpoint=True))
        n_sires = int(rng.integers(*self.sires, endpoint=True))
        n_dams = -(-size.n_context // litter)
        animals = draw_founders(rng, n_sires + n_dams, size.n_sites, species=("cattle",), subpopulations=False)
        sires, dams = (animals.take(rows) for rows in np.split(np.arange(n_sires + n_dams), [n_sires]))
        first, family = _mate(sires, dams, size.n_context, rng)
        first = first.with_sexes("systematic")
        sons, daughters = (rng.permutation(np.flatnonzero(first.sex == sex)) for sex in (MALE, FEMALE))
        n_dams = -(-size.n_query // litter)
        second, younger = _mate(first.take(sons[:n_sires]), first.take(daughters[:n_dams]), size.n_query, rng)
        return Lines(
            concatenate([first, second]),
            family=np.concatenate([family, n_sires + younger]),
            next_generation=next_generation(size.n_context, size.n_samples),
        )


def _mate(
    sires: Population, dams: Population, n_progeny: int, rng: np.random.Generator
) -> tuple[Population, NDArray[np.intp]]:
    """Give every dam to one sire and share the progeny among dams; return them with the index of their sire."""
    sire_of_dam = rng.permutation(np.arange(dams.n_individuals) % sires.n_individuals)
    dam = even_sizes(n_progeny, dams.n_individuals, rng)
    plan = np.column_stack([dam, sire_of_dam[dam]])
    return make_cross2(dams, sires, plan, rng), sire_of_dam[dam]
