"""`Population`: haplotypes on a genetic map, the thing that traits are defined on and that is crossed."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gpatlas.errors import DataError
from gpatlas.packed import PackedBits
from gpatlas.simulate.genetic_map import GeneticMap
from gpatlas.simulate.meiosis import Meiosis
from gpatlas.simulate.recombinations import Recombinations

FEMALE, MALE = 0, 1  # codes of `gpatlas.simulate.illness.SEXES`
Sexes = Literal["no", "systematic", "random"]


@dataclass(frozen=True)
class Population:
    """Individuals of one ploidy on one genetic map.

    Parameters
    ----------
    haplotypes
        `PackedBits` with individual-major rows, as AlphaSimR's `newMapPop` takes them: rows `i·P … (i+1)·P - 1`
        belong to individual i. Inbred individuals hold one row, which stands for P copies.
    ploidy
        Chromosome sets P per individual.
    inbred
        Whether every individual is fully inbred (one stored haplotype).
    chromosome
        int32 `(n_loci,)`, 1-based chromosome of every locus, ascending.
    position
        float64 `(n_loci,)`, Morgan from the chromosome's first locus.
    meiosis
        How its gametes recombine; progeny inherit it.
    id
        int64 `(n_individuals,)`, 1, 2, … by default.
    mother, father
        int64 `(n_individuals,)` ids of the parents; 0, the default, is unknown.
    sexes
        How individuals and their progeny get a sex (AlphaSimR `setSexes`): "no" sexes; "systematic", male, female,
        male, …; or "random", each with probability 1/2.
    sex
        uint8 `(n_individuals,)`, `FEMALE` or `MALE`; None where there are no sexes.
    recombinations
        How haplotypes were put together from the parents', where a cross was asked to record it.
    """

    haplotypes: PackedBits
    ploidy: int
    inbred: bool
    chromosome: NDArray[np.int32]
    position: NDArray[np.float64]
    meiosis: Meiosis = field(default_factory=Meiosis)
    id: NDArray[np.int64] = None  # type: ignore[assignment]  # filled below
    mother: NDArray[np.int64] = None  # type: ignore[assignment]
    father: NDArray[np.int64] = None  # type: ignore[assignment]
    sexes: Sexes = "no"
    sex: NDArray[np.uint8] | None = None
    recombinations: Recombinations | None = None

    def __post_init__(self) -> None:
        n = self.n_individuals
        for name, default in (("id", np.arange(1, n + 1)), ("mother", np.zeros(n)), ("father", np.zeros(n))):
            given = getattr(self, name)
            ids = np.asarray(default if given is None else given, dtype=np.int64)
            if ids.shape != (n,):
                raise DataError(f"population: {name} has shape {ids.shape}, not one entry for each of {n} individuals")
            object.__setattr__(self, name, ids)

    @cached_property
    def genetic_map(self) -> GeneticMap:
        """The map of its loci, which progeny share."""
        return GeneticMap.of(self.chromosome, self.position)

    @property
    def copies(self) -> int:
        """Haplotype rows stored per individual."""
        return 1 if self.inbred else self.ploidy

    @property
    def n_individuals(self) -> int:
        """Number of individuals."""
        return len(self.haplotypes) // self.copies

    @property
    def n_loci(self) -> int:
        """Number of segregating sites on the map."""
        return self.haplotypes.n_loci

    @property
    def locus_id(self) -> NDArray[np.bytes_]:
        """AlphaSimR's site names; see `site_names`."""
        return site_names(self.chromosome)

    def dosage(self, rows: slice, loci: NDArray | None = None) -> NDArray[np.uint8]:
        """Return dosage 0..P, uint8 `(n_rows, n_loci)`, of consecutive individuals."""
        bits = self.haplotypes.unpack(slice(rows.start * self.copies, rows.stop * self.copies), loci)
        if self.inbred:
            return bits * np.uint8(self.ploidy)
        if self.ploidy == 1:
            return bits
        return bits.reshape(-1, self.ploidy, bits.shape[1]).sum(axis=1, dtype=np.uint8)

    def genotypes(self) -> PackedBits | NDArray[np.int8]:
        """Return all dosages as a `Dataset` holds them: packed for haploids, dense int8 otherwise."""
        if self.ploidy == 1:
            return self.haplotypes
        return self.dosage(slice(0, self.n_individuals)).view(np.int8)

    def genotype_counts(self, loci: NDArray) -> NDArray[np.int64]:
        """Count individuals by dosage: int64 `(ploidy + 1, n_loci)`, for some loci."""
        counts = np.zeros((self.ploidy + 1, len(loci)), dtype=np.int64)
        if self.copies == 1:
            ones = self.haplotypes.count_ones()[loci]
            counts[self.ploidy] = ones
            counts[0] = self.n_individuals - ones
            return counts
        for block in self.blocks(len(loci)):
            dosage = self.dosage(block, loci)
            for level in range(self.ploidy + 1):
                counts[level] += (dosage == level).sum(axis=0)
        return counts

    def blocks(self, width: int, values_per_block: int = 1 << 18) -> list[slice]:
        """Cut the individuals into row slices of about `values_per_block` numbers at `width` loci."""
        step = max(16, values_per_block // max(1, width))
        return [slice(i, min(i + step, self.n_individuals)) for i in range(0, max(self.n_individuals, 1), step)]

    def take(self, individuals: NDArray) -> "Population":
        """Return some of the individuals, by their indices or by a mask `(n_individuals,)`, in the order asked for."""
        rows = np.arange(self.n_individuals)[individuals]
        haplotypes = (rows[:, None] * self.copies + np.arange(self.copies)).ravel()
        return self.like(
            PackedBits(self.haplotypes.packed(haplotypes), self.n_loci),
            id=self.id[rows],
            mother=self.mother[rows],
            father=self.father[rows],
            sex=None if self.sex is None else self.sex[rows],
            recombinations=None if self.recombinations is None else self.recombinations.take(rows),
        )

    def like(self, haplotypes: PackedBits, **changes: Any) -> "Population":
        """Return other individuals on the same map."""
        other = replace(self, haplotypes=haplotypes, **changes)
        if "genetic_map" in self.__dict__:
            other.__dict__["genetic_map"] = self.genetic_map  # checking and indexing a map takes its time
        return other

    def with_sexes(self, sexes: Sexes, rng: np.random.Generator | None = None) -> "Population":
        """Return the individuals with sexes, which their progeny will have, too.

        Parameters
        ----------
        sexes
            See `Population`.
        rng
            Source of randomness; needed for "random" only.
        """
        if sexes not in get_args(Sexes):
            raise DataError(f"sexes = {sexes!r} is not one of {', '.join(get_args(Sexes))}")
        return replace(self, sexes=sexes, sex=draw_sexes(sexes, self.n_individuals, rng))


def site_names(chromosome: NDArray[np.int32]) -> NDArray[np.bytes_]:
    """Name loci of ascending chromosomes `(n_loci,)` "chromosome_site", sites numbered from 1 in each."""
    site = np.arange(len(chromosome)) - np.searchsorted(chromosome, chromosome) + 1
    return np.char.add(np.char.add(chromosome.astype("S"), b"_"), site.astype("S"))


def indices_of(population: Population, individuals: ArrayLike, where: str) -> NDArray[np.int64]:
    """Return indices of individuals given by indices or by a mask; a `DataError` of others starts with `where`."""
    given, n = np.asarray(individuals), population.n_individuals
    if given.dtype == bool and given.shape == (n,):
        return np.flatnonzero(given)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iu"):
        raise DataError(
            f"{where}: an array of {given.dtype} and shape {given.shape} was given; indices or a mask of {n} "
            "individuals are allowed"
        )
    if (wrong := given[(given < 0) | (given >= n)]).size:
        raise DataError(f"{where}: {wrong[0]} is not among the {n} individuals, which are numbered 0 to {n - 1}")
    return given.astype(np.int64)


def draw_sexes(sexes: Sexes, n: int, rng: np.random.Generator | None) -> NDArray[np.uint8] | None:
    """Give sexes to n individuals, `(n,)`."""
    if sexes == "no":
        return None
    if sexes == "systematic":
        return np.where(np.arange(n) % 2 == 0, MALE, FEMALE).astype(np.uint8)
    if rng is None:
        raise DataError("sexes = 'random' need a random generator")
    return rng.integers(0, 2, n, dtype=np.uint8)


def concatenate(populations: Sequence[Population]) -> Population:
    """Put populations on one map together, in the order given (AlphaSimR `mergePops`).

    Inbred individuals get all their copies where others are not inbred. Records of recombinations are kept where all
    populations have them.

    Raises
    ------
    DataError
        There is no population, or ploidies, loci, meioses or how they get sexes differ.
    """
    if not populations:
        raise DataError("concatenate: no population was given")
    first = populations[0]
    for other in populations[1:]:
        require_same_map(first, other)
        for what, a, b in (
            ("ploidy", first.ploidy, other.ploidy),
            ("sexes", first.sexes, other.sexes),
            ("meiosis", first.meiosis, other.meiosis),
        ):
            if a != b:
                raise DataError(f"concatenate: {what} {a} and {b} do not go together")
    inbred = all(population.inbred for population in populations)
    rows = [
        np.repeat(p.haplotypes.packed(), p.ploidy, axis=0) if p.inbred and not inbred else p.haplotypes.packed()
        for p in populations
    ]
    records = [p.recombinations for p in populations if p.recombinations is not None]
    return first.like(
        PackedBits(np.concatenate(rows), first.n_loci),
        inbred=inbred,
        **{name: np.concatenate([getattr(p, name) for p in populations]) for name in ("id", "mother", "father")},
        sex=None if first.sex is None else np.concatenate([p.sex for p in populations if p.sex is not None]),
        recombinations=Recombinations.concatenate(records) if len(records) == len(populations) else None,
    )


def require_same_map(one: Population, other: Population) -> None:
    """Raise a `DataError` where two populations' loci do not lie on one map."""
    if one.n_loci != other.n_loci:
        raise DataError(f"populations of {one.n_loci} and {other.n_loci} loci do not share a map")
    for name in ("chromosome", "position"):
        a, b = getattr(one, name), getattr(other, name)
        if a is not b and not np.array_equal(a, b):
            locus = int(np.flatnonzero(a != b)[0])
            raise DataError(
                f"populations do not share a map: the {name} of locus {locus + 1} is {a[locus]} and {b[locus]}"
            )
