"""Tables of phenotypes and covariates."""

import gzip

import numpy as np
import pytest

from gpatlas.errors import ConfigError, DataError, GpatlasError, StoreError
from gpatlas.io import read_covariates, read_phenotypes
from tests.conftest import REFERENCE


@pytest.fixture
def table(tmp_path):
    """Write a table and read it."""

    def read(text, name="t.csv", reader=read_phenotypes, **options):
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return reader(tmp_path / name, **options)

    return read


def said(phenotypes) -> str:
    return "\n".join(phenotypes.account)


@pytest.mark.parametrize("name", ["811", "007", "1e5", "1.0", "-3", "snp_1_2", "NA12878", "Zürich 1"])
def test_names_of_samples_stay_text(table, name):
    assert table(f"id,y\n{name},1.5\nb,2\n").sample_id[0] == name


DRESSED = {
    "a byte order mark": lambda s: b"\xef\xbb\xbf" + s.encode(),
    "Windows line ends": lambda s: s.replace("\n", "\r\n").encode(),
    "quotes": lambda s: "\n".join(",".join(f'"{x}"' for x in line.split(",")) for line in s.splitlines()).encode(),
    "trailing blank lines": lambda s: (s + "\n\n  \n").encode(),
    "no last line end": lambda s: s.rstrip("\n").encode(),
    "tabs": lambda s: s.replace(",", "\t").encode(),
    "semicolons": lambda s: s.replace(",", ";").encode(),
    "spaces around": lambda s: s.replace(",", " , ").encode(),
    "spaces": lambda s: s.replace(",", "  ").encode(),
    "gzip": lambda s: gzip.compress(s.encode()),
    "UTF-16": lambda s: s.encode("utf-16"),
}


@pytest.mark.parametrize("dress", DRESSED)
def test_the_same_table_in_another_dress(table, dress):
    read = table(DRESSED[dress]("ID,yield,height\na,1.5,NA\nb,2.5,7\nc,-9,8\n"))
    assert (read.sample_id, read.trait_id) == (["a", "b", "c"], ["yield", "height"])
    np.testing.assert_array_equal(read.values, [[1.5, np.nan], [2.5, 7], [np.nan, 8]])


def test_minus_nine_is_missing_only_where_it_cannot_be_a_value(table):
    read = table("id,a,b\nx,-9,-9\ny,1.5,-2.5\nz,2.5,3.5\n")
    np.testing.assert_array_equal(np.isnan(read.values), [[True, False], [False, False], [False, False]])
    assert "a: 1 value of -9 taken as missing" in said(read)
    assert "b: -9 occurs 1 time and is a value" in said(read)


@pytest.mark.parametrize(
    ("cells", "codes", "levels"),
    [
        ("0 1 1 NA", [0, 1, 1, np.nan], ("0", "1")),
        ("1 2 2 -9", [0, 1, 1, np.nan], ("1", "2")),
        ("control case case .", [0, 1, 1, np.nan], ("control", "case")),
        ("case healthy case NaN", [1, 0, 1, np.nan], ("healthy", "case")),
        ("red green blue red", [2, 1, 0, 2], ("blue", "green", "red")),
    ],
)
def test_classes(table, cells, codes, levels):
    read = table("id y\n" + "\n".join(f"s{k} {cell}" for k, cell in enumerate(cells.split())))
    np.testing.assert_array_equal(read.values[:, 0], codes)
    assert read.levels == {"y": levels}


def test_a_missing_phenotype_is_no_class(table):
    """GenoML makes a third class of it."""
    read = table("ID,PHENO\n" + "\n".join(f"s{k},{value}" for k, value in enumerate(["1", "2", "-9", "2", "", "NA"])))
    assert read.levels == {"PHENO": ("1", "2")}
    assert np.isnan(read.values).sum() == 3


def test_whole_numbers_are_classes_when_declared(table):
    text = "id y\n" + "\n".join(f"s{k} {10 - k % 3}" for k in range(9))
    assert table(text).levels == {}
    assert "declare it categorical" in said(table(text))
    read = table(text, categorical=["y"])
    assert read.levels == {"y": ("8", "9", "10")}
    np.testing.assert_array_equal(read.values[:3, 0], [2, 1, 0])


def test_zero_one_two_could_be_several_things(table):
    text = "id y\na 0\nb 1\nc 2\n"
    with pytest.raises(DataError, match=r"y holds 0, 1 and 2: .*classes .*numbers .*PLINK"):
        table(text)
    assert table(text, categorical=["y"]).levels == {"y": ("0", "1", "2")}
    assert table(text, numeric=["y"]).values[:, 0].tolist() == [0, 1, 2]
    np.testing.assert_array_equal(table(text, missing=["0"]).values[:, 0], [np.nan, 0, 1])
    beside = table("id,y,z\na,0,0\nb,1,1\nc,2,1\n", missing=["y=0"])
    np.testing.assert_array_equal(beside.values, [[np.nan, 0], [0, 1], [1, 1]])


def test_decimal_commas(table):
    read = table("id;y;z\na;1,5;red\nb;-2;blue\nc;NA;red\n")
    np.testing.assert_array_equal(read.values[:, 0], [1.5, -2, np.nan])
    assert "y: decimal commas were read as points" in said(read)
    with pytest.raises(DataError, match="'2,5' is not a number, but other values are"):
        table("id;y\na;1.5\nb;2,5\n")


def test_repeated_measures_are_averaged_and_said(table):
    read = table("line,yield\na,1\nb,5\na,3\na,NA\nc,NA\n")
    assert read.sample_id == ["a", "b", "c"]
    np.testing.assert_array_equal(read.values[:, 0], [2, 5, np.nan])
    assert "1 sample has more than one row (a): means are taken" in said(read)


