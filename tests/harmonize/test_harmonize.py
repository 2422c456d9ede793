"""Harmonisation: whatever a new file does to order, strand and names of alleles is undone, and is said."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas.dataset import Dataset
from gpatlas.errors import DataError
from gpatlas.harmonize import Variants, harmonize, harmonized_dataset
from gpatlas.harmonize.alleles import reverse_complement
from gpatlas.packed import PackedDosages
from tests.allele_panels import panel_of

CLEAR = [("A", "G"), ("C", "A"), ("T", "C"), ("G", "T"), ("AT", "A"), ("C", "CGG")]
AMBIGUOUS = [("A", "T"), ("C", "G"), ("T", "A"), ("ACG", "CGT")]


def population(n_samples, alleles, ploidy=2, seed=1, **other) -> Dataset:
    rng = np.random.default_rng(seed)
    n = len(alleles)
    frequency = rng.uniform(0.05, 0.3, n)
    genotypes = rng.binomial(ploidy, frequency, (n_samples, n)).astype(np.int8)
    genotypes[rng.random(genotypes.shape) < 0.05] = -1
    fields = {
        "phenotypes": np.zeros((n_samples, 0)),
        "sample_id": np.array([f"s{i}" for i in range(n_samples)]),
        "locus_id": np.array([f"m{j}" for j in range(n)]),
        "trait_id": np.empty(0, dtype="S1"),
        "ploidy": ploidy,
        "fold": np.zeros(n_samples, dtype=np.uint8),
        "chromosome": np.array([str(1 + j % 3) for j in range(n)]),
        "position": 100.0 + np.arange(n),
        "position_unit": "bp",
        "alleles": np.array(alleles),
    }
    return Dataset(genotypes=genotypes, **(fields | other))


def rewritten(data: Dataset, order, swap, flip, prefix="chr", new_ids=True) -> Dataset:
    """The same genotypes as another file might hold them."""
    genotypes = np.where(swap & (data.dosage() >= 0), data.ploidy - data.dosage(), data.dosage()).astype(np.int8)
    alleles = data.alleles.astype("U8").copy()
    alleles[swap] = alleles[swap][:, ::-1]
    for j in np.flatnonzero(flip):
        alleles[j] = [reverse_complement(str(allele)) for allele in alleles[j]]
    return replace(
        data,
        genotypes=genotypes[:, order],
        alleles=alleles[order],
        locus_id=np.array([f"rs{j}" for j in range(data.n_loci)])[order] if new_ids else data.locus_id[order],
        chromosome=np.char.add(prefix, data.chromosome)[order],
        position=data.position[order],
    )


@settings(max_examples=60)
@given(st.data(), st.integers(1, 30), st.sampled_from([1, 2, 4]), st.booleans())
def test_random_swaps_flips_and_orders_are_undone(data, n_loci, ploidy, by_id):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    reference = population(8, [CLEAR[k] for k in rng.integers(0, len(CLEAR), n_loci)], ploidy, seed=n_loci)
    swap, flip = rng.random(n_loci) < 0.5, rng.random(n_loci) < 0.5
    new = rewritten(reference, rng.permutation(n_loci), swap, flip, new_ids=not by_id)
    if by_id:  # another map: only ids can tell
        new = replace(new, position_unit="cM")
    done = harmonize(Variants.of(reference), new)
    np.testing.assert_array_equal(done.genotypes, reference.dosage())
    names = np.array([["match", "strand_flipped"], ["swapped", "strand_flipped_and_swapped"]])
    np.testing.assert_array_equal(done.account["status"], names[swap.astype(int), flip.astype(int)])
    assert (done.counts["found"], done.counts["not_used"]) == (n_loci, 0)
    assert done.counts["by_id"] == n_loci * by_id
    np.testing.assert_array_equal(done.account["taken"], np.where(swap, "swapped", "as_given"))


def test_subsets_absent_and_extra_loci():
    reference = population(30, [CLEAR[j % 4] for j in range(40)])
    extra = population(30, [CLEAR[j % 4] for j in range(5)], seed=9, position=np.arange(1, 6))
    new = reference.loci(np.arange(10, 40)[::-1])
    both = replace(
        new,
        genotypes=np.hstack([extra.dosage(), new.dosage()]),
        locus_id=np.concatenate([[f"x{j}" for j in range(5)], new.locus_id]),
        chromosome=np.concatenate([extra.chromosome, new.chromosome]),
        position=np.concatenate([extra.position, new.position]),
        alleles=np.concatenate([extra.alleles, new.alleles]),
    )
    done = harmonize(Variants.of(reference), both)
    np.testing.assert_array_equal(done.genotypes[:, 10:], reference.dosage()[:, 10:])
    assert (done.genotypes[:, :10] == -1).all()
    assert done.counts["absent"] == 10
    assert done.counts["not_used"] == 5
    text = " ".join(done.sentences)
    assert "30 of the reference's 40 loci were found." in text
    assert "10 are not in the new data: set to missing." in text
    assert "5 loci of the new data left out" in text
    assert "correlate 1.000" in text


@pytest.mark.parametrize("policy", ["keep", "frequency", "drop"])
def test_ambiguous_loci(policy):
    """Names of A/T and C/G loci cannot tell the strand; frequencies can, away from 1/2."""
    reference = population(60, [AMBIGUOUS[j % 4] for j in range(8)])
    swap = np.arange(8) % 2 == 1
    new = rewritten(reference, np.arange(8), swap, np.zeros(8, dtype=bool))
    done = harmonize(Variants.of(reference), new, policy)
    assert done.counts["ambiguous"] == 8
    if policy == "drop":
        assert (done.genotypes == -1).all()
        return
    if policy == "keep":
        np.testing.assert_array_equal(done.genotypes, reference.dosage())
        assert done.counts["ambiguous_swapped"] == 4
    else:
        clear = Variants.of(reference).allele_frequency < 0.4
        np.testing.assert_array_equal(done.genotypes[:, clear], reference.dosage()[:, clear])
        assert done.counts["ambiguous_missing"] == (~clear).sum()
    # the other strand: an A/T locus flipped and swapped reads as a match
    other = rewritten(reference, np.arange(8), np.ones(8, dtype=bool), np.ones(8, dtype=bool))
    np.testing.assert_array_equal(other.alleles, reference.alleles)
    done = harmonize(Variants.of(reference), other, policy)
    if policy == "frequency":
        np.testing.assert_array_equal(done.genotypes[:, clear], reference.dosage()[:, clear])
    else:
        assert done.counts["ambiguous_doubtful"] == 8
        assert "fit the other strand better" in " ".join(done.sentences)


def test_few_samples_decide_no_strand():
    reference = population(60, AMBIGUOUS)
    done = harmonize(Variants.of(reference), reference.samples(np.arange(5)), "frequency")
    assert done.counts["ambiguous_missing"] == 4


def test_frequency_close_to_a_half_decides_no_strand():
    reference = population(200, AMBIGUOUS)
    half = replace(reference, genotypes=np.random.default_rng(1).binomial(2, 0.5, (200, 4)).astype(np.int8))
    assert harmonize(Variants.of(reference), half, "frequency").counts["ambiguous_missing"] == 4


def test_same_position_other_alleles():
    """Of a split multi-allelic site the right part is taken; a site of other alleles is missing and said."""
    reference = population(20, [("A", "G"), ("A", "C"), ("C", "T")], position=np.array([5.0, 5.0, 9.0]),
                           chromosome=np.array(["1", "1", "1"]))  # fmt: skip
    order = np.array([2, 1, 0])
    done = harmonize(Variants.of(reference), reference.loci(order))
    np.testing.assert_array_equal(done.genotypes, reference.dosage())
    other = replace(
        reference, alleles=np.array([("A", "G"), ("A", "C"), ("C", "A")]), locus_id=np.array(["x", "y", "z"])
    )
    done = harmonize(Variants.of(reference), other)
    assert list(done.account["status"]) == ["match", "match", "mismatch"]
    assert (done.genotypes[:, 2] == -1).all()
    assert "1 has other alleles" in " ".join(done.sentences)
    assert done.counts["found"] == 2


def test_an_id_rescues_what_moved():
    reference = population(20, CLEAR)
    moved = replace(reference, position=reference.position + 1_000_000)
    done = harmonize(Variants.of(reference), moved)
    np.testing.assert_array_equal(done.genotypes, reference.dosage())
    assert done.counts["moved"] == done.counts["by_id"] == len(CLEAR)
    assert "another genome build?" in " ".join(done.sentences)
    # an id of other alleles is said, too
    named = replace(moved, alleles=np.array([("<A>", "<B>"), *CLEAR[1:]]))
    assert list(harmonize(Variants.of(reference), named).account["status"]) == ["mismatch", *["match"] * 5]
    # an id at a position of other alleles
    at = replace(reference, position=np.roll(reference.position, 1), chromosome=np.roll(reference.chromosome, 1))
    np.testing.assert_array_equal(harmonize(Variants.of(reference), at).genotypes, reference.dosage())


def test_duplicates_are_counted_and_the_equal_id_wins():
    reference = population(20, [("A", "G")])
    new = replace(
        reference,
        genotypes=np.hstack([2 - np.abs(reference.dosage()), reference.dosage(), reference.dosage()]),
        locus_id=np.array(["other", "m0", "m0"]),
        chromosome=np.array(["1"] * 3),
        position=np.array([100.0] * 3),
        alleles=np.array([("A", "G")] * 3),
    )
    done = harmonize(Variants.of(reference), new)
    np.testing.assert_array_equal(done.genotypes, reference.dosage())
    assert (done.counts["duplicates"], done.counts["not_used"]) == (1, 2)


@pytest.mark.parametrize(
    ("ours", "theirs", "status"),
    [
        (("A", "G"), ("", ""), "unchecked"),
        (("", ""), ("A", "G"), "unchecked"),
        (("A", "G"), ("A", ""), "match"),
        (("A", "G"), ("G", ""), "swapped"),
        (("A", "G"), ("", "A"), "swapped"),
        (("A", "G"), ("", "C"), "strand_flipped"),
        (("A", ""), ("", "A"), "swapped"),
        (("A", ""), ("T", "C"), "strand_flipped"),
        (("A", "T"), ("A", ""), "ambiguous"),
        (("a", "g"), ("A", "G"), "match"),
        (("0", "1"), ("1", "0"), "swapped"),
        (("A", "<DEL>"), ("<DEL>", "A"), "swapped"),
        (("A", "<DEL>"), ("T", "<DEL>"), "mismatch"),
    ],
)
def test_names_of_alleles(ours, theirs, status):
    reference = population(5, [ours, ("A", "C")])
    new = replace(reference, alleles=np.array([theirs, ("A", "C")]))
    found = harmonize(Variants.of(reference), new).account["status"][0]
    assert found == status


def test_data_without_alleles_or_positions_match_by_id():
    reference = replace(population(6, CLEAR), alleles=None, position_unit="")
    done = harmonize(Variants.of(reference), reference.loci(np.arange(6)[::-1]))
    np.testing.assert_array_equal(done.genotypes, reference.dosage())
    assert done.counts["unchecked"] == 6


def test_chromosomes_by_any_name():
    reference = population(6, CLEAR, chromosome=np.array(["1", "2", "X", "MT", "10", "3B"]))
    for names in (["chr1", "Chr2", "chrX", "chrM", "chr10", "chr3B"], ["01", "02", "x", "M", "10", "3b"]):
        new = replace(reference, chromosome=np.array(names), locus_id=np.array([f"n{j}" for j in range(6)]))
        assert harmonize(Variants.of(reference), new).counts["match"] == 6


def test_numbers_of_sex_chromosomes():
    """PLINK's 23 to 26 are the other file's X, Y and MT, where that leaves no doubt; another species has a 23."""
    reference = population(6, CLEAR, chromosome=np.array(["1", "X", "X", "Y", "MT", "2"]))
    new = replace(reference, locus_id=np.array([f"n{j}" for j in range(6)]))
    numbers = replace(new, chromosome=np.array(["1", "23", "23", "24", "26", "2"]))
    assert harmonize(Variants.of(reference), numbers).counts["match"] == 6
    assert harmonize(Variants.of(numbers), new).counts["match"] == 6
    both = replace(new, chromosome=np.array(["23", "X", "X", "Y", "MT", "2"]))
    assert harmonize(Variants.of(reference), both).counts["match"] == 5


def test_nothing_in_common_is_an_error():
    reference = population(5, CLEAR)
    with pytest.raises(DataError, match="ploidy 2, but the reference's is 4"):
        harmonize(Variants.of(population(5, CLEAR, ploidy=4)), reference)
    away = replace(reference, position=reference.position * 1e4, locus_id=np.array([f"n{j}" for j in range(6)]))
    with pytest.raises(DataError, match=r"share no locus .* ids such as 'n0' and 'm0'"):
        harmonize(Variants.of(reference), away)
    other = replace(reference, alleles=np.array([("<A>", "<B>")] * 6))
    with pytest.raises(DataError, match="6 have its position or id, but other alleles"):
        harmonize(Variants.of(reference), other)


def test_the_dataset_is_named_as_the_reference_is():
    reference = population(9, CLEAR)
    new = rewritten(reference, np.arange(6)[::-1], np.ones(6, dtype=bool), np.zeros(6, dtype=bool))
    variants = Variants.of(reference)
    data = harmonized_dataset(variants, harmonize(variants, new))
    assert data.content_hash == reference.content_hash
    packed = replace(new, genotypes=PackedDosages.pack(new.dosage()))
    data = harmonized_dataset(variants, harmonize(variants, packed))
    assert isinstance(data.genotypes, PackedDosages)
    np.testing.assert_array_equal(Variants.of(packed).mean_dosage, Variants.of(new).mean_dosage)
    rows = np.array([3, 1])
    np.testing.assert_array_equal(Variants.of(packed, rows).mean_dosage, Variants.of(new.samples(rows)).mean_dosage)
    np.testing.assert_array_equal(data.dosage(), reference.dosage())


def test_several_alleles_are_matched_by_dosage_alone():
    data = panel_of()
    done = harmonize(Variants.of(data), data)
    np.testing.assert_array_equal(done.genotypes, data.dosage())
    with pytest.raises(DataError, match="loci of up to 3 alleles; loci are harmonised by two alleles"):
        harmonized_dataset(Variants.of(data), done)
