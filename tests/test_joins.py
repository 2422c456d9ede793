"""Joining tables to genotypes by the samples' names."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpatlas.dataset import as_text
from gpatlas.errors import DataError
from gpatlas.io import read_genotypes, read_phenotypes
from gpatlas.io.field_data import field_dataset
from gpatlas.io.phenotypes import read_covariates
from gpatlas.joins import Phenotypes, attach, with_genotypes_of
from tests.allele_panels import panel_of
from tests.conftest import REFERENCE


def genotypes(names):
    dosage = np.arange(2 * len(names), dtype=np.int8).reshape(-1, 2) % 3
    return field_dataset("g.csv", dosage, names, ["x", "y"], ploidy=2)


def phenotypes(names, trait="y", covariates=0):
    values = np.arange(len(names), dtype=float)[:, None]
    extra = [f"c{k}" for k in range(covariates)]
    return Phenotypes("p.csv", list(names), [trait], values, extra, values[:, [0] * covariates] + 0.5)


@given(st.data())
def test_a_join_is_a_look_up_by_name(data):
    here = data.draw(st.lists(st.text("ab01_", min_size=1), min_size=1, unique=True))
    there = data.draw(st.lists(st.text("ab01_", min_size=1), min_size=1, unique=True))
    table = phenotypes(there, covariates=1)
    if not set(here) & set(there):
        with pytest.raises(DataError, match="no sample of it has genotypes"):
            attach(genotypes(here), table)
        return
    joined, account = attach(genotypes(here), table)
    assert as_text(joined.sample_id).tolist() == here
    expected = [there.index(name) if name in there else np.nan for name in here]
    np.testing.assert_array_equal(joined.phenotypes[:, 0], expected)
    np.testing.assert_array_equal(joined.covariates[:, 0], np.array(expected) + 0.5)
    assert account.matched == len(set(here) & set(there))
    assert set(account.without_row) == set(here) - set(there)
    assert set(account.without_genotypes) == set(there) - set(here)


@pytest.mark.parametrize(
    ("here", "there", "difference"),
    [
        (["Mo17", "B73"], ["MO17", "b73"], "upper and lower case"),
        (["CML 61", "A_1"], ["CML61", "A1"], "white space"),
        (["811", "4226"], ["811.0", "4226.0"], r"a trailing \.0"),
        (["7", "8"], ["007", "008"], "leading zeros"),
        (["a_a", "b_b"], ["a", "b"], "FID_IID"),
        (["f1_a", "f2_b"], ["a", "b"], "FID_IID"),
    ],
)
def test_names_that_nearly_match_get_a_hint(here, there, difference):
    with pytest.raises(DataError, match=difference) as error:
        attach(genotypes(here), phenotypes(there))
    for name in here + there:
        assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_several_tables_and_what_is_there_already():
    names = ["a", "b", "c"]
    first, _ = attach(genotypes(names), phenotypes("ab"))
    both, account = attach(first, phenotypes("cb", "z"), phenotypes("abc", "w"))
    assert as_text(both.trait_id).tolist() == ["y", "z", "w"]
    np.testing.assert_array_equal(both.phenotypes, [[0, np.nan, 0], [1, 1, 1], [np.nan, 0, 2]])
    assert both.provenance["account"][-2:] == account.sentences
    with pytest.raises(DataError, match="the data have a trait 'y' already"):
        attach(both, phenotypes(names))


def test_classes_of_one_name_are_not_mixed_up(tmp_path):
    (tmp_path / "y.csv").write_text("id,s\na,B\nb,C\n")
    (tmp_path / "x.csv").write_text("id,s\na,B\nb,C\nd,A\n")
    data, _ = attach(genotypes(["a", "b"]), read_phenotypes(tmp_path / "y.csv"))
    with pytest.raises(DataError, match=r"x.csv: the data have 's' already, with other classes \(B, C\)"):
        attach(data, read_covariates(tmp_path / "x.csv"))


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference data are not here")
def test_maize():
    data = read_genotypes(REFERENCE / "maize_mdp" / "genotypes.hmp.txt.gz")
    joined, account = attach(data, read_phenotypes(REFERENCE / "maize_mdp" / "traits.txt"))
    assert (account.matched, account.without_row, len(account.without_genotypes)) == (279, ("CML61", "W22R-RSTD"), 22)
    row = as_text(data.sample_id).tolist().index("4226")
    assert joined.phenotypes[row].tolist() == [65.5, 59.5, 32.21933]
    assert as_text(joined.trait_id).tolist() == ["EarHT", "dpoll", "EarDia"]


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference data are not here")
def test_wheat():
    data = read_genotypes(REFERENCE / "wheat" / "genotypes.csv.gz")
    joined, account = attach(data, read_phenotypes(REFERENCE / "wheat" / "phenotypes.csv"))
    assert (account.matched, joined.n_traits, data.n_loci, data.ploidy) == (599, 4, 1279, 1)
    assert not np.isnan(joined.phenotypes).any()


def test_names_are_text_whatever_they_look_like(tmp_path):
    (tmp_path / "g.csv").write_text("id,m_1,m_2\n001,0,1\n1,1,0\n1.0,2,2\n1e3,0,0\n1000,1,1\n0x1,2,0\n")
    (tmp_path / "p.csv").write_text("ID,y\n1000,6\n1.0,4\n001,2\n1e3,5\n1,3\n01,9\n")
    joined, account = attach(read_genotypes(tmp_path / "g.csv"), read_phenotypes(tmp_path / "p.csv"))
    assert as_text(joined.sample_id).tolist() == ["001", "1", "1.0", "1e3", "1000", "0x1"]
    np.testing.assert_array_equal(joined.phenotypes[:, 0], [2, 3, 4, 5, 6, np.nan])
    assert (account.without_row, account.without_genotypes) == (("0x1",), ("01",))


def test_names_that_are_numbers(tmp_path):
    """GenoML crashes on them."""
    (tmp_path / "g.csv").write_text("id,m_1,m_2\n" + "".join(f"{k},{k % 3},{k % 2}\n" for k in range(1001, 1010)))
    (tmp_path / "p.csv").write_text("ID,PHENO\n" + "".join(f"{k},{k}.5\n" for k in range(1009, 1000, -1)))
    joined, account = attach(read_genotypes(tmp_path / "g.csv"), read_phenotypes(tmp_path / "p.csv"))
    assert joined.sample_id.tolist() == [str(k).encode() for k in range(1001, 1010)]
    assert joined.phenotypes[:, 0].tolist() == [k + 0.5 for k in range(1001, 1010)]
    assert account.matched == 9


@pytest.mark.parametrize("n_alleles", [2, 3])
def test_other_genotypes_are_found_by_name(n_alleles, rng):
    data = panel_of(4, n_alleles)
    if n_alleles == 2:
        data = replace(data, codes=None)
    rows, columns = rng.permutation(data.n_samples), rng.permutation(data.n_loci)
    other = data.samples(rows).loci(columns)
    some = replace(data, genotypes=np.zeros_like(data.genotypes)).samples(np.array([5, 2]))
    found = with_genotypes_of(some, "o.h5", other)
    np.testing.assert_array_equal(found.dosage(), data.dosage()[[5, 2]])
    np.testing.assert_array_equal(found.allele_codes(), data.allele_codes()[[5, 2]])
    np.testing.assert_array_equal(found.phenotypes, some.phenotypes)
    turned = with_genotypes_of(some, "o.h5", replace(other, alleles=other.alleles[:, ::-1]))
    np.testing.assert_array_equal(turned.alleles, data.alleles[:, ::-1])  # those that its dosage counts


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.samples(np.array([0, 1, 3])), "o.h5: lacks sample s2, s4, s5, … of the dataset"),
        (lambda d: d.loci(np.arange(9)), "o.h5: lacks locus m9 of the dataset"),
        (lambda d: d.loci(np.append(np.arange(10), 3)), "o.h5: has more loci than the dataset"),
        (lambda d: replace(d, ploidy=2), "o.h5: ploidy is 2, that of the dataset 4"),
        (lambda d: panel_of(4, 4), "o.h5: n_alleles is 4, that of the dataset 3"),
    ],
)
def test_other_genotypes_of_other_things(change, message):
    data = panel_of(4, 3)
    with pytest.raises(DataError, match=message):
        with_genotypes_of(data, "o.h5", change(data))
