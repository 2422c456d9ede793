"""gperceiver's allele codes: one number for the alleles of a call.

A code is an index into the sorted combinations with replacement of the alleles 0 … k-1, `ploidy` at a time, where
allele 0 is a missing one. Diploid with two alleles: 0 [0 0], 1 [0 1], 2 [0 2], 3 [1 1], 4 [1 2], 5 [2 2].
"""

from itertools import combinations_with_replacement
from math import comb
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gpatlas.encoding import MISSING
from gpatlas.errors import DataError
from gpatlas.io.marker_tables.count_tokens import ABSENT
from gpatlas.wording import several

_RARE = 0.01


def combinations(n_alleles: int, ploidy: int) -> NDArray[np.int64]:
    """Return the alleles of every code `(n_codes, ploidy)`; `n_alleles` counts the missing one, allele 0."""
    return np.array(list(combinations_with_replacement(range(n_alleles), ploidy)))


def are_allele_codes(counts: NDArray[np.int8]) -> bool:
    """Whether a table can only hold the codes of diploids with two alleles: 3, 4 and 5 beside 0, hardly 1 or 2."""
    times = np.bincount(counts[counts >= 0], minlength=6)
    return len(times) == 6 and (counts != -1).all() and min(times[3], times[5]) > _RARE * times.sum() > times[1:3].sum()


def decode_alleles(
    counts: NDArray[np.int8], ploidy: int, path: str | Path
) -> tuple[NDArray[np.int8], NDArray, NDArray[np.intp], list[str]]:
    """Turn codes into dosage.

    Parameters
    ----------
    counts
        Codes int8 `(n_samples, n_loci)`, `ABSENT` where a field is empty.
    ploidy
        Chromosome sets.
    path
        For messages.

    Returns
    -------
    dosage
        int8 of the loci that are kept, of the highest allele; -1 where an allele is missing.
    alleles
        Text `(n_kept, 2)`: the other allele and the one counted.
    kept
        Indices of the loci with two alleles at most.
    account
        What was noticed.

    Raises
    ------
    DataError
        A code is negative.
    """
    if ((counts < 0) & (counts != ABSENT)).any():
        raise DataError(f"{path}: -1 occurs, but allele codes start at 0 (missing)")
    highest = max(int(counts.max()), 0)
    n_alleles = next(k for k in range(3, 130) if comb(k + ploidy - 1, ploidy) > highest)
    of_code = combinations(n_alleles, ploidy)
    copies = np.stack([(of_code == allele).sum(axis=1) for allele in range(n_alleles)]).astype(np.int8)
    codes = np.where(counts == ABSENT, np.int8(0), counts)
    whole = copies[0][codes] == 0
    n_loci = codes.shape[1]
    present = np.stack([((copies[allele][codes] > 0) & whole).any(axis=0) for allele in range(n_alleles)])
    present[0] = False
    kept = np.flatnonzero(present.sum(axis=0) <= 2)
    # a locus with one allele, or none, is taken to have alleles 1 and 2 unless that one is higher
    last = np.maximum(np.where(present.any(axis=0), n_alleles - 1 - present[::-1].argmax(axis=0), 2), 2)
    first = np.where(present.sum(axis=0) == 2, present.argmax(axis=0), 1)
    dosage = np.full(codes.shape, np.int8(MISSING))
    for allele in range(2, n_alleles):
        of_allele = last == allele
        dosage[:, of_allele] = np.where(whole[:, of_allele], copies[allele][codes[:, of_allele]], np.int8(MISSING))
    half = int((~whole & (codes > 0)).sum())
    said = [f"gperceiver's allele codes of {n_alleles - 1} alleles, ploidy {ploidy}"]
    if half:
        said.append(f"{several(half, 'call')} with some alleles missing taken as missing")
    if len(kept) < n_loci:
        left_out = several(n_loci - len(kept), "locus")
        said.append(f"{left_out} with more than two alleles left out (with its table of chroms they are kept)")
    alleles = np.array([first, last]).T.astype(str)
    return np.ascontiguousarray(dosage[:, kept]), alleles[kept], kept, said
