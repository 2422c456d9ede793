"""Crosses: populations in, their progeny out (AlphaSimR R/crossing.R).

Progeny stand in the order of the plan, those of one cross next to each other, and each holds its mother's gamete
before its father's. Mothers recombine on the female map, fathers on the male one. Ids go on from the parents' highest,
or from `first_id`, which a `Pedigree` over several crosses gives (`next_id`).

The same arguments and the same state of the generator give the same bytes, whatever the number of threads and whether
or not recombinations are recorded.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gpatlas.errors import DataError
from gpatlas.packed import PackedBits
from gpatlas.simulate.population import Population, draw_sexes, require_same_map


def make_cross(
    population: Population,
    plan: ArrayLike,
    rng: np.random.Generator,
    n_progeny: int = 1,
    *,
    by_id: bool = False,
    first_id: int | None = None,
    record: bool = False,
) -> Population:
    """Cross individuals of one population.

    Parameters
    ----------
    population
        Holds the parents; its ploidy is even.
    plan
        `(n_crosses, 2)`, mother and father of each cross, by index from 0 or, with `by_id`, by id.
    rng
        Source of randomness.
    n_progeny
        Progeny of each cross.
    by_id
        Whether the plan holds ids.
    first_id
        Id of the first progeny.
    record
        Whether to keep `Population.recombinations`.

    Returns
    -------
    Population
        `n_crosses · n_progeny` individuals.

    Raises
    ------
    DataError
        The ploidy is odd, or the plan names an individual that is not there.
    """
    return make_cross2(population, population, plan, rng, n_progeny, by_id=by_id, first_id=first_id, record=record)


def make_cross2(
    females: Population,
    males: Population,
    plan: ArrayLike,
    rng: np.random.Generator,
    n_progeny: int = 1,
    *,
    by_id: bool = False,
    first_id: int | None = None,
    record: bool = False,
) -> Population:
    """Cross mothers of one population with fathers of another on the same map; see `make_cross`.

    Ploidies may differ as long as both are even: progeny get half of each.
    """
    mothers, fathers = parents_of_plan(plan, females, males, by_id)
    require_count("n_progeny", n_progeny)
    mothers, fathers = np.repeat(mothers, n_progeny), np.repeat(fathers, n_progeny)
    return _progeny(females, mothers, males, fathers, rng, first_id, record)


def self_pollinate(
    population: Population,
    rng: np.random.Generator,
    n_progeny: int = 1,
    *,
    keep_parents: bool = True,
    first_id: int | None = None,
    record: bool = False,
) -> Population:
    """Self every individual; each progeny comes of two meioses.

    Parameters
    ----------
    population, rng, n_progeny, first_id, record
        See `make_cross`.
    keep_parents
        Give progeny the mother and father of the selfed plant, so that lines keep the family of the cross that they
        come from (AlphaSimR's default); otherwise the plant itself is both.
    """
    require_count("n_progeny", n_progeny)
    each = np.repeat(np.arange(population.n_individuals), n_progeny)
    progeny = _progeny(population, each, population, each, rng, first_id, record)
    return _with_grandparents(progeny, population, each) if keep_parents else progeny


def backcross(
    population: Population,
    recurrent: Population,
    rng: np.random.Generator,
    n_progeny: int = 1,
    *,
    first_id: int | None = None,
    record: bool = False,
) -> Population:
    """Cross every individual, as mother, with the recurrent parent; see `make_cross`.

    Raises
    ------
    DataError
        There is not one recurrent parent, nor one for each individual.
    """
    n = population.n_individuals
    if recurrent.n_individuals not in (1, n):
        raise DataError(f"backcross: {recurrent.n_individuals} recurrent parents for {n} individuals; give 1 or {n}")
    fathers = np.zeros(n, dtype=np.int64) if recurrent.n_individuals == 1 else np.arange(n)
    plan = np.stack([np.arange(n), fathers], axis=1)
    return make_cross2(population, recurrent, plan, rng, n_progeny, first_id=first_id, record=record)


def _progeny(
    females: Population,
    mothers: NDArray,
    males: Population,
    fathers: NDArray,
    rng: np.random.Generator,
    first_id: int | None,
    record: bool,
) -> Population:
    """Unite one gamete of each mother with one of each father."""
    from gpatlas.simulate import gametes, recording  # compiled code takes half a second to load

    for parents in (females, males):
        if parents.ploidy % 2:
            raise DataError(
                f"individuals of ploidy {parents.ploidy} cannot be crossed, the ploidy must be even; "
                "`merge_genome` unites haploids"
            )
    require_same_map(females, males)
    if females.meiosis != males.meiosis:
        raise DataError(f"mothers and fathers recombine differently: {females.meiosis} and {males.meiosis}")
    n, ploidy, width = len(mothers), (females.ploidy + males.ploidy) // 2, females.haplotypes.bits.shape[1]
    bits = np.empty((n * ploidy, width), dtype=np.uint8)
    genetic_map, meiosis, seed = females.genetic_map, females.meiosis, draw_seed(rng)
    recorder = recording.Recorder(n, ploidy, genetic_map, meiosis) if record else None
    sides = ((females, mothers, meiosis.female, 0), (males, fathers, meiosis.male, females.ploidy // 2))
    for lane, (parents, each, scale, row) in enumerate(sides):
        gametes.transmit(
            parents.haplotypes.bits, each, parents.copies, parents.ploidy, genetic_map, meiosis, scale,
            (seed, lane), bits, row, ploidy,
        )  # fmt: skip
        if recorder is not None:
            recorder.add(parents.id[each], parents.ploidy, scale, (seed, lane), row)
    return females.like(
        PackedBits(bits, females.n_loci),
        ploidy=ploidy,
        inbred=False,
        id=new_ids(n, first_id, females, males),
        mother=females.id[mothers],
        father=males.id[fathers],
        sex=draw_sexes(females.sexes, n, rng),
        recombinations=None if recorder is None else recorder.table(),
    )


def draw_seed(rng: np.random.Generator) -> int:
    """Draw the 64 bits that all gametes of a cross come from."""
    return int(rng.integers(0, 2**64, dtype=np.uint64))


def new_ids(n: int, first_id: int | None, *parents: Population) -> NDArray[np.int64]:
    """Number n progeny from `first_id`, or from the parents' highest id on."""
    start = max(int(p.id.max(initial=0)) for p in parents) + 1 if first_id is None else first_id
    return np.arange(start, start + n, dtype=np.int64)


def require_count(name: str, value: int) -> None:
    """Raise a `DataError` where a number of progeny or crosses is negative."""
    if value < 0:
        raise DataError(f"{name} = {value} is negative")


def _with_grandparents(progeny: Population, parents: Population, each: NDArray) -> Population:
    return progeny.like(progeny.haplotypes, mother=parents.mother[each], father=parents.father[each])


def parents_of_plan(
    plan: ArrayLike, females: Population, males: Population, by_id: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices of mothers and fathers of a plan, each `(n_crosses,)`, or raise a `DataError`."""
    pairs = np.asarray(plan)
    if pairs.ndim != 2 or pairs.shape[1] != 2 or pairs.dtype.kind not in "iu":
        raise DataError(
            f"crossing plan: an array of {pairs.dtype} and shape {pairs.shape} was given, not integers "
            "(n_crosses, 2), the mother and father of each cross"
        )
    columns = []
    for column, parents, who in ((pairs[:, 0], females, "mother"), (pairs[:, 1], males, "father")):
        if by_id:
            column = index_of(column, parents.id, f"crossing plan: {who}")
        elif len(column) and not (column.min() >= 0 and column.max() < parents.n_individuals):
            wrong = column[(column < 0) | (column >= parents.n_individuals)][0]
            raise DataError(
                f"crossing plan: {who} {wrong} is not among the {parents.n_individuals} individuals, which are "
                f"numbered 0 to {parents.n_individuals - 1}"
            )
        columns.append(column.astype(np.int64))
    return columns[0], columns[1]


def index_of(wanted: NDArray, ids: NDArray[np.int64], where: str) -> NDArray[np.int64]:
    """Return where the ids asked for stand among `ids`; raises a `DataError` for one that does not."""
    order = np.argsort(ids, kind="stable")
    place = np.searchsorted(ids[order], wanted)
    absent = place == len(ids)
    absent[~absent] = ids[order][place[~absent]] != wanted[~absent]
    if absent.any():
        raise DataError(f"{where} {wanted[absent][0]} is no individual's id; {len(ids)} individuals were searched")
    return order[place]
