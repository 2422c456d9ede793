"""Quality of samples and loci, by what needs no phenotype: counts of genotypes and what follows from them."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset
from gpatlas.encoding import MISSING
from gpatlas.munge.planes import Planes


def genotype_counts(planes: Planes) -> NDArray[np.int64]:
    """Return how many samples have no copy, one of two, and all copies of allele "1" at each locus, `(n_loci, 3)`."""
    from gpatlas.munge.kernels import tally

    counts = np.empty((planes.n_loci, 3), dtype=np.int64)
    tally(planes.words, counts)
    return counts


def allele_frequency(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the frequency of allele "1" among known genotypes `(n_loci,)`, NaN where none is known."""
    known = counts.sum(axis=1)
    return np.divide(counts[:, 1] / 2 + counts[:, 2], known, out=np.full(len(counts), np.nan), where=known > 0)


def polyploid_frequency(dataset: Dataset, rows: NDArray[np.intp]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return how many of some samples have a known genotype, and the frequency of allele "1", at each locus.

    For ploidies that bit planes do not hold; NaN where no genotype is known.
    """
    known, copies = np.zeros(dataset.n_loci, dtype=np.int64), np.zeros(dataset.n_loci)
    step = max(1, (1 << 24) // max(1, dataset.n_loci))
    for start in range(0, len(rows), step):
        dosage = dataset.dosage(rows[start : start + step])
        known += (dosage != MISSING).sum(axis=0)
        copies += np.where(dosage != MISSING, dosage, 0).sum(axis=0)
    frequency = np.full(dataset.n_loci, np.nan)
    return known, np.divide(copies, known * dataset.ploidy, out=frequency, where=known > 0)


def hardy_weinberg_p(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return p of the exact test of Hardy-Weinberg proportions `(n_loci,)`; 1 where a locus does not vary.

    Given the alleles' numbers, the probability of all counts of heterozygotes that are at most as probable as the one
    observed (Wigginton, Cutler & Abecasis 2005, Am. J. Hum. Genet. 76:887, eq. 2), without the mid-p correction.
    Equal counts are computed once.
    """
    from gpatlas.munge.kernels import exact_test

    rare = np.minimum(counts[:, 0], counts[:, 2])
    keys = np.column_stack([rare, counts[:, 1], np.maximum(counts[:, 0], counts[:, 2])])
    different, which = np.unique(keys, axis=0, return_inverse=True)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, 2 * counts.sum(axis=1).max(initial=0) + 2)))])
    p = np.empty(len(different))
    exact_test(different, log_factorial, p)
    return p[which.ravel()]


def duplicate_loci(planes: Planes, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which loci have the genotypes of an earlier one, or its complement (alleles exchanged), `(n_loci,)`.

    Missing calls must agree as well. Loci that are not `among` are neither compared nor duplicates.
    """
    seen: set[bytes] = set()
    duplicate = np.zeros(planes.n_loci, dtype=bool)
    for start in range(0, planes.n_loci, step := 1 << 14):
        words = planes.words[start : start + step]
        homozygous, carrier = words[:, 0], words[:, 1]
        # of the two complements the one whose first homozygote has x = -1 stands for both
        word = (homozygous != 0).argmax(axis=1)
        at = np.arange(len(words))
        first = homozygous[at, word] & (~homozygous[at, word] + np.uint64(1))  # its lowest bit
        turned = (carrier[at, word] & first) != 0
        canonical = np.where(turned[:, None], homozygous ^ carrier, carrier)
        for j in np.flatnonzero(among[start : start + step]):
            key = hashlib.blake2b(homozygous[j].tobytes() + canonical[j].tobytes(), digest_size=16).digest()
            duplicate[start + j] = key in seen
            seen.add(key)
    return duplicate
