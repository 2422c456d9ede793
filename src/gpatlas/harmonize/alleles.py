"""How two files name the alleles of one locus: the same way, in the other order, from the other strand, or not.

Let (o, c) be a reference's other and counted allele, and ' the reverse complement (A↔T, C↔G, read backwards).

    the new file has   (o, c)    (c, o)    (o', c')         (c', o')
    relation           match     swapped   strand_flipped   strand_flipped_and_swapped
    dosage becomes     x         P - x     x                P - x

Where c = o' (A/T, C/G) the first and the last cannot be told apart, nor the second and the third: such loci are
ambiguous. An unknown allele ("") agrees with any.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

COMPLEMENT = str.maketrans("ACGT", "TGCA")


class Relation(IntEnum):
    """How a locus' alleles in a new file relate to those of the reference; the lower, the better."""

    match = 0
    swapped = 1
    strand_flipped = 2
    strand_flipped_and_swapped = 3
    unchecked = 4  # one side knows no alleles
    mismatch = 5

    @property
    def swaps(self) -> bool:
        """Whether the new file counts the other allele."""
        return self in (Relation.swapped, Relation.strand_flipped_and_swapped)


SWAPS = np.array([relation.swaps for relation in Relation])


def reverse_complement(allele: str) -> str:
    """Return an allele as the other strand spells it; what is not spelt in A, C, G and T has no other strand."""
    return allele[::-1].translate(COMPLEMENT) if set(allele) <= set("ACGT") else ""


class AlleleCodes:
    """The alleles of two files as integers, so that a million loci are compared at once; 0 is an unknown allele."""

    def __init__(self, reference: NDArray | None, new: NDArray | None, n_reference: int, n_new: int):
        tables = [
            np.full((n, 2), "") if alleles is None else np.char.upper(alleles)
            for alleles, n in ((reference, n_reference), (new, n_new))
        ]
        names, codes = np.unique(np.concatenate([table.ravel() for table in tables]), return_inverse=True)
        code_of = {"": 0, ".": 0}
        for name in names:
            code_of.setdefault(str(name), len(code_of))
        renumbered = np.array([code_of[str(name)] for name in names], dtype=np.int64)[codes].reshape(-1, 2)
        self.reference, self.new = renumbered[:n_reference], renumbered[n_reference:]
        self._complement = np.full(len(code_of) + 1, -1, dtype=np.int64)  # -1 equals nothing
        self._complement[0] = 0
        for name, code in code_of.items():
            if code:
                self._complement[code] = code_of.get(reverse_complement(name) or "no other strand", -1)

    def relations(self, reference: NDArray[np.intp], new: NDArray[np.intp]) -> NDArray[np.int64]:
        """Return the best `Relation` of each pair (locus of the reference, locus of the new file)."""
        ours, theirs = self.reference[reference], self.new[new]
        other_strand = self._complement[ours]
        found = np.full(len(ours), Relation.mismatch, dtype=np.int64)
        evidence = np.full(len(ours), -1)  # alleles that are known on both sides and agree
        for relation, names in (
            (Relation.match, ours),
            (Relation.swapped, ours[:, ::-1]),
            (Relation.strand_flipped, other_strand),
            (Relation.strand_flipped_and_swapped, other_strand[:, ::-1]),
        ):
            unknown = (names == 0) | (theirs == 0)
            agree = np.where(((names == theirs) | unknown).all(axis=1), (~unknown).sum(axis=1), -1)
            better = agree > evidence
            found[better], evidence[better] = relation, agree[better]
        found[evidence == 0] = Relation.unchecked
        return found

    def ambiguous(self, reference: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Whether both strands name these loci of the reference by the same two alleles (A/T, C/G)."""
        ours = self.reference[reference]
        return (self._complement[ours[:, 0]] == ours[:, 1]) & (ours != 0).all(axis=1)