def test_a_sample_of_two_classes(table):
    with pytest.raises(DataError, match=r"sample .a. has y control and case in different rows"):
        table("id,y\na,case\na,control\nb,case\n")


def test_environments_become_traits(table):
    read = table("name,env,yield\na,E2,1\na,E1,2\nb,E1,3\nb,E1,5\n", environment="env")
    assert read.trait_id == ["yield@E1", "yield@E2"]
    assert read.environments == {"yield@E1": ("yield", "E1"), "yield@E2": ("yield", "E2")}
    np.testing.assert_array_equal(read.values, [[2, 1], [4, np.nan]])
    assert "1 sample has more than one row in an environment (b)" in said(read)


def test_covariates_beside_traits_and_alone(table):
    text = "id,y,site,sex,batch\na,1.5,Norwich,0,3\nb,2.5,Ely,1,7\nc,3.5,Ely,NA,3\n"
    read = table(text, covariates=["site", "sex", "batch"], categorical=["batch"])
    assert (read.trait_id, read.covariate_id) == (["y"], ["site", "sex", "batch"])
    assert read.levels == {"site": ("Ely", "Norwich"), "batch": ("3", "7")}
    np.testing.assert_array_equal(read.covariates, [[1, 0, 0], [0, 1, 1], [0, np.nan, 0]])
    alone = table(text, reader=read_covariates, names=["sex"])
    assert (alone.trait_id, alone.covariate_id, alone.covariates.shape) == ([], ["sex"], (3, 1))
    assert table(text, reader=read_covariates).covariate_id == ["y", "site", "sex", "batch"]


def test_plink_tables_are_named_by_iid(table):
    assert table("#FID IID y\nf1 a 1.5\nf2 b 2.5\n").sample_id == ["a", "b"]
    assert table("FID IID y\nf1 a 1.5\nf2 a 2.5\n").sample_id == ["f1_a", "f2_a"]


def test_families(table):
    read = table("id,y,cross\na,1.5,F1\nb,2.5,F2\na,3.5,F1\n", family="cross")
    assert (read.family, read.trait_id) == (["F1", "F2"], ["y"])
    with pytest.raises(DataError, match="sample 'a' is of two families, F1 and F2"):
        table("id,y,cross\na,1.5,F1\na,3.5,F2\n", family="cross")


def test_notes_are_left_out_unless_asked_for(table):
    text = "id,y,note\n" + "\n".join(f"s{k},{k}.5,note {k}" for k in range(30))
    assert "1 column of text with many values left out (note)" in said(table(text))
    with pytest.raises(DataError, match=r"note has 30 different values in 30 rows .*too many for classes"):
        table(text, traits=["note"])


DAMAGE = {
    "text among numbers": ("id,y\na,1\nb,tall\nc,3\n", r"line 3: y 'tall' is not a number"),
    "an infinite number": ("id,y\na,1\nb,inf\n", r"line 3: y 'inf' is not finite"),
    "a ragged row": ("id,y\na,1\nb,2,3\n", r"line 3: 3 fields, but the lines before have 2"),
    "no header": ("a,1.5\nb,2.5\n", "line 1: expected the names of columns, found 'a, 1.5'"),
    "a column twice": ("id,y,y\na,1,2\n", "column 'y' stands more than once"),
    "a row without name": ("id,y\n,1\nb,2\n", "1 of 2 rows have no name in column 'id'"),
    "one column": ("id\na\nb\n", "only one column"),
    "a header alone": ("id,y\n", "no row below"),
    "nothing": ("", "the file is empty"),
    "another format": (b"\x6c\x1b\x01\0\0\0", "byte|not a text file"),
    "latin-1": ("id,y\nZürich,1\n".encode("latin-1"), "0xfc is not UTF-8"),
    "gzip cut short": (gzip.compress(b"id,y\n" + b"a,1\n" * 99)[:-12], "damaged or end early"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_said_in_one_line(table, what):
    text, message = DAMAGE[what]
    with pytest.raises(GpatlasError, match=message) as error:
        table(text)
    assert "\n" not in str(error.value)


def test_columns_that_are_not_there(table, tmp_path):
    with pytest.raises(ConfigError, match="no column 'yeild'; did you mean 'yield'"):
        table("id,yield\na,1\n", traits=["yeild"])
    with pytest.raises(StoreError, match="no such file"):
        read_phenotypes(tmp_path / "nothing.csv")


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference data are not here")
def test_genoml_tables():
    """With byte order marks; the multi-class one is coded 0, 1, 2."""
    folder = REFERENCE / "genoml"
    binary = read_phenotypes(folder / "discrete" / "training_pheno.csv")
    assert (len(binary.sample_id), binary.levels, binary.values.sum()) == (500, {"PHENO": ("0", "1")}, 342)
    assert read_phenotypes(folder / "continuous" / "training_pheno.csv").sample_id[0] == "sample1"
    with pytest.raises(DataError, match="PHENO holds 0, 1 and 2"):
        read_phenotypes(folder / "multiclass" / "training_pheno.csv")
    classes = read_phenotypes(folder / "multiclass" / "training_pheno.csv", categorical=["PHENO"])
    assert classes.levels == {"PHENO": ("0", "1", "2")}
    covariates = read_covariates(folder / "discrete" / "training_addit.csv")
    assert covariates.covariate_id == ["SEX_COV", "AGE", "UPSIT", "FAMILY_HISTORY"]
