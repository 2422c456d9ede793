"""Missing calls are filled in by the votes of neighbours, and nothing else moves."""

from dataclasses import replace

import numpy as np
import pytest

from gpatlas.alleles import dosage_of
from gpatlas.dataset import as_bytes
from gpatlas.errors import DataError
from gpatlas.evaluate.imputation import choose_neighbours, knn_window_impute
from gpatlas.imputing import impute
from gpatlas.io import read_dataset, write_dataset
from tests.allele_panels import panel_of

SIZES = [(1, 2), (2, 2), (4, 2), (4, 3), (6, 4)]


def lines(ploidy=2, n_alleles=2, missing=0.3, seed=1):
    """Copies of five ancestors, with missing calls."""
    rng = np.random.default_rng(seed)
    data = panel_of(ploidy, n_alleles, n_samples=60, n_loci=24, seed=seed)
    codes = np.maximum(data.codes[:5], 1)[rng.integers(0, 5, 60)]
    codes[rng.random(codes.shape) < missing] = 0
    return with_codes(data, codes)


def with_codes(data, codes):
    dosage = dosage_of(codes, data.ploidy, data.n_alleles)
    return replace(data, genotypes=dosage, codes=codes if data.n_alleles > 2 else None)


@pytest.mark.parametrize(("p", "k"), SIZES)
def test_missing_calls_alone_are_filled_in(p, k):
    data = lines(p, k)
    found = impute(data).dataset
    before, after = data.allele_codes(), found.allele_codes()
    known = before > 0
    np.testing.assert_array_equal(after[known], before[known])
    assert (after > 0).all()
    row, locus = np.nonzero(~known)
    number = np.repeat([0, 1], 12)
    best = choose_neighbours(before, number, p, k)
    said = knn_window_impute(before, before, row, locus, number, p, k, k=best.k, window=best.window)
    np.testing.assert_array_equal(after[row, locus], said)
    np.testing.assert_array_equal(found.dosage(), dosage_of(after, p, k))


def test_copies_of_ancestors_are_told_right_and_it_is_said_how_many():
    data = lines(missing=0.0)
    codes = data.allele_codes().copy()
    hidden = np.random.default_rng(2).random(codes.shape) < 0.2
    found = impute(with_codes(data, np.where(hidden, 0, codes).astype(np.int16)))
    assert (found.dataset.allele_codes() == codes)[hidden].mean() > 0.97
    assert found.sentences[0].startswith(
        f"{hidden.sum():,} calls were missing ({hidden.mean():.1%}); each is the vote of "
    )
    assert float(found.sentences[1].split(", ")[-1].split(" ")[0]) > 0.97


def test_the_order_of_markers_in_the_data_does_not_matter():
    data = lines()
    order = np.concatenate([np.random.default_rng(3).permutation(12), 12 + np.random.default_rng(4).permutation(12)])
    np.testing.assert_array_equal(impute(data.loci(order)).dataset.dosage(), impute(data).dataset.dosage()[:, order])


@pytest.mark.parametrize("at_once", [1, 100, 10**6])
def test_blocks_of_samples_do_not_matter(at_once, monkeypatch):
    data = lines(4, 3)
    expected = impute(data).dataset.codes
    monkeypatch.setattr("gpatlas.imputing._CALLS_AT_ONCE", at_once)
    seen = []
    np.testing.assert_array_equal(impute(data, progress=lambda *done: seen.append(done)).dataset.codes, expected)
    assert seen[-1] == (60, 60)
    assert len(seen) == {1: 60, 10**6: 1}[at_once] if at_once != 100 else 1 < len(seen) < 60


def test_phenotypes_are_not_looked_at_and_stay(tmp_path):
    data = lines()
    other = replace(data, phenotypes=data.phenotypes[::-1].copy())
    found = [impute(one).dataset for one in (data, other)]
    np.testing.assert_array_equal(found[0].dosage(), found[1].dosage())
    np.testing.assert_array_equal(found[1].phenotypes, other.phenotypes)
    write_dataset(found[0], tmp_path / "d.h5")
    again = read_dataset(tmp_path / "d.h5")
    assert again.content_hash == found[0].content_hash
    np.testing.assert_array_equal(again.locus_id, as_bytes(data.locus_id))


def test_a_marker_without_any_known_call_stays_missing():
    data = lines()
    codes = data.allele_codes().copy()
    codes[:, 7] = 0
    found = impute(with_codes(data, codes))
    assert (found.dataset.dosage()[:, 7] == -1).all()
    assert (np.delete(found.dataset.dosage(), 7, axis=1) >= 0).all()
    assert found.sentences[-1] == "1 marker has no known call: missing as before"


def test_where_nothing_is_missing_nothing_is_done():
    data = lines(missing=0)
    found = impute(data)
    assert found.dataset is data
    assert found.sentences == ("no call is missing: genotypes are as they were",)


def test_bits_have_no_missing_calls(haploids):
    assert impute(haploids).dataset is haploids


def test_more_calls_than_memory_are_refused(monkeypatch):
    monkeypatch.setattr("gpatlas.imputing.available_memory", lambda: 1e4)
    with pytest.raises(DataError, match=r"24 loci needs about 2\.3e-05 GB of memory, but 1e-05 GB"):
        impute(lines())


def test_too_few_known_calls():
    data = lines()
    with pytest.raises(DataError, match="all 1,440 calls are missing: there is nothing to fill them in from"):
        impute(with_codes(data, np.zeros_like(data.allele_codes())))
    one = np.zeros_like(data.allele_codes())
    one[3, 5] = 2
    found = impute(with_codes(data, one))
    assert (found.dataset.allele_codes()[:, 5] == 2).all()
    assert found.sentences[1].endswith("none: too few are known to say how many are told right")


def test_one_sample_has_no_neighbours():
    with pytest.raises(DataError, match="1 sample: there are no others to fill in calls from"):
        impute(lines().samples(np.array([3])))
