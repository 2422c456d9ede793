"""From what a genotype file holds to a `Dataset`: names checked, repeated loci renamed, an account of what was seen."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gpatlas import __version__
from gpatlas.dataset import Dataset, as_bytes, as_text
from gpatlas.encoding import MISSING
from gpatlas.errors import DataError
from gpatlas.wording import several, some_names


def field_dataset(
    path: str | Path,
    dosage: NDArray[np.int8],
    sample_id: Sequence[str],
    locus_id: Sequence[str],
    *,
    ploidy: int,
    chromosome: Sequence[str] | None = None,
    position: NDArray[np.float64] | None = None,
    position_unit: str = "",
    alleles: NDArray | None = None,
    account: Sequence[str] = (),
) -> Dataset:
    """Make the dataset of a genotype file, without traits.

    Parameters
    ----------
    path
        Where the data come from, for messages and provenance.
    dosage
        int8 `(n_samples, n_loci)`, -1 missing.
    sample_id, locus_id
        Names as they stand in the file.
    ploidy, chromosome, position, position_unit, alleles
        As in `Dataset`; chromosomes and positions that are not known are "" and NaN.
    account
        What the reader noticed, in sentences; counts of samples, loci and missing calls are added here.

    Raises
    ------
    DataError
        There is no sample or no locus, or a sample is without name or named twice.
    """
    n_samples, n_loci = dosage.shape
    if not n_samples or not n_loci:
        raise DataError(f"{path}: no {'sample' if not n_samples else 'locus'} in it")
    check_sample_names(sample_id, path)
    of_chromosome = np.array(chromosome if chromosome is not None else [""] * n_loci)
    position = np.full(n_loci, np.nan) if position is None else np.asarray(position, dtype=np.float64)
    names, renamed = unique_locus_names(locus_id, of_chromosome, position, alleles)
    return Dataset(
        genotypes=dosage,
        phenotypes=np.empty((n_samples, 0)),
        sample_id=as_bytes(np.array(sample_id, dtype=str)),
        locus_id=as_bytes(names),
        trait_id=np.empty(0, dtype="S1"),
        ploidy=ploidy,
        fold=np.zeros(n_samples, dtype=np.uint8),
        chromosome=as_bytes(of_chromosome),
        position=position,
        position_unit=position_unit,
        alleles=None if alleles is None else as_bytes(alleles),
        provenance={
            "gpatlas": __version__,
            "source": Path(path).name,
            "account": [*account, *renamed, *counts(dosage, ploidy)],
        },
    )


def check_sample_names(sample_id: Sequence[str], path: str | Path) -> None:
    """Refuse samples without a name and names that stand twice: whose row would a phenotype belong to?"""
    nameless = sum(not name for name in sample_id)
    if nameless:
        raise DataError(f"{path}: {nameless} of {len(sample_id)} samples have no name")
    twice = [name for name, times in Counter(sample_id).items() if times > 1]
    if twice:
        raise DataError(
            f"{path}: {several(len(twice), 'sample name', 'stands')} more than once ({some_names(twice)}); "
            f"names must be unique"
        )


def unique_locus_names(
    locus_id: Sequence[str], chromosome: NDArray, position: NDArray, alleles: NDArray | None
) -> tuple[NDArray, list[str]]:
    """Return locus names that differ, and sentences that say what was renamed.

    Loci without a name ("" or ".") and all that share one are named chromosome:position:other:counted, as far as
    these are known, with _2, _3, … where that is not enough. Other names stay as they are.
    """
    names = np.array(locus_id, dtype=str)
    nameless = np.isin(names, ("", "."))
    times = Counter(names.tolist())
    repeated = np.array([times[name] > 1 for name in names.tolist()]) & ~nameless
    if not (nameless | repeated).any():
        return names, []
    spelt = names.tolist()
    of_allele = None if alleles is None else as_text(alleles)
    taken = set(names[~(nameless | repeated)].tolist())
    for k in np.flatnonzero(nameless | repeated):
        parts = [str(chromosome[k])] if chromosome[k] else []
        parts += [f"{position[k]:.15g}"] if np.isfinite(position[k]) else []
        parts += [str(allele) for allele in of_allele[k]] if of_allele is not None and all(of_allele[k]) else []
        stem = ":".join(parts) if parts else ("locus" if nameless[k] else spelt[k])
        name, copy = stem, 1
        while name in taken:
            copy += 1
            name = f"{stem}_{copy}"
        taken.add(name)
        spelt[k] = name
    said = []
    if nameless.any():
        first = spelt[int(np.flatnonzero(nameless)[0])]
        said.append(f"{several(int(nameless.sum()), 'locus')} without a name got one (such as {first})")
    if repeated.any():
        first = int(np.flatnonzero(repeated & (np.array(spelt) != names))[0])
        shared = len(np.unique(names[repeated]))
        said.append(
            f"{several(int(repeated.sum()), 'locus')} shared {several(shared, 'name')} and were renamed "
            f"('{names[first]}' to '{spelt[first]}')"
        )
    return np.array(spelt), said


def counts(dosage: NDArray[np.int8], ploidy: int) -> list[str]:
    """Return sentences on size, missing calls, and loci that say nothing."""
    n_samples, n_loci = dosage.shape
    missing = (dosage == MISSING).sum(axis=0)
    highest = dosage.max(axis=0)
    lowest = np.where(dosage == MISSING, np.int8(127), dosage).min(axis=0)
    empty, same = missing == n_samples, (missing < n_samples) & (highest == lowest)
    size = f"{several(n_samples, 'sample')}, {several(n_loci, 'locus')}, ploidy {ploidy}"
    said = [f"{size}, {missing.sum() / dosage.size:.2%} of calls missing"]
    if empty.any():
        said.append(f"{several(int(empty.sum()), 'locus', 'has')} no call at all")
    if same.any():
        said.append(f"{several(int(same.sum()), 'locus')} without variation")
    return said
