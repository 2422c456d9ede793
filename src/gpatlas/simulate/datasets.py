"""Populations as datasets, and the genotypes of a user's dataset as founders."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import gpatlas
from gpatlas.dataset import Dataset, Effects, Fold, Pairs, Triples, Truth, as_bytes, as_text
from gpatlas.encoding import MISSING
from gpatlas.errors import DataError
from gpatlas.packed import PackedBits
from gpatlas.simulate.chips import SnpChip
from gpatlas.simulate.founders import from_haplotypes
from gpatlas.simulate.genetics import genetic_values
from gpatlas.simulate.native import make_truth, trait_names
from gpatlas.simulate.population import FEMALE, Population
from gpatlas.simulate.traits import FounderTraits
from gpatlas.wording import several

_IN_MORGAN = {"Morgan": 1.0, "cM": 0.01}


def to_dataset(
    population: Population,
    *,
    traits: FounderTraits | None = None,
    phenotypes: NDArray[np.float64] | None = None,
    chip: SnpChip | None = None,
    family: NDArray | None = None,
    fold: NDArray[np.uint8] | None = None,
    origin: Dataset | None = None,
) -> Dataset:
    """Make the dataset of a population, for `gpatlas.io.write_dataset`, models and exports.

    Parameters
    ----------
    population
        Its ids name the samples, and its sexes are the covariate "sex".
    traits
        From `add_traits`: gives the truth, with variances in this population. `var_e` is not known to it (NaN).
    phenotypes
        `(n_individuals, n_traits)`, from `set_phenotypes`; all missing when left out.
    chip
        Loci that are genotyped; all when left out. Effects of QTL that are not on the chip are not in the truth's
        tables, and `provenance["population"]["hidden_qtl"]` counts them; genetic values are those of all QTL.
    family
        `(n_individuals,)` names; by default those of full sibs, "mother x father", and "" where neither is known.
    fold
        Codes of `Fold`; all training samples when left out.
    origin
        The dataset that the founders were made of by `from_dataset`: loci keep its names, positions and alleles, and
        founders the names of its samples.

    Raises
    ------
    DataError
        A name stands for two individuals, or phenotypes or loci do not fit.
    """
    n = population.n_individuals
    ids, counts = np.unique(population.id, return_counts=True)
    if len(ids) < n:
        raise DataError(f"to_dataset: {counts.max()} individuals have the id {ids[counts.argmax()]}; ids name samples")
    shape = (n, 0) if phenotypes is None else np.shape(phenotypes)
    n_traits = traits.n_traits if traits is not None else shape[-1]
    if phenotypes is not None and shape != (n, n_traits):
        raise DataError(
            f"to_dataset: phenotypes have the shape {shape}; ({n}, {n_traits}), individuals × traits, is expected"
        )
    loci = np.arange(population.n_loci) if chip is None else chip.loci
    sample_id = population.id.astype(str)
    sites: dict[str, Any] = {
        "locus_id": population.locus_id[loci],
        "chromosome": population.chromosome[loci].astype("S"),
        "position": population.position[loci],
    }
    if origin is not None:
        sample_id = _named_founders(population, origin)
        columns = _map_order(origin)[loci]
        sites = {name: getattr(origin, name)[columns] for name in sites} | {
            "position_unit": origin.position_unit,
            "alleles": None if origin.alleles is None else origin.alleles[columns],
        }
    truth, hidden = None, 0
    if traits is not None:
        truth = make_truth(population, traits.groups, genetic_values(population, traits.groups))
        truth.traits["var_e"] = np.full(n_traits, np.nan)
        hidden = len(np.setdiff1d(traits.loci, loci))
        truth = _on_panel(truth, loci, population.n_loci)
    covariates = np.empty((n, 0))
    if population.sex is not None:
        covariates = (population.sex == FEMALE)[:, None].astype(np.float64)  # in the order of PLINK: male, female
    sexed = covariates.shape[1] > 0
    return Dataset(
        genotypes=population.genotypes() if chip is None else population.dosage(slice(0, n), loci).view(np.int8),
        phenotypes=np.full((n, n_traits), np.nan) if phenotypes is None else np.asarray(phenotypes, dtype=np.float64),
        sample_id=as_bytes(sample_id),
        trait_id=trait_names(n_traits),
        ploidy=population.ploidy,
        fold=np.full(n, Fold.train, dtype=np.uint8) if fold is None else fold,
        truth=truth,
        covariates=covariates,
        covariate_id=np.array(["sex"]) if sexed else np.empty(0, dtype="S1"),
        levels={"sex": ("male", "female")} if sexed else {},
        family=_full_sibs(population) if family is None else family,
        **sites,
        provenance={
            "gpatlas": gpatlas.__version__,
            "engine": {"name": "native", "version": gpatlas.__version__},
            "population": {"chip": None if chip is None else chip.name, "hidden_qtl": hidden},
        },
    )


def phased_haplotypes(population: Population, chip: SnpChip | None = None) -> PackedBits:
    """Return all copies of every individual, rows individual-major: what `write_vcf(to_dataset(…), …)` phases by."""
    rows = np.arange(population.n_individuals * population.ploidy)
    if population.inbred:
        rows //= population.ploidy
    return PackedBits.pack(population.haplotypes.unpack(rows, None if chip is None else chip.loci))


def _named_founders(population: Population, origin: Dataset) -> NDArray:
    """Return ids as text, with the names of the origin's samples in place of the founders' ids, `(n_individuals,)`."""
    if population.n_loci != origin.n_loci:
        raise DataError(f"to_dataset: the population has {population.n_loci} loci, its origin {origin.n_loci}")
    names = as_text(origin.sample_id)
    if origin.ploidy < population.ploidy:  # rows are haplotypes
        names = np.array([name.removesuffix("_1") for name in names[:: population.ploidy // origin.ploidy].tolist()])
    is_founder = (population.id >= 1) & (population.id <= len(names))
    named = population.id.astype(str).astype(object)
    named[is_founder] = names[population.id[is_founder] - 1]
    found, counts = np.unique(named.astype(str), return_counts=True)
    if (counts > 1).any():
        raise DataError(f"to_dataset: a founder is called {found[counts > 1][0]}, which is another one's id, too")
    return named.astype(str)


def _full_sibs(population: Population) -> NDArray | None:
    mother, father = population.mother, population.father
    known = (mother != 0) | (father != 0)
    if not known.any():
        return None
    names = np.char.add(np.char.add(mother.astype(str), " x "), father.astype(str))
    return np.where(known, names, "")


def _on_panel(truth: Truth, loci: NDArray[np.intp], n_loci: int) -> Truth:
    """Let tables of effects speak of the panel's loci, without those that have a locus elsewhere."""
    column = np.full(n_loci, -1, dtype=np.int32)
    column[loci] = np.arange(len(loci))
    kept: list[Effects | Pairs | Triples] = []
    for table in (truth.effects, truth.pairs, truth.triples):
        columns = {name: column[values] if name.startswith("locus") else values for name, values in vars(table).items()}
        here = np.all([values >= 0 for name, values in columns.items() if name.startswith("locus")], axis=0)
        kept.append(type(table)(**{name: values[here] for name, values in columns.items()}))
    effects, pairs, triples = kept
    return replace(truth, effects=effects, pairs=pairs, triples=triples)  # type: ignore[arg-type]


