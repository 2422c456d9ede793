"""`harmonize`: a new dataset's genotypes at a reference's loci, counting the reference's alleles."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gpatlas.dataset import Dataset
from gpatlas.encoding import MISSING
from gpatlas.errors import DataError
from gpatlas.harmonize.alleles import SWAPS, Relation
from gpatlas.harmonize.matching import Matches, match
from gpatlas.harmonize.variants import Variants
from gpatlas.packed import Dosages, PackedDosages
from gpatlas.wording import several

Ambiguous = Literal["keep", "frequency", "drop"]
UNCLEAR = 0.1  # an allele frequency within this of 1/2 tells no strand
ENOUGH_SAMPLES = 20  # the frequency among fewer tells none either


@dataclass(frozen=True)
class Harmonized:
    """New genotypes in the reference's terms, and what was done to each locus.

    Parameters
    ----------
    source
        The new samples as they came.
    column, turned, usable
        Of every locus of the reference `(n_loci,)`: where it is in the source, whether its dosages are turned round
        (P - x), and whether it is taken at all.
    account
        Table by locus of the reference, columns `(n_loci,)`: `locus_id`; `status`, a name of `Relation`, "ambiguous"
        (A/T, C/G) or "absent"; `matched_by` ("position", "id", ""); `new_locus_id`; `taken`: "as_given", "swapped"
        (P - x) or "missing".
    counts
        Loci of each status, and: `loci`, `found`, `by_id`, `duplicates`, `moved`, `not_used` (loci of the new file),
        `ambiguous_swapped`, `ambiguous_missing`, `ambiguous_doubtful`.
    frequency_correlation
        Correlation of allele frequencies between reference and new data over the loci taken; NaN below three loci.
    """

    source: Dataset
    column: NDArray[np.intp]
    turned: NDArray[np.bool_]
    usable: NDArray[np.bool_]
    account: dict[str, NDArray]
    counts: dict[str, int]
    frequency_correlation: float

    def take(self, rows: NDArray | slice) -> NDArray[np.int8]:
        """Return dosage of the reference's counted allele, -1 where it is not known, of some samples."""
        dosage = self.source.dosage(rows)[:, self.column]
        dosage = np.where(self.turned & (dosage != MISSING), self.source.ploidy - dosage, dosage)
        return np.where(self.usable, dosage, MISSING).astype(np.int8, copy=False)

    @cached_property
    def genotypes(self) -> NDArray[np.int8]:
        """The dosage of all samples, int8 `(n_samples, n_loci)`, -1 where it is not known."""
        genotypes = np.empty((self.source.n_samples, len(self.column)), dtype=np.int8)
        for rows in self.blocks():
            genotypes[rows] = self.take(rows)
        return genotypes

    def blocks(self) -> Iterator[slice]:
        """Yield consecutive slices of samples that are taken at once."""
        n = self.source.n_samples
        step = max(128, (1 << 25) // max(1, self.source.n_loci, len(self.column)))  # half a tile of the file, at least
        for start in range(0, n, step):
            yield slice(start, min(start + step, n))

    @property
    def sentences(self) -> list[str]:
        """What happened, one sentence for each thing that did."""
        n = self.counts
        by_id = f", {n['by_id']:,} of them by id alone" if n["by_id"] else ""
        said = [f"{n['found']:,} of the reference's {several(n['loci'], 'locus')} were found{by_id}."]
        for key, (subject, text) in _SENTENCES.items():
            if n[key]:
                count = f"of these, {n[key]:,}" if subject == "of these" else several(n[key], *subject.split())
                said.append(f"{count} {text}.")
        if np.isfinite(self.frequency_correlation):
            said.append(f"Allele frequencies correlate {self.frequency_correlation:.3f} with the reference's.")
        return said


_SENTENCES = {
    "swapped": ("lists", "alleles in the other order: dosages were turned round"),
    "strand_flipped": ("has", "alleles named by the other strand: taken as they are"),
    "strand_flipped_and_swapped": ("has", "alleles named by the other strand, in the other order: turned round"),
    "ambiguous": ("is", "A/T or C/G, which both strands spell alike"),
    "ambiguous_swapped": ("of these", "turned round"),
    "ambiguous_missing": ("of these", "set to missing"),
    "ambiguous_doubtful": ("of these", "taken as spelt although frequencies fit the other strand better"),
    "unchecked": ("has", "no known alleles on one side: taken as given, unchecked"),
    "mismatch": ("has", "other alleles in the new data: set to missing"),
    "absent": ("is", "not in the new data: set to missing"),
    "moved": ("is", "found by id at another position (another genome build?)"),
    "not_used": ("locus", "of the new data left out, for which the reference has no use"),
    "duplicates": ("of these", "as good a match as the one that was taken"),
}


def harmonize(reference: Variants, dataset: Dataset, ambiguous: Ambiguous = "keep") -> Harmonized:
    """Bring a dataset's genotypes into the order and the counted alleles of a reference.

    Parameters
    ----------
    reference
        The loci that are wanted.
    dataset
        New samples.
    ambiguous
        What becomes of A/T and C/G loci: "keep" takes the names as they are spelt, as if both files were of one
        strand; "frequency" takes the strand on which the allele frequencies agree, and sets to missing where either
        is within 0.1 of 1/2 or the new samples are fewer than 20; "drop" sets all of them to missing.

    Returns
    -------
    Harmonized

    Raises
    ------
    DataError
        Another ploidy than the reference's, or not one locus in common.
    """
    if dataset.ploidy != reference.ploidy:
        raise DataError(f"the new genotypes have ploidy {dataset.ploidy}, but the reference's is {reference.ploidy}")
    new = Variants.of(dataset)
    matches = match(reference, new)
    usable = (matches.column >= 0) & (matches.relation != Relation.mismatch)
    if not usable.any():
        raise DataError(_nothing_in_common(reference, new, matches))
    column = np.where(usable, matches.column, 0)
    mean = np.where(usable, new.mean_dosage[column], np.nan)
    turned = usable & SWAPS[matches.relation]
    doubtful = usable & matches.ambiguous & (matches.relation != Relation.unchecked)
    fits_as_spelt, clear = _frequencies_decide(reference, mean, turned, dataset.n_samples)
    contradicted = doubtful & clear & ~fits_as_spelt
    missing = doubtful & {"keep": np.False_, "frequency": ~clear, "drop": np.True_}[ambiguous]
    if ambiguous == "frequency":
        turned = turned ^ contradicted
    usable &= ~missing
    turned &= usable
    status = np.array([relation.name for relation in Relation], dtype="U26")[matches.relation]
    status[matches.column < 0] = "absent"
    status[doubtful] = "ambiguous"
    account = {
        "locus_id": reference.locus_id,
        "status": status,
        "matched_by": matches.by,
        "new_locus_id": np.where(matches.column >= 0, new.locus_id[matches.column], ""),
        "taken": np.where(~usable, "missing", np.where(turned, "swapped", "as_given")),
    }
    of_status = {name: int((status == name).sum()) for name in _SENTENCES}
    counts = of_status | {
        "loci": reference.n_loci,
        "match": int((status == "match").sum()),
        "found": int((matches.column >= 0).sum() - of_status["mismatch"]),
        "by_id": int(((matches.by == "id") & (matches.relation != Relation.mismatch)).sum()),
        "duplicates": matches.n_duplicates,
        "moved": matches.n_moved,
        "not_used": new.n_loci - len(np.unique(matches.column[matches.column >= 0])),
        "ambiguous_swapped": int((doubtful & turned).sum()),
        "ambiguous_missing": int(missing.sum()),
        "ambiguous_doubtful": int(contradicted.sum()) if ambiguous == "keep" else 0,
    }
    taken = np.where(turned, dataset.ploidy - mean, mean)
    correlation = _correlation(reference.mean_dosage[usable], taken[usable])
    return Harmonized(dataset, column, turned, usable, account, counts, correlation)


def harmonized_dataset(reference: Variants, harmonized: Harmonized) -> Dataset:
    """Return the new samples at the reference's loci, named as the reference names them; packed where they were.

    Raises
    ------
    DataError
        The new samples have allele codes: which allele is the reference's is told of two alleles only.
    """
    source = harmonized.source
    if source.codes is not None:
        raise DataError(
            f"the new genotypes have loci of up to {source.n_alleles} alleles; loci are harmonised by two alleles, so "
            f"import them with several ALT split (--multiallelic split)"
        )
    genotypes: NDArray[np.int8] | Dosages
    if isinstance(source.genotypes, Dosages):
        packed = [PackedDosages.pack(harmonized.take(rows)).bits for rows in harmonized.blocks()]
        genotypes = PackedDosages(np.concatenate(packed), reference.n_loci)
    else:
        genotypes = harmonized.genotypes
    return replace(
        source,
        genotypes=genotypes,
        locus_id=reference.locus_id,
        chromosome=reference.chromosome,
        position=reference.position,
        position_unit=reference.position_unit,
        alleles=reference.alleles,
        truth=None,
    )


def _frequencies_decide(
    reference: Variants, mean: NDArray[np.float64], turned: NDArray[np.bool_], n_samples: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whether frequencies agree on the side of 1/2 that the names put them on, and whether they can tell."""
    old = reference.allele_frequency - 0.5
    new = np.where(turned, -1, 1) * (mean / reference.ploidy - 0.5)
    with np.errstate(invalid="ignore"):
        clear = (np.abs(old) > UNCLEAR) & (np.abs(new) > UNCLEAR) & (n_samples >= ENOUGH_SAMPLES)
        return old * new > 0, clear


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    known = np.isfinite(a) & np.isfinite(b)
    a, b = a[known], b[known]
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def _nothing_in_common(reference: Variants, new: Variants, matches: Matches) -> str:
    text = f"the new genotypes share no locus with the reference ({new.n_loci} and {reference.n_loci} loci"
    if (matches.column >= 0).any():
        return f"{text}; {int((matches.column >= 0).sum())} have its position or id, but other alleles)"
    examples = (
        f"ids such as '{new.locus_id[0]}' and '{reference.locus_id[0]}'" if new.n_loci and reference.n_loci else ""
    )
    if reference.position_unit != new.position_unit:
        units = f"positions in {new.position_unit or 'no unit'} and {reference.position_unit or 'no unit'}"
        return f"{text}; {units}; {examples})"
    return f"{text}; {examples})"
