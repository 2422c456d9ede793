"""Doubled haploids, gametes as individuals, doubled and merged genomes (AlphaSimR R/polyploids.R)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gpatlas.errors import DataError
from gpatlas.packed import PackedBits
from gpatlas.simulate.crossing import draw_seed, new_ids, parents_of_plan, require_count
from gpatlas.simulate.population import Population, draw_sexes, require_same_map


def make_dh(
    population: Population,
    rng: np.random.Generator,
    n_dh: int = 1,
    *,
    use_female_map: bool = True,
    keep_parents: bool = True,
    first_id: int | None = None,
    record: bool = False,
) -> Population:
    """Make doubled haploids of diploids: one gamete each, doubled.

    Parameters
    ----------
    population, rng, first_id, record
        See `make_cross`.
    n_dh
        Lines of each individual, which stand next to each other.
    use_female_map
        Whether gametes recombine as females' or as males'.
    keep_parents
        See `self_pollinate`.

    Returns
    -------
    Population
        Inbred: one haplotype is stored for each line.
    """
    if population.ploidy != 2:
        raise DataError(f"make_dh: doubled haploids are made of diploids, the ploidy is {population.ploidy}")
    gametes = reduce_genome(
        population, rng, n_dh,
        use_female_map=use_female_map, keep_parents=keep_parents, first_id=first_id, record=record,
    )  # fmt: skip
    return gametes.like(gametes.haplotypes, ploidy=2, inbred=True)


def reduce_genome(
    population: Population,
    rng: np.random.Generator,
    n_progeny: int = 1,
    *,
    recombination: bool = True,
    use_female_map: bool = True,
    keep_parents: bool = True,
    first_id: int | None = None,
    record: bool = False,
) -> Population:
    """Make gametes individuals of half the ploidy.

    Parameters
    ----------
    population, rng, n_progeny, first_id, record
        See `make_cross`.
    recombination
        Whether homologues recombine; otherwise each chromosome is passed on whole.
    use_female_map, keep_parents
        See `make_dh`.
    """
    from gpatlas.simulate.gametes import transmit
    from gpatlas.simulate.recording import Recorder

    if population.ploidy % 2:
        raise DataError(f"reduce_genome: ploidy {population.ploidy} is odd and cannot be halved")
    require_count("the number of progeny", n_progeny)
    each = np.repeat(np.arange(population.n_individuals), n_progeny)
    meiosis, seed = population.meiosis, draw_seed(rng)
    scale = (meiosis.female if use_female_map else meiosis.male) if recombination else 0.0
    homologues = 2 if population.inbred else population.ploidy  # of inbred ones all are alike, and one is stored
    copies = homologues // 2
    bits = np.empty((len(each) * copies, population.haplotypes.bits.shape[1]), dtype=np.uint8)
    transmit(
        population.haplotypes.bits, each, population.copies, homologues, population.genetic_map, meiosis,
        scale, (seed, 0), bits, 0, copies,
    )  # fmt: skip
    recorder = Recorder(len(each), copies, population.genetic_map, meiosis) if record else None
    if recorder is not None:
        recorder.add(population.id[each], homologues, scale, (seed, 0), 0)
    return population.like(
        PackedBits(bits, population.n_loci),
        ploidy=population.ploidy // 2,
        id=new_ids(len(each), first_id, population),
        mother=(population.mother if keep_parents else population.id)[each],
        father=(population.father if keep_parents else population.id)[each],
        sex=draw_sexes(population.sexes, len(each), rng),
        recombinations=None if recorder is None else recorder.table(),
    )


def double_genome(
    population: Population,
    rng: np.random.Generator | None = None,
    *,
    keep_parents: bool = True,
    first_id: int | None = None,
) -> Population:
    """Double every haplotype in place, 1, 1, 2, 2, …: twice the ploidy, and the same breeding values.

    Haploids become inbred diploids. `rng` is needed where sexes are random only; the rest as in `make_dh`.
    """
    n, copies = population.n_individuals, population.copies
    inbred = copies == 1
    bits = population.haplotypes.packed()
    return population.like(
        PackedBits(bits if inbred else np.repeat(bits, 2, axis=0), population.n_loci),
        ploidy=2 * population.ploidy,
        inbred=inbred,
        id=new_ids(n, first_id, population),
        mother=population.mother if keep_parents else population.id,
        father=population.father if keep_parents else population.id,
        sex=draw_sexes(population.sexes, n, rng),
        recombinations=None,
    )


def merge_genome(
    females: Population,
    males: Population,
    plan: ArrayLike,
    rng: np.random.Generator | None = None,
    *,
    by_id: bool = False,
    first_id: int | None = None,
) -> Population:
    """Unite whole genomes without meiosis, the mother's haplotypes first; this is how haploids are combined.

    Parameters
    ----------
    females, males
        The parents, on the same map; ploidies may differ and add up.
    plan, by_id, first_id
        See `make_cross`.
    rng
        Needed where sexes are random only.
    """
    require_same_map(females, males)
    mothers, fathers = parents_of_plan(plan, females, males, by_id)
    genomes = [_genomes(females, mothers), _genomes(males, fathers)]
    bits = np.concatenate(genomes, axis=1)
    return females.like(
        PackedBits(bits.reshape(-1, bits.shape[2]), females.n_loci),
        ploidy=females.ploidy + males.ploidy,
        inbred=False,
        id=new_ids(len(bits), first_id, females, males),
        mother=females.id[mothers],
        father=males.id[fathers],
        sex=draw_sexes(females.sexes, len(bits), rng),
        recombinations=None,
    )


def _genomes(population: Population, individuals: NDArray) -> NDArray[np.uint8]:
    """Return all copies of the packed haplotypes, `(n_individuals, ploidy, width)`."""
    bits = population.haplotypes.packed()
    stored = bits.reshape(population.n_individuals, population.copies, bits.shape[1])[individuals]
    return np.repeat(stored, population.ploidy // population.copies, axis=1)
