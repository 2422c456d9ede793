"""Selection by values that the caller gives: phenotypes, estimated or true values, an index (AlphaSimR R/selection.R).

Functions return indices, so that values, phenotypes and individuals (`Population.take`) can be cut alike. Equal values
keep the order of individuals.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gpatlas.errors import DataError
from gpatlas.simulate.pedigree import Family, family_codes
from gpatlas.simulate.population import Population, indices_of

Indices = NDArray[np.int64]


def select_individuals(
    population: Population,
    values: ArrayLike,
    n: int,
    *,
    top: bool = True,
    sex: int | None = None,
    candidates: ArrayLike | None = None,
) -> Indices:
    """Select the best individuals.

    Parameters
    ----------
    population
        The individuals.
    values
        `(n_individuals,)`; what is selected on.
    n
        How many.
    top
        Whether high values are best.
    sex
        `FEMALE` or `MALE` to select among those; without effect where the population has no sexes.
    candidates
        Indices or a mask of those that may be selected; all by default.

    Returns
    -------
    NDArray
        Indices `(n,)`, the best first.

    Raises
    ------
    DataError
        A value is missing, or fewer than n may be selected.
    """
    ranked = _ranked(population, values, top, sex, candidates)
    _require(n, len(ranked), "individuals")
    return ranked[:n]


def select_within_family(
    population: Population,
    values: ArrayLike,
    n: int,
    *,
    family: Family = "both",
    top: bool = True,
    sex: int | None = None,
    candidates: ArrayLike | None = None,
) -> Indices:
    """Select the n best of every family; families in the order of their first member, the best first within each.

    Parameters
    ----------
    population, values, n, top, sex, candidates
        See `select_individuals`.
    family
        See `family_codes`.
    """
    ranked, codes = _ranked(population, values, top, sex, candidates), family_codes(population, family)
    by_family = ranked[np.argsort(codes[ranked], kind="stable")]
    sizes = np.bincount(codes[ranked], minlength=codes.max(initial=-1) + 1)
    _require(n, int(sizes.min(initial=n)), f"members of family {int(sizes.argmin()) if len(sizes) else 0}")
    place = np.arange(len(by_family)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return by_family[place < n]


def select_families(
    population: Population,
    values: ArrayLike,
    n: int,
    *,
    family: Family = "both",
    top: bool = True,
    sex: int | None = None,
    candidates: ArrayLike | None = None,
) -> Indices:
    """Select all members of the n families with the best means, in the order of individuals.

    With `sex` or `candidates`, others neither count in means nor are selected. The rest as in `select_within_family`.
    """
    eligible, codes = np.sort(_ranked(population, values, top, sex, candidates)), family_codes(population, family)
    present, code = np.unique(codes[eligible], return_inverse=True)
    _require(n, len(present), "families")
    means = np.bincount(code, np.asarray(values, dtype=np.float64)[eligible]) / np.bincount(code)
    best = np.argsort(-means if top else means, kind="stable")[:n]
    return eligible[np.isin(code, best)]


def smith_hazel(economic_weights: ArrayLike, var_g: ArrayLike, var_p: ArrayLike) -> NDArray[np.float64]:
    """Weights b = P⁻¹ G a of phenotypes in the index that follows the aggregate value best (Smith 1936, Hazel 1943).

    Parameters
    ----------
    economic_weights
        a `(n_traits,)`, what a unit of each trait's genetic value is worth.
    var_g, var_p
        Genetic and phenotypic covariance matrices G and P `(n_traits, n_traits)`.

    Returns
    -------
    NDArray
        `(n_traits,)`; the index is `phenotypes @ b`.

    Raises
    ------
    DataError
        The shapes do not fit, or P is singular.
    """
    a, g, p = (np.atleast_1d(np.asarray(x, dtype=np.float64)) for x in (economic_weights, var_g, var_p))
    if g.shape != (len(a), len(a)) or p.shape != g.shape:
        raise DataError(f"selection index: weights {a.shape} need two square matrices, not {g.shape} and {p.shape}")
    try:
        return np.asarray(np.linalg.solve(p, g @ a), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise DataError("selection index: var_p is singular; leave out traits that follow from others") from None


def _ranked(
    population: Population, values: ArrayLike, top: bool, sex: int | None, candidates: ArrayLike | None
) -> Indices:
    """Return those that may be selected, the best first."""
    found, n = np.asarray(values, dtype=np.float64), population.n_individuals
    if found.shape != (n,):
        raise DataError(f"selection: values have shape {found.shape}, not one for each of {n} individuals")
    if missing := int(np.isnan(found).sum()):
        raise DataError(f"selection: {missing} of {n} values are missing")
    eligible = np.ones(n, dtype=bool)
    if candidates is not None:
        eligible[:] = False
        eligible[indices_of(population, candidates, "selection: candidates")] = True
    if sex is not None and population.sex is not None:
        eligible &= population.sex == sex
    order = np.argsort(-found if top else found, kind="stable")
    return order[eligible[order]]


def _require(n: int, found: int, what: str) -> None:
    if not 0 <= n <= found:
        raise DataError(f"selection: {n} {what} were asked for, there are {found} to select from")
