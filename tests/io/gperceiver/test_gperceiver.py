"""gperceiver's three tables: its codes counted out by hand, there and back, and mistakes in one line."""

from dataclasses import replace
from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas.dataset import Fold, as_text
from gpatlas.errors import ConfigError, DataError
from gpatlas.io.gperceiver import read_gperceiver, read_markers, write_gperceiver
from gpatlas.io.gperceiver.coding import n_partial, of_gperceiver, to_gperceiver
from tests.allele_panels import calls_of, panel_of

CHROMS = "chr\tmarker\tpos\nchr1\tm1\t1\nchr1\tm2\t2.5\nchr2\tm3\t3\n"
MARKERS = "name\tm1\tm2\tm3\ns1\t0\t3\t5\ns2\t3\t3\t5\ns3\t4\t1\t3\n"
PHENOTYPES = """name\tresponse\tblock\tcv\tsite
s1\t0.5\t0\t0\tA
s1\t0.1\t1\t0\tB
s1\t0.3\t1\t0\tB
s2\t-0.5\t1\t1\tB
s2\t-0.25\t10\t1\tC
s9\t1.5\t2\t0\tD
"""


@pytest.fixture
def files(tmp_path):
    for name, text in (("chroms", CHROMS), ("markers", MARKERS), ("phenotypes", PHENOTYPES)):
        (tmp_path / f"{name}.tsv").write_text(text)
    return tmp_path


def tables(folder):
    return [folder / f"{name}.tsv" for name in ("chroms", "markers", "phenotypes")]


def said(data):
    return " | ".join(data.provenance["account"])


