"""Samples with the same genotypes under two names."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas.dataset import as_bytes, as_text
from gpatlas.errors import DataError
from gpatlas.io import read_genotypes
from gpatlas.io.field_data import field_dataset
from gpatlas.packed.agreement import identity_with, planes
from gpatlas.twins import find_twins
from tests.conftest import REFERENCE


def cohort(rng, n=40, p=299, ploidy=2, missing=0.0, alleles=True):
    frequency = rng.uniform(0.1, 0.9, size=p)
    dosage = rng.binomial(ploidy, frequency, size=(n, p)).astype(np.int8)
    dosage[rng.random((n, p)) < missing] = -1
    return field_dataset(
        "x",
        dosage,
        [f"s{k}" for k in range(n)],
        [f"m{k}" for k in range(p)],
        ploidy=ploidy,
        alleles=np.array([["A", "C"]] * p) if alleles else None,
    )


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 300), st.floats(0, 0.5))
def test_identity_is_what_counting_gives(seed, ploidy, n_loci, missing):
    rng = np.random.default_rng(seed)
    dosage = rng.integers(0, ploidy + 1, size=(6, n_loci)).astype(np.int8)
    dosage[1] = dosage[0]
    dosage[rng.random(dosage.shape) < missing] = -1
    words, found = planes(dosage, ploidy), np.empty(6)
    identity_with(words[0], words, float(n_loci), 1.0, found)
    both = (dosage != -1) & (dosage[0] != -1)
    for j in range(6):
        expected = (dosage[j] == dosage[0])[both[j]].mean() if both[j].any() else -1
        assert found[j] == pytest.approx(expected)
    budget = n_loci / 4
    identity_with(words[0], words, budget, 1.0, found)
    different = ((dosage != dosage[0]) & both).sum(axis=1)
    np.testing.assert_array_equal(found >= 0, (different <= budget) & both.any(axis=1))


@pytest.mark.parametrize("ploidy", [1, 2, 4])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_planted_twins_are_found_and_nothing_else(rng, ploidy, missing):
    data = cohort(rng, ploidy=ploidy, missing=missing)
    dosage = data.dosage().copy()
    dosage[7], dosage[30] = dosage[3], dosage[3]
    dosage[30, 8] = (dosage[3, 8] + 1) % (ploidy + 1)  # a call differs
    twins = find_twins(replace(data, genotypes=dosage))
    assert sorted(zip(twins.first, twins.second, strict=True)) == [("s3", "s30"), ("s3", "s7"), ("s7", "s30")]
    assert 0.99 < twins.identity.min() < 1
    assert "3 pairs of twins within the cohort" in twins.sentences[0]
    assert find_twins(data).sentences[0].startswith("no twins within the cohort at 2")  # loci of MAF 0.05 and more


def test_across_cohorts_loci_are_matched_by_name_and_allele(rng):
    data = cohort(rng)
    order = rng.permutation(299)[:200]
    other = data.samples(np.array([5, 9, 11])).loci(order)
    turned = rng.random(200) < 0.5
    dosage = np.where(turned, 2 - other.dosage(), other.dosage()).astype(np.int8)
    alleles = np.where(turned[:, None], other.alleles[:, ::-1], other.alleles)
    other = replace(other, genotypes=dosage, alleles=alleles, sample_id=as_bytes(np.array(["x", "y", "z"])))
    twins = find_twins(data, other)
    assert list(zip(twins.first, twins.second, strict=True)) == [("s5", "x"), ("s9", "y"), ("s11", "z")]
    assert 190 < twins.n_loci <= 200
    assert twins.identity.min() == 1
    with pytest.raises(DataError, match="share no locus: names are m0, m1, m2, … and q, q, q, …"):
        find_twins(data, replace(other, locus_id=np.full(200, b"q")))
    with pytest.raises(DataError, match="ploidy 2 and 4"):
        find_twins(data, replace(other, ploidy=4))


def test_too_few_loci_to_tell(rng):
    twins = find_twins(cohort(rng, p=8))
    assert twins.first == []
    assert "8 loci are too few to tell twins from chance" in twins.sentences[0]
    same = replace(cohort(rng), genotypes=np.zeros((40, 299), dtype=np.int8))
    assert "0 loci are too few" in find_twins(same).sentences[0]


def test_rare_alleles_do_not_make_twins(rng):
    rare = rng.binomial(2, 0.003, size=(40, 2000)).astype(np.int8)
    common = cohort(rng, p=150).dosage()
    dosage = np.hstack([rare, common])
    data = field_dataset("x", dosage, [f"s{k}" for k in range(40)], [f"m{k}" for k in range(2150)], ploidy=2)
    twins = find_twins(data, identity=0.9)
    assert twins.first == []
    assert 100 <= twins.n_loci <= 150  # the common ones alone


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference data are not here")
def test_genomls_validation_cohort_is_its_training_cohort():
    folder = REFERENCE / "genoml" / "discrete"
    training, validation = (read_genotypes(folder / f"{name}.bed") for name in ("training", "validation"))
    twins = find_twins(training, validation)
    assert sorted(twins.second) == sorted(as_text(validation.sample_id).tolist())
    assert len(set(twins.first)) == 100
