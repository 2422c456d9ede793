"""SNP chips, and which loci may become QTL or chip SNPs (AlphaSimR R/Class-SimParam.R: restrSegSites, addSnpChip).

By default the two exclude each other, so that the QTL are hidden from every chip: who becomes a QTL can no longer be
put on a chip, and the other way round. QTL of several traits may coincide, and so may SNPs of several chips. Where
loci are scarce, `restrict_sites` reserves some for each use beforehand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import DataError
from gpatlas.simulate.effects import pick_loci
from gpatlas.simulate.population import Population


@dataclass(frozen=True)
class SiteRoles:
    """What every locus may still become (the complements of AlphaSimR's invalidQtl and invalidSnp).

    Parameters
    ----------
    qtl, snp
        bool `(n_loci,)`: whether a locus may become a QTL, or a SNP of a chip.
    exclusive
        Whether a use of a locus rules out the other one from now on (AlphaSimR's restrSites).
    """

    qtl: NDArray[np.bool_]
    snp: NDArray[np.bool_]
    exclusive: bool = True

    @classmethod
    def of(cls, population: Population, *, exclusive: bool = True) -> "SiteRoles":
        """Leave every locus open to both uses."""
        every = np.ones(population.n_loci, dtype=bool)
        return cls(every, every, exclusive)

    def with_qtl(self, loci: NDArray) -> "SiteRoles":
        """Take note that some loci are QTL now."""
        return replace(self, snp=_without(self.snp, loci)) if self.exclusive else self

    def with_snps(self, loci: NDArray) -> "SiteRoles":
        """Take note that some loci are on a chip now."""
        return replace(self, qtl=_without(self.qtl, loci)) if self.exclusive else self

    def exclude(self, *, qtl: NDArray | None = None, snps: NDArray | None = None) -> "SiteRoles":
        """Rule out given loci as QTL or as SNPs (restrSegSites' excludeQtl and excludeSnp)."""
        none = np.empty(0, dtype=np.intp)
        return replace(
            self,
            qtl=_without(self.qtl, none if qtl is None else qtl),
            snp=_without(self.snp, none if snps is None else snps),
        )


@dataclass(frozen=True)
class SnpChip:
    """A panel of loci: their ascending indices `(n_snps,)` into the population's."""

    name: str
    loci: NDArray[np.intp]


def restrict_sites(
    population: Population,
    rng: np.random.Generator,
    roles: SiteRoles | None = None,
    *,
    min_qtl: int | Sequence[int] = 0,
    min_snps: int | Sequence[int] = 0,
    min_frequency: float = 0.0,
) -> SiteRoles:
    """Reserve loci for chips and for QTL (AlphaSimR restrSegSites); all others stay open to both.

    Parameters
    ----------
    population
        The founders.
    rng
        Source of randomness.
    roles
        What is settled already; nothing when left out.
    min_qtl, min_snps
        Loci per chromosome that no chip, or no trait, will take; one number or one each. SNPs are drawn first.
    min_frequency
        Least minor allele frequency of the loci reserved for chips.

    Raises
    ------
    DataError
        A chromosome has too few loci.
    """
    roles = replace(roles or SiteRoles.of(population), exclusive=True)
    allowed = roles.snp & (minor_allele_frequency(population) >= min_frequency)
    roles = roles.with_snps(_pick(population, min_snps, allowed, rng, "reserved SNPs"))
    return roles.with_qtl(_pick(population, min_qtl, roles.qtl, rng, "reserved QTL"))


def add_snp_chip(
    population: Population,
    snps_per_chromosome: int | Sequence[int],
    rng: np.random.Generator,
    roles: SiteRoles | None = None,
    *,
    min_frequency: float = 0.0,
    name: str = "chip",
) -> tuple[SnpChip, SiteRoles]:
    """Draw a chip, uniformly among the loci that may be SNPs (AlphaSimR addSnpChip).

    Parameters
    ----------
    population
        In which frequencies are counted, usually the founders (AlphaSimR's refPop).
    snps_per_chromosome
        One number, or one for every chromosome.
    rng
        Source of randomness.
    roles
        What is settled already; nothing when left out.
    min_frequency
        Least minor allele frequency in `population`; a locus at just that frequency is taken.
    name
        Of the chip.

    Returns
    -------
    SnpChip
        The chip.
    SiteRoles
        What is open from now on: give it to the next chip, and its `qtl` to `add_traits`.

    Raises
    ------
    DataError
        A chromosome has too few such loci.
    """
    roles = roles or SiteRoles.of(population)
    allowed = roles.snp & (minor_allele_frequency(population) >= min_frequency)
    what = f"SNPs of minor allele frequency {min_frequency:g} or more" if min_frequency else "SNPs"
    chip = SnpChip(name, _pick(population, snps_per_chromosome, allowed, rng, what))
    return chip, roles.with_snps(chip.loci)


def minor_allele_frequency(population: Population) -> NDArray[np.float64]:
    """Return the frequency `(n_loci,)` of each locus' rarer allele, a correctly rounded ratio of two counts."""
    ones, rows = population.haplotypes.count_ones(), len(population.haplotypes)
    return np.minimum(ones, rows - ones) / max(rows, 1)


def _pick(
    population: Population,
    per_chromosome: int | Sequence[int],
    allowed: NDArray[np.bool_],
    rng: np.random.Generator,
    what: str,
) -> NDArray[np.intp]:
    chromosomes = np.unique(population.chromosome)
    counts = np.atleast_1d(per_chromosome).tolist() * (1 if np.ndim(per_chromosome) else len(chromosomes))
    if len(counts) != len(chromosomes):
        raise DataError(f"{len(counts)} numbers of {what} are given for {len(chromosomes)} chromosomes")
    return pick_loci(counts, [np.flatnonzero(allowed & (population.chromosome == c)) for c in chromosomes], rng, what)


def _without(open_to: NDArray[np.bool_], loci: NDArray) -> NDArray[np.bool_]:
    left = open_to.copy()
    left[loci] = False
    return left