def from_dataset(dataset: Dataset, *, ploidy: int | None = None, morgan_per_bp: float | None = None) -> Population:
    """Take the genotypes of a dataset as founders.

    A dataset holds dosages without phase. So its samples are inbred, or it is one of haplotypes: haploid, every
    founder's rows next to each other, as `read_genotypes(path, haplotypes=True)` reads a phased VCF.

    Parameters
    ----------
    dataset
        Without missing calls. Chromosomes are numbered in the order of their first locus, and loci stand in the order
        of their positions.
    ploidy
        Rows of a haploid dataset that make up a founder, or copies that an inbred founder has; the dataset's ploidy
        when left out.
    morgan_per_bp
        Recombination rate, for positions in bp only, such as 1e-8 for 1 cM in a million.

    Returns
    -------
    Population
        Founders with the ids 1, 2, … in the order of the samples; positions are measured from each chromosome's first
        locus.

    Raises
    ------
    DataError
        A call is missing or heterozygous, a position is not known, loci have several alleles, or the rows do not make
        up whole founders.
    """
    if dataset.codes is not None:
        raise DataError(
            f"founders have two alleles at a locus, but these data have up to {dataset.n_alleles}; read the VCF with "
            "several ALT split or dropped"
        )
    position = _in_morgan(dataset, morgan_per_bp)
    chromosome, order = _numbered(as_text(dataset.chromosome)), _map_order(dataset)
    dosage = dataset.dosage()
    inbred = dataset.ploidy > 1
    if missing := int((dosage == MISSING).sum()):
        raise DataError(f"founders: {several(missing, 'call', 'is')} missing; impute or remove them first")
    heterozygous = (dosage > 0) & (dosage < dataset.ploidy)
    if heterozygous.any():
        sample, locus = (int(k[0]) for k in np.nonzero(heterozygous))
        raise DataError(
            f"founders: {several(int(heterozygous.sum()), 'call', 'is')} heterozygous, such as that of sample "
            f"{as_text(dataset.sample_id)[sample]} at {as_text(dataset.locus_id)[locus]}, and a dataset knows no "
            "phase; phase them (with Beagle or SHAPEIT) and read the VCF with haplotypes=True"
        )
    ploidy = dataset.ploidy if ploidy is None else ploidy
    if not inbred and dataset.n_samples % ploidy:
        raise DataError(f"founders: {dataset.n_samples} haplotypes do not make up founders of ploidy {ploidy}")
    return from_haplotypes(
        (dosage > 0)[:, order], chromosome[order], position[order], ploidy=ploidy, inbred=inbred and ploidy > 1
    )


