"""Allele codes against counting out the combinations, and what is refused."""

from dataclasses import replace
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpatlas.alleles import (
    MISSING_CODE,
    alleles_seen,
    codes_of,
    codes_of_dosage,
    copies_of,
    decoder,
    dosage_of,
    n_codes,
)
from gpatlas.errors import DataError
from tests.allele_panels import calls_of, panel_of

PLOIDIES, ALLELES = [1, 2, 3, 4, 6], [2, 3, 4, 5]
kinds = st.tuples(st.sampled_from(PLOIDIES), st.sampled_from(ALLELES))


@st.composite
def coded(draw):
    ploidy, k = draw(kinds)
    shape = draw(st.tuples(st.integers(0, 5), st.integers(0, 4)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.integers(0, n_codes(ploidy, k) + 1, size=shape).astype(np.int16), ploidy, k


@pytest.mark.parametrize("ploidy", PLOIDIES)
@pytest.mark.parametrize("n_alleles", ALLELES)
def test_codes_are_numbered_as_combinations_are_counted_out(ploidy, n_alleles):
    calls = calls_of(ploidy, n_alleles)
    assert n_codes(ploidy, n_alleles) == len(calls) - 1 == comb(n_alleles + ploidy - 1, ploidy)
    copies = [[call.count(allele) for allele in range(n_alleles)] for call in calls]
    np.testing.assert_array_equal(decoder(ploidy, n_alleles), copies)
    np.testing.assert_array_equal(codes_of(np.array(copies)), np.arange(len(calls)))
    dosage = [len(call) - call.count(0) if call else -1 for call in calls]
    np.testing.assert_array_equal(dosage_of(np.arange(len(calls)), ploidy, n_alleles), dosage)


def test_diploids_by_hand():
    assert calls_of(2, 2) == [(), (0, 0), (0, 1), (1, 1)]
    assert decoder(2, 2).tolist() == [[0, 0], [2, 0], [1, 1], [0, 2]]
    in_order = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    assert calls_of(2, 3)[1:] == in_order
    assert decoder(2, 3).tolist()[1:] == [[2, 0, 0], [1, 1, 0], [1, 0, 1], [0, 2, 0], [0, 1, 1], [0, 0, 2]]


@given(coded())
def test_codes_to_copies_and_back(case):
    codes, ploidy, k = case
    copies = copies_of(codes, ploidy, k)
    assert copies.shape == (*codes.shape, k)
    np.testing.assert_array_equal(copies.sum(axis=-1), np.where(codes == MISSING_CODE, 0, ploidy))
    np.testing.assert_array_equal(codes_of(copies), codes)
    assert codes_of(copies).dtype == np.int16
    np.testing.assert_array_equal(
        dosage_of(codes, ploidy, k), np.where(codes == 0, -1, copies[..., 1:].sum(axis=-1, dtype=int))
    )


@given(coded())
def test_alleles_seen_are_those_that_have_a_copy(case):
    codes, ploidy, k = case
    np.testing.assert_array_equal(alleles_seen(codes, ploidy, k), (copies_of(codes, ploidy, k) > 0).any(axis=0))


@given(st.sampled_from(PLOIDIES), st.integers(0, 2**32 - 1))
def test_with_two_alleles_the_code_is_the_dosage_and_one(ploidy, seed):
    dosage = np.random.default_rng(seed).integers(-1, ploidy + 1, size=(3, 4)).astype(np.int8)
    np.testing.assert_array_equal(codes_of_dosage(dosage), dosage.astype(int) + 1)
    np.testing.assert_array_equal(dosage_of(codes_of_dosage(dosage), ploidy, 2), dosage)
    copies = np.stack([np.where(dosage < 0, 0, ploidy - dosage), np.maximum(dosage, 0)], axis=-1)
    np.testing.assert_array_equal(codes_of(copies), codes_of_dosage(dosage))


@pytest.mark.parametrize("decode", [copies_of, dosage_of])
@pytest.mark.parametrize("unknown", [-1, 7, 300])
def test_an_unknown_code_is_one_line(decode, unknown):
    with pytest.raises(
        DataError, match=rf"^unknown allele code {unknown}; .* ploidy 2 at loci of 3 .* 1 to 6, and 0"
    ) as e:
        decode(np.array([[1, 6], [unknown, 0]]), 2, 3)
    assert "\n" not in str(e.value)


def test_calls_of_mixed_ploidy_are_refused():
    with pytest.raises(DataError, match=r"calls have \[2, 4\] alleles; they must all have the same number"):
        codes_of(np.array([[2, 0], [1, 3], [0, 0]]))


def test_more_codes_than_a_file_holds_are_refused():
    with pytest.raises(DataError, match=r"ploidy 8 at loci of 12 alleles have 75,582 codes; at most 32,767 fit"):
        decoder(8, 12)
    with pytest.raises(DataError, match="from 1, not 0 and 2"):
        decoder(0, 2)


def test_a_dataset_keeps_its_codes_beside_its_dosage():
    data = panel_of()
    rows, loci = np.array([5, 0]), np.array([9, 3, 0])
    part = data.samples(rows).loci(loci)
    np.testing.assert_array_equal(part.codes, data.codes[rows][:, loci])
    assert (part.n_alleles, part.ploidy) == (3, 4)
    np.testing.assert_array_equal(part.allele_codes(), part.codes)
    np.testing.assert_array_equal(dosage_of(part.codes, 4, 3), part.dosage())
    np.testing.assert_array_equal(data.without_test().codes, data.codes)
    codes = data.codes.copy()
    codes[2, 3] = 1 if codes[2, 3] != 1 else 2
    assert replace(data, codes=codes).content_hash != data.content_hash
    assert replace(data, n_alleles=4).content_hash != data.content_hash


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codes": np.zeros((8, 9), dtype=np.int16)}, "codes are of 8 × 9 samples and loci, its genotypes of 8 × 10"),
        ({"codes": np.zeros((7, 10), dtype=np.int16)}, "codes are of 7 × 10"),
        ({"n_alleles": 1}, "n_alleles is 1; it is 2, or more"),
        ({"codes": None}, "n_alleles is 3; it is 2, or more where there are allele codes"),
    ],
)
def test_codes_that_do_not_fit_the_genotypes_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        replace(panel_of(), **change)
