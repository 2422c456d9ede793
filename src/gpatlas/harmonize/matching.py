"""Which locus of a new file is which of the reference: by position and alleles first, then by id."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.harmonize.alleles import AlleleCodes, Relation
from gpatlas.harmonize.variants import Variants

SAME_CHROMOSOME = {"M": "MT", "MITO": "MT"}
PLINK_NUMBERS = {"23": "X", "24": "Y", "26": "MT"}  # of human chromosomes


@dataclass(frozen=True)
class Matches:
    """Of every locus of the reference, what was found; arrays `(n_loci,)`.

    Parameters
    ----------
    column
        Locus of the new file, -1 where there is none.
    relation
        `Relation` of the alleles.
    by
        "position", "id" or "".
    ambiguous
        Whether the alleles are the same two on both strands.
    n_duplicates
        Further loci of the new file that would have matched as well.
    n_moved
        Loci matched by id that both files place, at different positions.
    """

    column: NDArray[np.intp]
    relation: NDArray[np.int64]
    by: NDArray
    ambiguous: NDArray[np.bool_]
    n_duplicates: int
    n_moved: int


def match(reference: Variants, new: Variants) -> Matches:
    """Match loci of a new file to those of a reference.

    At a position with several loci (multi-allelic sites that were split, probes of one SNP) the best relation of
    alleles decides, then an equal id, then the order in the file. An id counts where no locus at the position has
    the right alleles; names of chromosomes may differ by "chr".
    """
    codes = AlleleCodes(reference.alleles, new.alleles, reference.n_loci, new.n_loci)
    column = np.full(reference.n_loci, -1, dtype=np.intp)
    relation = np.full(reference.n_loci, Relation.mismatch, dtype=np.int64)
    by = np.full(reference.n_loci, "", dtype="U8")
    n_duplicates = 0
    same_id = _keys(reference.locus_id, new.locus_id)
    here, there = _place_keys(reference, new)
    for name, (ours, theirs) in (("position", (here, there)), ("id", same_id)):
        score = np.full(reference.n_loci, np.inf)
        n_equal = np.zeros(reference.n_loci, dtype=int)
        open_rows = np.flatnonzero((relation == Relation.mismatch) & (ours >= 0))
        for rows, candidates in _candidates(ours, theirs, open_rows):
            found = codes.relations(rows, candidates)
            of_pair = 2.0 * found + (same_id[0][rows] != same_id[1][candidates])
            n_equal[rows] = np.where(of_pair < score[rows], 0, n_equal[rows] + (of_pair == score[rows]))
            better = of_pair < score[rows]
            if name == "id":  # a locus of other alleles at the position is reported, unless the id has the right ones
                better &= (found != Relation.mismatch) | (column[rows] < 0)
            rows, candidates = rows[better], candidates[better]
            score[rows], column[rows], relation[rows], by[rows] = of_pair[better], candidates, found[better], name
        n_duplicates += int(n_equal[(by == name) & (relation != Relation.mismatch)].sum())
    of_id = np.flatnonzero((by == "id") & (relation != Relation.mismatch))
    moved = (here[of_id] >= 0) & (there[column[of_id]] >= 0)
    return Matches(column, relation, by, codes.ambiguous(np.arange(reference.n_loci)), n_duplicates, int(moved.sum()))


def canonical_chromosomes(names: NDArray) -> NDArray:
    """Return chromosome names without "chr", in capitals, numbers without leading zeros: "chr01" is "1"."""

    def canonical(name: str) -> str:
        bare = str(name).strip().upper()
        bare = bare.removeprefix("CHROMOSOME").removeprefix("CHROM").removeprefix("CHR").lstrip("_- ")
        bare = bare.lstrip("0") if bare.isdigit() else bare
        return SAME_CHROMOSOME.get(bare, bare)

    different, which = np.unique(names, return_inverse=True)
    return np.array([canonical(name) for name in different], dtype=str)[which]


def _chromosomes(reference: Variants, new: Variants) -> tuple[NDArray, NDArray]:
    """Return canonical names on both sides; PLINK's numbers become letters where only one side has the letter."""
    ours, theirs = (canonical_chromosomes(names) for names in (reference.chromosome, new.chromosome))
    for number, letter in PLINK_NUMBERS.items():
        for numbered, lettered in ((ours, theirs), (theirs, ours)):
            if letter in lettered and letter not in numbered and number not in lettered:
                numbered[numbered == number] = letter
    return ours, theirs


def _keys(ours: NDArray, theirs: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number two lists of names together; equal names have equal numbers, empty ones -1."""
    names, numbers = np.unique(np.concatenate([ours, theirs]), return_inverse=True)
    numbers = np.where((names == "")[numbers], -1, numbers)
    return numbers[: len(ours)], numbers[len(ours) :]


def _place_keys(reference: Variants, new: Variants) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number places (chromosome and position) of two files together; -1 where a file does not place a locus."""
    if reference.position_unit != new.position_unit or not new.position_unit:
        return np.full(reference.n_loci, -1), np.full(new.n_loci, -1)
    chromosome = np.concatenate(_keys(*_chromosomes(reference, new)))
    position = np.concatenate([reference.position, new.position])
    _, place = np.unique(position, return_inverse=True)
    numbers = np.where(chromosome >= 0, chromosome * (place.max(initial=0) + 1) + place, -1)
    if new.position_unit == "bp":
        numbers[position <= 0] = -1  # 0 is PLINK's word for "not placed"
    return numbers[: reference.n_loci], numbers[reference.n_loci :]


def _candidates(ours: NDArray[np.int64], theirs: NDArray[np.int64], rows: NDArray[np.intp]):  # type: ignore[no-untyped-def]
    """Yield pairs with equal keys, `(rows of ours, loci of theirs)`: the first of each row, then the second, …"""
    order = np.argsort(theirs, kind="stable")
    first = np.searchsorted(theirs[order], ours[rows], side="left")
    last = np.searchsorted(theirs[order], ours[rows], side="right")
    for k in range(int((last - first).max(initial=0))):
        more = first + k < last
        yield rows[more], order[first[more] + k]