def _in_morgan(dataset: Dataset, morgan_per_bp: float | None) -> NDArray[np.float64]:
    unit = dataset.position_unit
    if unknown := int((~np.isfinite(dataset.position)).sum()):
        raise DataError(f"founders: {several(unknown, 'locus', 'has')} no position; a genetic map needs all of them")
    if unit == "bp" and morgan_per_bp is None:
        raise DataError("founders: positions are in bp; give morgan_per_bp, such as 1e-8 for 1 cM in a million")
    if unit != "bp" and unit not in _IN_MORGAN:
        raise DataError(f"founders: positions have the unit '{unit}'; Morgan, cM or bp are needed")
    if unit != "bp" and morgan_per_bp is not None:
        raise DataError(f"founders: positions are in {unit} already; leave out morgan_per_bp = {morgan_per_bp:g}")
    if morgan_per_bp is not None and not 0 < morgan_per_bp < np.inf:
        raise DataError(f"founders: morgan_per_bp = {morgan_per_bp:g} is not a positive number")
    return dataset.position * (_IN_MORGAN[unit] if unit in _IN_MORGAN else float(morgan_per_bp or 0))


def _map_order(dataset: Dataset) -> NDArray[np.intp]:
    """Return the order of loci on the founders' map."""
    return np.lexsort((dataset.position, _numbered(as_text(dataset.chromosome))))


def _numbered(names: NDArray) -> NDArray[np.int32]:
    """Number names 1, 2, … in the order of their first appearance."""
    found, first, inverse = np.unique(names, return_index=True, return_inverse=True)
    rank = np.empty(len(found), dtype=np.int32)
    rank[np.argsort(first)] = np.arange(1, len(found) + 1)
    return rank[inverse]