@pytest.mark.parametrize("ploidy", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("n_alleles", [2, 3, 4, 5])
def test_codes_are_places_among_combinations_with_the_missing_allele(ploidy, n_alleles):
    ours = calls_of(ploidy, n_alleles)
    theirs = list(combinations_with_replacement(range(n_alleles + 1), ploidy))
    whole = [[allele - 1 for allele in call] if 0 not in call else [] for call in theirs]
    codes, in_part = of_gperceiver(np.arange(len(theirs)), ploidy, n_alleles)
    assert codes.tolist() == [ours.index(tuple(call)) for call in whole]
    assert in_part == sum(0 < call.count(0) < ploidy for call in theirs) == n_partial(ploidy, n_alleles)
    numbers = to_gperceiver(np.arange(len(ours), dtype=np.int16), ploidy, n_alleles)
    assert numbers.tolist() == [0, *(theirs.index(tuple(a + 1 for a in call)) for call in ours[1:])]


def test_its_own_example(files):
    data = read_gperceiver(*tables(files), cv=1)
    assert (data.ploidy, data.n_alleles, data.codes) == (2, 2, None)
    assert data.dosage().tolist() == [[-1, 0, 2], [0, 0, 2], [1, -1, 0]]  # 1 is [0 1]: one allele is missing
    assert "1 call with some alleles missing taken as missing" in said(data)
    assert as_text(data.chromosome).tolist() == ["chr1", "chr1", "chr2"]
    assert (data.position.tolist(), data.position_unit) == ([1, 2.5, 3], "cM")
    assert as_text(data.trait_id).tolist() == ["response@0", "response@1", "response@2", "response@10"]
    assert data.environments["response@10"] == ("response", "10")
    nan = np.nan
    expected = [[0.5, 0.2, nan, nan], [nan, -0.5, nan, -0.25], [nan] * 4]
    np.testing.assert_allclose(data.phenotypes, expected)
    assert data.fold.tolist() == [Fold.train, Fold.validation, Fold.train]
    for sentence in (
        "1 sample has more than one row in an environment (s1): means are taken",
        "1 sample has cv 1 and are for validation",
        "1 column left out (site)",
        "1 only in phenotypes.tsv (s9)",
        "1 only in the genotypes (s3)",
    ):
        assert sentence in said(data)


def test_whole_positions_are_base_pairs(files):
    (files / "chroms.tsv").write_text(CHROMS.replace("2.5", "2500"))
    assert read_markers(files / "markers.tsv", files / "chroms.tsv").position_unit == "bp"


def test_without_cv_all_train(files):
    data = read_gperceiver(*tables(files))
    assert not data.fold.any()
    assert "column cv (0, 1) is not used" in said(data)


@settings(max_examples=40)
@given(st.sampled_from([1, 2, 3, 4, 6]), st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_there_and_back(tmp_path_factory, ploidy, n_alleles, seed):
    data = panel_of(ploidy, n_alleles, seed=seed)
    rng = np.random.default_rng(seed)
    phenotypes = np.where(rng.random(data.phenotypes.shape) < 0.3, np.nan, data.phenotypes)
    phenotypes[0] = 1.25, -3.5  # both blocks occur
    fold = np.array([0, 1, 0, 1, 0, 0, 0, 0], dtype=np.uint8)
    phenotypes[1] = 7.125, 0.5
    phenotypes[3] = 7.25, np.nan
    data = replace(data, phenotypes=phenotypes, fold=fold)
    if n_alleles == 2:
        data = replace(data, codes=None)
    folder = tmp_path_factory.mktemp("g")
    write_gperceiver(data, *tables(folder))
    back = read_gperceiver(*tables(folder), ploidy=ploidy, n_alleles=n_alleles, cv=1)
    np.testing.assert_array_equal(back.allele_codes(), data.allele_codes())
    np.testing.assert_array_equal(back.dosage(), data.dosage())
    np.testing.assert_array_equal(back.phenotypes, data.phenotypes)
    np.testing.assert_array_equal(back.fold, data.fold)
    for name in ("sample_id", "locus_id", "trait_id", "chromosome", "position"):
        np.testing.assert_array_equal(as_text(getattr(back, name)), as_text(getattr(data, name)))
    assert (back.ploidy, back.n_alleles, back.position_unit) == (ploidy, n_alleles, "bp")
    assert (back.codes is None) == (n_alleles == 2)
    assert back.environments == data.environments


def test_what_the_tables_cannot_hold_is_said(tmp_path):
    data = panel_of(2, 3)
    fold = np.array([0, 1, 2, 2, 0, 0, 0, 0], dtype=np.uint8)
    named = {"response@0": ("yield", "Norwich"), "response@1": ("yield", "Jena")}
    data = replace(data, fold=fold, environments=named, position=data.position / 3, position_unit="Morgan")
    account = " | ".join(write_gperceiver(data, *tables(tmp_path)))
    assert "blocks are numbered: 0 Norwich, 1 Jena" in account
    assert "rows of 2 test samples are left out" in account
    assert "positions in Morgan are written in cM" in account
    back = read_gperceiver(*tables(tmp_path), n_alleles=3, cv=1)
    assert np.isnan(back.phenotypes[2:4]).all()
    assert back.position_unit == "cM"
    np.testing.assert_allclose(back.position, 100 * data.position)
    nowhere = replace(data, position=np.full(10, np.nan), environments={})
    assert "10 loci have no position: ranks are written for all" in write_gperceiver(nowhere, *tables(tmp_path)[:2])
    with pytest.raises(ConfigError, match="hold one trait, the data 2; choose it: response@0, response@1"):
        write_gperceiver(nowhere, *tables(tmp_path))
    with pytest.raises(ConfigError, match="no trait 'x'; known are response@0, response@1"):
        write_gperceiver(nowhere, *tables(tmp_path), trait="x")
    write_gperceiver(nowhere, *tables(tmp_path), trait="response@1")
    np.testing.assert_array_equal(
        read_gperceiver(*tables(tmp_path), n_alleles=3).phenotypes[4:, 0], data.phenotypes[4:, 1]
    )


@pytest.mark.parametrize("name", ["a\tb", ' "x"', ""])
def test_names_that_would_break_a_table_are_refused(tmp_path, name):
    data = panel_of(2, 2)
    names = as_text(data.sample_id).astype("U8")
    names[3] = name
    with pytest.raises(DataError, match="cannot hold the sample"):
        write_gperceiver(replace(data, sample_id=names), *tables(tmp_path))
    names[3] = names[2]
    with pytest.raises(DataError, match=r"a sample stands more than once \(s2\)"):
        write_gperceiver(replace(data, sample_id=names), *tables(tmp_path))
    assert not list(tmp_path.iterdir())


MISTAKES = [
    ("markers", ("s2\t3", "s2\t6"), r"line 3: sample 's2' has code '6' at marker 'm1', .* 2 alleles: 3 to 5, 1 to 2 "),
    ("markers", ("s2\t3", "s2\t-1"), "code '-1' at marker 'm1'"),
    ("markers", ("s2\t3", "s2\t3.5"), "code '3.5' at marker 'm1'"),
    ("markers", ("s2\t3", "s2\tNA"), "code 'NA' at marker 'm1'.* 0 where all are missing"),
    ("markers", ("s2\t3", "s2\tinf"), "code 'inf' at marker 'm1'"),
    ("markers", ("s2\t3", "s1\t3"), r"1 sample name stands more than once \(s1\)"),
    ("markers", ("m2\tm3", "m1\tm3"), r"line 1: 1 marker stands more than once \(m1\)"),
    ("markers", ("name", "id"), "line 1: expected 'name' and then markers, found 'id, m1, m2, m3'"),
    ("markers", ("\t5\ns2", "\ns2"), "line 2: 3 fields, but the lines before have 4"),
    ("markers", (MARKERS, "name\tm1\tm2\tm3\ns1\t1\t2\t1\n"), "hardly codes of ploidy 2 and 2 alleles, .* 3 to 5"),
    ("chroms", ("chr1\tm2\t2.5\n", ""), r"1 marker is not in the map \(m2\); it must place all 3 markers"),
    ("chroms", ("\tm2", "\tm1"), "line 3: locus 'm1' stands more than once in the map"),
    ("chroms", ("2.5", "x"), "position 'x' of 'chr1' is not a number"),
    ("phenotypes", ("0.5\t0", "0.5\t"), "line 2: sample 's1' has no block; blocks are numbered 0, 1, …"),
    ("phenotypes", ("0.5\t0", "0.5\tA"), "line 2: sample 's1' has block 'A'; blocks are numbered"),
    ("phenotypes", ("block", "where"), "no column 'block'; gperceiver's phenotypes have name, response, block"),
    ("phenotypes", ("10\t1", "10\t0"), "sample 's2' has cv 1 in line 5 but not in line 6; folds are of whole samples"),
    ("phenotypes", ("\t1\tB\ns2\t-0.25\t10\t1", "\t2\tB\ns2\t-0.25\t10\t2"), "no row has cv 1; found 0, 2"),
    ("phenotypes", ("s1\t", "x1\t"), None),
]


@pytest.mark.parametrize(("table", "change", "message"), MISTAKES)
def test_mistakes_are_one_line(files, table, change, message):
    path = files / f"{table}.tsv"
    before = path.read_text()
    path.write_text(before.replace(*change))
    assert path.read_text() != before
    if message is None:  # s2 alone is in both
        assert "1 of 3 genotyped samples have a row" in said(read_gperceiver(*tables(files), cv=1))
        return
    with pytest.raises(DataError, match=message) as error:
        read_gperceiver(*tables(files), cv=1)
    assert "\n" not in str(error.value)


def test_no_name_in_common(files):
    (files / "phenotypes.tsv").write_text(PHENOTYPES.replace("\ns", "\nt"))
    with pytest.raises(DataError, match="no sample of it has genotypes; its names are t1, t2, t9, the genotypes' s1"):
        read_gperceiver(*tables(files))
    (files / "phenotypes.tsv").write_text("name\tresponse\tblock\ns1\t0.5\t0\ns2\t1.5\t0\n")
    assert read_gperceiver(*tables(files)).n_traits == 1
    with pytest.raises(ConfigError, match="no column 'cv' in which 1 could name validation samples"):
        read_gperceiver(*tables(files), cv=1)


def test_classes_and_case_control(files):
    text = "name\tresponse\tblock\ns1\t1\t0\ns2\t0\t0\ns3\t1\t0\n"
    (files / "phenotypes.tsv").write_text(text)
    data = read_gperceiver(*tables(files))
    assert data.levels == {"response@0": ("0", "1")}
    assert data.phenotypes[:, 0].tolist() == [1, 0, 1]
