"""The dataset's invariants, and what its content hash sees."""

from dataclasses import replace

import numpy as np
import pytest

from gpatlas.dataset import Fold, as_bytes, as_text
from gpatlas.encoding import MISSING, additive_coding, as_features, dominance_coding
from gpatlas.errors import DataError


def test_shapes_must_agree(haploids):
    with pytest.raises(DataError, match="sample_id has 299 rows, but 300 are expected"):
        replace(haploids, sample_id=haploids.sample_id[1:])
    with pytest.raises(DataError, match="locus_id"):
        replace(haploids, locus_id=haploids.locus_id[1:])
    with pytest.raises(DataError, match="trait_id"):
        replace(haploids, trait_id=haploids.trait_id[1:])


def test_folds_partition_the_samples(haploids):
    rows = [haploids.rows(fold) for fold in Fold]
    assert sorted(np.concatenate(rows)) == list(range(haploids.n_samples))
    assert [len(r) for r in rows] == [210, 45, 45]
    np.testing.assert_array_equal(haploids.rows(Fold.train, Fold.test), np.sort(np.concatenate([rows[0], rows[2]])))


@pytest.mark.parametrize("change", ["phenotypes", "genotypes", "fold", "sample_id", "truth"])
def test_content_hash_sees_every_change(haploids, change):
    if change == "truth":
        truth = replace(haploids.truth, genetic_values=haploids.truth.genetic_values + 1e-9)
        other = replace(haploids, truth=truth)
    elif change == "genotypes":
        bits = haploids.genotypes.bits.copy()
        bits[3, 0] ^= 1
        other = replace(haploids, genotypes=replace(haploids.genotypes, bits=bits))
    else:
        values = getattr(haploids, change).copy()
        values[0] = values[1] if change == "sample_id" else values[0] + 1
        other = replace(haploids, **{change: values})
    assert other.content_hash != haploids.content_hash


def test_content_hash_ignores_provenance(haploids):
    assert replace(haploids, provenance={"other": 1}).content_hash == haploids.content_hash


def test_missing_calls_become_nan_features():
    dosage = np.array([[0, 1], [MISSING, 2]], dtype=np.int8)
    np.testing.assert_array_equal(as_features(dosage), [[0, 1], [np.nan, 2]])
    assert as_features(dosage[:1]).dtype == np.int8  # nothing missing: nothing copied


def test_names_are_text_whatever_they_look_like():
    np.testing.assert_array_equal(as_text(as_bytes(np.array(["1", "é", "NA12"]))), ["1", "é", "NA12"])


@pytest.mark.parametrize(
    ("ploidy", "xa", "xd"),
    [
        (1, [-1, 1], [0, 0]),
        (2, [-1, 0, 1], [0, 1, 0]),
        (4, [-1, -0.5, 0, 0.5, 1], [0, 0.75, 1, 0.75, 0]),
    ],
)
def test_codings_are_alphasimrs(ploidy, xa, xd):
    x = np.arange(ploidy + 1)
    np.testing.assert_allclose(additive_coding(x, ploidy), xa)
    np.testing.assert_allclose(dominance_coding(x, ploidy), xd)


def test_samples_and_loci_are_taken_with_all_that_belongs_to_them(diploids):
    n, p = diploids.genotypes.shape
    data = replace(
        diploids,
        covariates=np.arange(n, dtype=float)[:, None],
        covariate_id=np.array(["age"]),
        family=np.arange(n).astype(str),
        alleles=np.column_stack([np.arange(p).astype(str), np.arange(p).astype(str)]),
    )
    rows, columns = np.array([5, 2, 9]), np.array([7, 0])
    taken = data.samples(rows).loci(columns)
    np.testing.assert_array_equal(taken.dosage(), data.dosage()[np.ix_(rows, columns)])
    np.testing.assert_array_equal(taken.phenotypes, data.phenotypes[rows])
    assert list(as_text(taken.sample_id)) == list(as_text(data.sample_id[rows]))
    assert list(taken.covariates[:, 0]) == [5, 2, 9]
    assert list(taken.family) == ["5", "2", "9"]
    assert list(taken.alleles[:, 1]) == ["7", "0"]
    np.testing.assert_array_equal(taken.position, data.position[columns])
    assert taken.truth is None
