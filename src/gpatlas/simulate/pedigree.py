"""The pedigree over a simulation, and families within a population."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import DataError
from gpatlas.simulate.population import Population

Family = Literal["both", "mother", "father"]


@dataclass(frozen=True)
class Pedigree:
    """Who descends from whom, parents before their progeny.

    `pedigree.next_id` is the `first_id` that keeps ids unique over several crosses of the same parents.

    Parameters
    ----------
    id
        int64 `(n_individuals,)`, unique.
    mother, father
        int64 `(n_individuals,)`, ids; 0 is unknown.
    """

    id: NDArray[np.int64]
    mother: NDArray[np.int64]
    father: NDArray[np.int64]

    @classmethod
    def of(cls, *populations: Population) -> "Pedigree":
        """Make the pedigree of populations, given in the order of their making."""
        nobody = np.empty(0, dtype=np.int64)
        pedigree = cls(nobody, nobody, nobody)
        for population in populations:
            pedigree = pedigree.extended(population)
        return pedigree

    def extended(self, population: Population) -> "Pedigree":
        """Return the pedigree with a population's individuals added.

        Raises
        ------
        DataError
            An id is there already, or twice in the population, or a parent is not in the pedigree.
        """
        found, counts = np.unique(np.concatenate([self.id, population.id]), return_counts=True)
        if (counts > 1).any():
            raise DataError(
                f"pedigree: id {found[counts > 1][0]} is there twice; give the cross first_id={self.next_id}"
            )
        for who, parents in (("mother", population.mother), ("father", population.father)):
            absent = (parents != 0) & ~np.isin(parents, self.id)
            if absent.any():
                k = int(np.flatnonzero(absent)[0])
                raise DataError(
                    f"pedigree: {who} {parents[k]} of individual {population.id[k]} is not there; add the parents first"
                )
        return Pedigree(
            np.concatenate([self.id, population.id]),
            np.concatenate([self.mother, population.mother]),
            np.concatenate([self.father, population.father]),
        )

    @property
    def next_id(self) -> int:
        """The lowest id beyond all that were given."""
        return int(self.id.max(initial=0)) + 1

    def generation(self) -> NDArray[np.int64]:
        """Return generations `(n_individuals,)`: 0 without known parents, else one more than the later parent's."""
        order = np.argsort(self.id)
        parents = np.stack([self.mother, self.father])
        row = order[np.minimum(np.searchsorted(self.id, parents, sorter=order), len(order) - 1)]
        generation = np.zeros(len(self.id), dtype=np.int64)
        while True:  # as many rounds as there are generations
            later = np.where(parents != 0, generation[row] + 1, 0).max(axis=0)
            if (later == generation).all():
                return generation
            generation = later


def family_codes(population: Population, family: Family = "both") -> NDArray[np.int64]:
    """Number families 0, 1, … in the order of their first member, `(n_individuals,)`.

    Parameters
    ----------
    population
        Whose `mother` and `father` tell families apart.
    family
        Full sibs ("both"), or half sibs by "mother" or "father".
    """
    if family not in get_args(Family):
        raise DataError(f"family = {family!r} is not one of {', '.join(get_args(Family))}")
    parents = np.stack([population.mother, population.father], axis=1)
    columns = {"both": slice(0, 2), "mother": slice(0, 1), "father": slice(1, 2)}[family]
    _, first, code = np.unique(parents[:, columns], axis=0, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[code.ravel()]
