"""Crosses at random: within a population, between two, and open pollination (AlphaSimR randCross, selectOP)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gpatlas.errors import DataError
from gpatlas.simulate.crossing import make_cross, make_cross2, require_count
from gpatlas.simulate.plans import balanced, factorial, half_diallel
from gpatlas.simulate.population import FEMALE, MALE, Population, indices_of


def rand_cross(
    population: Population,
    n_crosses: int,
    rng: np.random.Generator,
    n_progeny: int = 1,
    balance: bool = True,
    *,
    parents: ArrayLike | None = None,
    ignore_sexes: bool = False,
    first_id: int | None = None,
    record: bool = False,
) -> Population:
    """Cross parents at random.

    Without sexes the crosses are distinct unordered pairs, and `balance` has no meaning; with sexes females meet
    males, each used equally often where `balance` is set, in distinct pairs where it is not (`gpatlas.simulate.plans`).

    Parameters
    ----------
    population, rng, n_progeny, first_id, record
        See `make_cross`.
    n_crosses
        Number of crosses.
    balance
        See above.
    parents
        Indices or a mask of those that may become parents, each once; all by default.
    ignore_sexes
        Cross as though there were none.
    """
    require_count("n_crosses", n_crosses)
    candidates = _candidates(population, parents)
    if len(candidates) < 2:
        raise DataError(f"rand_cross: {len(candidates)} parent cannot be crossed; two are the least")
    found, counts = np.unique(candidates, return_counts=True)
    if (counts > 1).any():
        raise DataError(f"rand_cross: {found[counts > 1][0]} stands twice among the parents")
    if population.sex is None or ignore_sexes:
        plan = candidates[half_diallel(len(candidates), n_crosses, rng)]
    else:
        of_sex = _of_sex(population, candidates, FEMALE), _of_sex(population, candidates, MALE)
        plan = _pair_up(*of_sex, n_crosses, balance, rng)
    return make_cross(population, plan, rng, n_progeny, first_id=first_id, record=record)


def rand_cross2(
    females: Population,
    males: Population,
    n_crosses: int,
    rng: np.random.Generator,
    n_progeny: int = 1,
    balance: bool = True,
    *,
    ignore_sexes: bool = False,
    first_id: int | None = None,
    record: bool = False,
) -> Population:
    """Cross mothers of one population with fathers of another at random; see `rand_cross`.

    Where individuals have sexes, only females become mothers and only males fathers.
    """
    require_count("n_crosses", n_crosses)
    mothers, fathers = _candidates(females, None), _candidates(males, None)
    if not ignore_sexes:
        mothers = mothers if females.sex is None else _of_sex(females, mothers, FEMALE)
        fathers = fathers if males.sex is None else _of_sex(males, fathers, MALE)
    plan = _pair_up(mothers, fathers, n_crosses, balance, rng)
    return make_cross2(females, males, plan, rng, n_progeny, first_id=first_id, record=record)


def open_pollinate(
    population: Population,
    mothers: ArrayLike,
    rng: np.random.Generator,
    n_seeds: int = 1,
    *,
    self_probability: float = 0.0,
    fathers: ArrayLike | None = None,
    first_id: int | None = None,
    record: bool = False,
) -> Population:
    """Let mothers be pollinated at random.

    Parameters
    ----------
    population, rng, first_id, record
        See `make_cross`.
    mothers
        Indices of the mothers, such as `select_individuals` gives, or a mask.
    n_seeds
        Progeny of each mother, selfed ones first.
    self_probability
        Probability that a seed is selfed; other seeds' fathers are drawn uniformly, never the mother herself.
    fathers
        Indices or a mask of the fathers: the mothers, where pollen is controlled; all individuals by default.
    """
    require_count("n_seeds", n_seeds)
    if not 0 <= self_probability <= 1:
        raise DataError(f"open_pollinate: self_probability = {self_probability:g} is not from 0 to 1")
    dams, sires = _candidates(population, mothers), np.unique(_candidates(population, fathers))
    at = np.searchsorted(sires, dams)
    among = np.isin(dams, sires)
    others = len(sires) - among
    selfed = np.arange(n_seeds) < rng.binomial(n_seeds, self_probability, len(dams))[:, None]
    if (alone := (others == 0) & ~selfed.all(axis=1)).any():
        raise DataError(f"open_pollinate: mother {dams[alone][0]} has no possible father but herself")
    plan = np.repeat(dams, 2 * n_seeds).reshape(-1, 2)
    mother = np.nonzero(~selfed)[0]
    drawn = rng.integers(0, others[mother])
    plan[~selfed.ravel(), 1] = sires[drawn + (among[mother] & (drawn >= at[mother]))]
    return make_cross(population, plan, rng, first_id=first_id, record=record)


def _candidates(population: Population, parents: ArrayLike | None) -> NDArray[np.int64]:
    return np.arange(population.n_individuals) if parents is None else indices_of(population, parents, "parents")


def _of_sex(population: Population, candidates: NDArray, sex: int) -> NDArray[np.int64]:
    assert population.sex is not None
    found = candidates[population.sex[candidates] == sex]
    if not len(found):
        raise DataError(f"there is no {'male' if sex == MALE else 'female'} among {len(candidates)} possible parents")
    return found


def _pair_up(
    mothers: NDArray, fathers: NDArray, n_crosses: int, balance: bool, rng: np.random.Generator
) -> NDArray[np.int64]:
    draw = balanced if balance else factorial
    plan = draw(len(mothers), len(fathers), n_crosses, rng)
    return np.stack([mothers[plan[:, 0]], fathers[plan[:, 1]]], axis=1)
