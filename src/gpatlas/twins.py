"""Twins: samples with the same genotypes under two names, in one cohort or across two.

A copy of a training sample in a test set makes any model look good, so copies have to be known before anything is
scored. Twins agree at nearly all loci where both are called; which loci are compared is chosen so that samples that
are no twins hardly ever would.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset, as_text
from gpatlas.encoding import MISSING
from gpatlas.errors import DataError
from gpatlas.wording import several, some_names

MOST_LOCI = 20_000  # that are compared; more add nothing
LEAST_FREQUENCY = 0.05  # of the rarer allele, where enough loci have it: rare alleles make everybody alike
ENOUGH_LOCI = 100
CHANCE = 0.01  # expected number of unrelated pairs that are as alike, above which nothing can be told


@dataclass(frozen=True)
class Twins:
    """Pairs of samples with the same genotypes.

    Parameters
    ----------
    first, second
        Names, one pair each: of the cohort, and of the other one (or the same).
    identity
        float64 `(n_pairs,)`: share of equal calls among the loci that both have called.
    n_loci
        Loci that were compared.
    sentences
        What to print.
    """

    first: list[str]
    second: list[str]
    identity: NDArray[np.float64]
    n_loci: int
    sentences: list[str]


def find_twins(dataset: Dataset, other: Dataset | None = None, identity: float = 0.99) -> Twins:
    """Find samples with the same genotypes.

    Parameters
    ----------
    dataset
        A cohort.
    other
        Another cohort; its loci are matched by name, and turned where the two alleles stand the other way round. None
        compares the cohort with itself.
    identity
        Least share of equal calls, among the loci that both samples have called (half of those compared, at least).

    Raises
    ------
    DataError
        The cohorts share no locus, or differ in ploidy.
    """
    from gpatlas.packed.agreement import identity_with, planes

    here, there, turned = _loci_of_both(dataset, other)
    dosage = dataset.dosage(loci=here)
    with_other = dosage if other is None else _turned(other.dosage(loci=there), turned, dataset.ploidy)
    columns, alike = _informative(dosage if other is None else np.vstack([dosage, with_other]), dataset.ploidy)
    n_pairs = dataset.n_samples * (dataset.n_samples - 1) // 2 if other is None else dataset.n_samples * other.n_samples
    if not _can_tell(alike, identity, n_pairs):
        said = f"{several(len(columns), 'locus', 'is')} too few to tell twins from chance: none were looked for"
        return Twins([], [], np.empty(0), len(columns), [said])
    rows = planes(dosage[:, columns], dataset.ploidy)
    others = rows if other is None else planes(with_other[:, columns], dataset.ploidy)
    budget, least_called = (1 - identity) * len(columns), len(columns) / 2
    pairs: list[NDArray] = []
    shares: list[NDArray] = []
    for i, row in enumerate(rows):
        start = i + 1 if other is None else 0
        found = np.empty(len(others) - start)
        identity_with(row, others[start:], budget, least_called, found)
        twins = np.flatnonzero(found >= identity)
        pairs.append(np.array([np.full(len(twins), i), twins + start]).T)
        shares.append(found[twins])
    matched, share = np.concatenate(pairs), np.concatenate(shares)
    names = as_text(dataset.sample_id)
    first = names[matched[:, 0]].tolist()
    second = (names if other is None else as_text(other.sample_id))[matched[:, 1]].tolist()
    return Twins(first, second, share, len(columns), [_sentence(first, second, share, len(columns), other)])


def _loci_of_both(
    dataset: Dataset, other: Dataset | None
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
    """Return indices of the loci to compare, in each cohort, and which the other one counts by the other allele."""
    if other is None:
        loci = _spread(np.arange(dataset.n_loci))
        return loci, loci, np.zeros(len(loci), dtype=bool)
    if dataset.ploidy != other.ploidy:
        raise DataError(f"the cohorts have ploidy {dataset.ploidy} and {other.ploidy}; twins cannot be looked for")
    _, here, there = np.intersect1d(as_text(dataset.locus_id), as_text(other.locus_id), return_indices=True)
    turned = np.zeros(len(here), dtype=bool)
    if dataset.alleles is not None and other.alleles is not None and len(here):
        ours, theirs = as_text(dataset.alleles)[here], as_text(other.alleles)[there]
        turned = (ours == theirs[:, ::-1]).all(axis=1) & (ours[:, 0] != ours[:, 1])
        fit = turned | ((ours == theirs) | (ours == "") | (theirs == "")).all(axis=1)
        here, there, turned = here[fit], there[fit], turned[fit]
    if not len(here):
        raise DataError(
            f"the cohorts share no locus: names are {some_names(as_text(dataset.locus_id[:4]).tolist())} and "
            f"{some_names(as_text(other.locus_id[:4]).tolist())}"
        )
    chosen = _spread(np.arange(len(here)))
    return here[chosen], there[chosen], turned[chosen]


def _spread(loci: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return four times as many loci as are compared at most, evenly spread."""
    most = 4 * MOST_LOCI
    return loci if len(loci) <= most else loci[np.linspace(0, len(loci) - 1, most).astype(np.intp)]


def _turned(dosage: NDArray[np.int8], turned: NDArray[np.bool_], ploidy: int) -> NDArray[np.int8]:
    return np.where(turned & (dosage != MISSING), np.int8(ploidy) - dosage, dosage)


def _informative(dosage: NDArray[np.int8], ploidy: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the loci to compare, and how often two samples drawn at random have the same call at each."""
    called = (dosage != MISSING).sum(axis=0)
    shares = np.array([(dosage == copies).sum(axis=0) for copies in range(ploidy + 1)]) / np.maximum(called, 1)
    frequency = (np.arange(ploidy + 1) / ploidy) @ shares
    varies = (shares.max(axis=0) < 1) & (called >= len(dosage) / 2)
    common = varies & (np.minimum(frequency, 1 - frequency) >= LEAST_FREQUENCY)
    columns = np.flatnonzero(common if common.sum() >= ENOUGH_LOCI else varies)
    if len(columns) > MOST_LOCI:
        columns = columns[np.linspace(0, len(columns) - 1, MOST_LOCI).astype(np.intp)]
    return columns, (shares[:, columns] ** 2).sum(axis=0)


def _can_tell(alike: NDArray[np.float64], identity: float, n_pairs: int) -> bool:
    """Whether unrelated pairs are rarely as alike, by the normal tail of a sum over unlinked loci."""
    from scipy.stats import norm

    if not len(alike):
        return False
    spread = np.sqrt((alike * (1 - alike)).sum())
    deviates = (identity * len(alike) - alike.sum()) / spread
    return bool(n_pairs * norm.sf(deviates) < CHANCE)


def _sentence(first: list[str], second: list[str], share: NDArray, n_loci: int, other: Dataset | None) -> str:
    where = "within the cohort" if other is None else "across the cohorts"
    if not first:
        return f"no twins {where} at {several(n_loci, 'locus')}"
    shown = some_names([f"{a} = {b}" for a, b in zip(first[:4], second[:4], strict=True)])
    return (
        f"{several(len(first), 'pair')} of twins {where}, equal at {share.min():.1%} or more of "
        f"{several(n_loci, 'locus')} ({shown}): a sample must not be in training and test at once"
    )
