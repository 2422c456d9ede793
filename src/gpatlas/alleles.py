"""Allele codes: one small integer for a call of any ploidy and any number of alleles.

A call of ploidy p at a locus of k alleles is p alleles without order, of which there are C(k + p - 1, p). Sorted as
combinations with replacement of 0, …, k-1, they are numbered from 1; 0 is a missing call. In diploids with two alleles
1 is 0/0, 2 is 0/1 and 3 is 1/1: with two alleles of any ploidy, code = dosage + 1. gperceiver's codes are the same
numbers behind those of its calls of which a part is missing (`gpatlas.io.gperceiver`).
"""

from functools import cache
from itertools import combinations_with_replacement
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.encoding import MISSING
from gpatlas.errors import DataError

MISSING_CODE = 0
MOST_CODES = np.iinfo(np.int16).max


def n_codes(ploidy: int, n_alleles: int) -> int:
    """Return the number of codes of calls that are not missing, C(n_alleles + ploidy - 1, ploidy)."""
    return comb(n_alleles + ploidy - 1, ploidy)


@cache
def decoder(ploidy: int, n_alleles: int) -> NDArray[np.uint8]:
    """Return copies of every allele in every code, `(n_codes + 1, n_alleles)`; the first row, a missing call, has none.

    Raises
    ------
    DataError
        A ploidy or number of alleles below one, or more codes than int16 holds.
    """
    if ploidy < 1 or n_alleles < 1:
        raise DataError(f"allele codes need a ploidy and a number of alleles from 1, not {ploidy} and {n_alleles}")
    if n_codes(ploidy, n_alleles) > MOST_CODES:
        raise DataError(
            f"calls of ploidy {ploidy} at loci of {n_alleles} alleles have {n_codes(ploidy, n_alleles):,} codes; "
            f"at most {MOST_CODES:,} fit in a file"
        )
    table = np.zeros((n_codes(ploidy, n_alleles) + 1, n_alleles), dtype=np.uint8)
    for code, alleles in enumerate(combinations_with_replacement(range(n_alleles), ploidy), start=1):
        np.add.at(table[code], list(alleles), 1)
    table.flags.writeable = False
    return table


def copies_of(codes: Any, ploidy: int, n_alleles: int) -> NDArray[np.uint8]:
    """Return copies of every allele, `(*codes.shape, n_alleles)`: none where the call is missing.

    Raises
    ------
    DataError
        An unknown code.
    """
    codes = np.asarray(codes)
    _check(codes, ploidy, n_alleles)
    return decoder(ploidy, n_alleles)[codes]


def _check(codes: NDArray, ploidy: int, n_alleles: int) -> None:
    most = n_codes(ploidy, n_alleles)
    if codes.size and not 0 <= codes.min() <= codes.max() <= most:
        unknown = codes[(codes < 0) | (codes > most)].flat[0]
        raise DataError(
            f"unknown allele code {unknown}; calls of ploidy {ploidy} at loci of {n_alleles} alleles have 1 to "
            f"{most}, and 0 where they are missing"
        )


def codes_of(copies: NDArray) -> NDArray[np.int16]:
    """Return the codes of copies of every allele, `(…, n_alleles)`; a call without any copy is missing.

    The rank of a combination is a sum over its alleles: before a call come those that have, at the first allele where
    they differ, more copies.

    Raises
    ------
    DataError
        Calls of different ploidy, other than missing ones.
    """
    copies = np.asarray(copies)
    k = copies.shape[-1]
    left = copies.sum(axis=-1, dtype=np.int64)
    ploidy = int(left.max(initial=0))
    if ((left != ploidy) & (left != 0)).any():
        raise DataError(f"calls have {np.unique(left[left > 0]).tolist()} alleles; they must all have the same number")
    if ploidy:
        decoder(ploidy, k)  # whether codes of that many alleles fit
    known = left > 0
    rank = np.ones(left.shape, dtype=np.int64)
    for allele in range(k - 1):
        left = left - copies[..., allele]
        rank += _calls_with(left, k - allele)
    return np.where(known, rank, MISSING_CODE).astype(np.int16)


def dosage_of(codes: Any, ploidy: int, n_alleles: int) -> NDArray[np.int8]:
    """Return the copies of all alleles but the first, -1 where the call is missing; the shape of `codes`.

    Raises
    ------
    DataError
        An unknown code.
    """
    codes = np.asarray(codes)
    _check(codes, ploidy, n_alleles)
    dosage = ploidy - decoder(ploidy, n_alleles)[:, 0].astype(np.int8)
    dosage[MISSING_CODE] = MISSING
    return dosage[codes]


def alleles_seen(codes: NDArray, ploidy: int, n_alleles: int) -> NDArray[np.bool_]:
    """Return which alleles the calls of every locus have, `(n_loci, n_alleles)`, of codes `(n_samples, n_loci)`."""
    carries = decoder(ploidy, n_alleles) > 0
    return np.stack([carries[codes, allele].any(axis=0) for allele in range(n_alleles)], axis=1)


def call_counts(codes: NDArray[np.integer], n_codes: int) -> NDArray[np.int64]:
    """Return how many samples have each known call at each locus, `(n_loci, n_codes + 1)`; 0 for missing ones."""
    counts = np.zeros((codes.shape[1], n_codes + 1), dtype=np.int64)
    loci = np.arange(codes.shape[1])
    for row in codes:
        counts[loci, row] += 1
    counts[:, MISSING_CODE] = 0
    return counts


def _calls_with(left: NDArray[np.int64], n_alleles: int) -> NDArray[np.int64]:
    """Number of calls of `left` of `n_alleles` alleles that have the first: C(n_alleles + left - 2, left - 1)."""
    most = int(left.max(initial=0))
    table = np.array([comb(n_alleles + n - 2, n - 1) if n else 0 for n in range(most + 1)])
    return table[left]


def codes_of_dosage(dosage: NDArray[np.int8]) -> NDArray[np.int16]:
    """Return the codes of dosage at loci of two alleles: dosage + 1, and 0 where it is missing."""
    return dosage.astype(np.int16) - MISSING
