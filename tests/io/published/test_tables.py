"""The published pipeline's text tables: what is read, and what every damage is answered with."""

from pathlib import Path

import numpy as np
import pytest

from gpatlas.config import EngineSpec, ScalingConfig
from gpatlas.config.simulation import FoldsSpec
from gpatlas.dataset import Fold
from gpatlas.engines import make_dataset
from gpatlas.errors import ConfigError, DataError, StoreError
from gpatlas.io import read_genotypes
from gpatlas.io.published.tables import read_published_tables

STORED = Path(__file__).parents[2] / "reference" / "published_tables"
STEM = STORED / "qhaplo_12qtl_40n_rep1"
ROW = {"n_samples": 40, "n_qtl": 12, "rep": 1, "heritability": 0.999}


def spec():
    config = ScalingConfig(n_samples=(40,), qtl_scaling=(1,), replicates=1, models={"rrblup": {}})
    return config.simulation(ROW).model_copy(update={"folds": FoldsSpec(validation=0, test=0.15, by="position")})


@pytest.fixture
def tables(tmp_path):
    """A writable copy of the stored tables."""
    for part in "gp":
        (tmp_path / f"{STEM.name}_{part}.txt").write_text((STORED / f"{STEM.name}_{part}.txt").read_text())
    (tmp_path / f"{STEM.name}_eff.txt").write_text((STORED / f"{STEM.name}_eff.txt").read_text())
    return tmp_path / STEM.name


def edit(stem: Path, part: str, change) -> None:
    path = stem.with_name(f"{stem.name}_{part}.txt")
    path.write_text(change(path.read_text()))


def test_the_truth_follows_from_the_effects_table():
    engine = EngineSpec(name="tables", directory=str(STORED))
    data = make_dataset(spec(), engine, 1, ROW)
    assert (data.n_samples, data.n_loci, data.n_traits) == (40, 12, 5)
    np.testing.assert_allclose(data.truth.traits["var_g"], 1, atol=1e-12)  # the traits were scaled to variance 1
    np.testing.assert_allclose(data.truth.genetic_values.mean(axis=0), 0, atol=1e-12)
    residual = data.phenotypes - data.truth.genetic_values
    assert residual.std() == pytest.approx(np.sqrt(1 / 0.999 - 1), rel=0.2)
    assert [int((data.truth.pairs.trait == t).sum()) for t in range(5)] == [0, 6, 6, 6, 6]
    assert list(data.rows(Fold.test)) == list(range(34, 40))


def test_genotypes_are_transposed_and_named():
    data = read_genotypes(STEM.with_name(STEM.name + "_g.txt"))
    lines = STEM.with_name(STEM.name + "_g.txt").read_text().splitlines()
    expected = np.array([line.split()[1:] for line in lines[1:]], dtype=int).T
    np.testing.assert_array_equal(data.dosage(), expected)
    assert data.sample_id[0] == b"1_1"
    assert data.locus_id[-1] == b"1_12"


def test_rows_are_matched_by_name_not_by_order(tables):
    before = read_published_tables(tables)
    edit(tables, "p", lambda text: "\n".join([text.splitlines()[0], *reversed(text.splitlines()[1:])]) + "\n")
    after = read_published_tables(tables)
    np.testing.assert_array_equal(after.phenotypes, before.phenotypes)
    assert after.sample_id == before.sample_id


def test_missing_phenotypes_stay_missing(tables):
    edit(tables, "p", lambda text: text.replace(text.split()[6], "1").replace(text.split()[7], "NA", 1))
    assert np.isnan(read_published_tables(tables).phenotypes).sum() == 1


def test_without_an_effects_table_there_is_no_truth(tables):
    tables.with_name(tables.name + "_eff.txt").unlink()
    engine = EngineSpec(name="tables", directory=str(tables.parent))
    assert make_dataset(spec(), engine, 1, ROW).truth is None


DAMAGE = {
    "a genotype row is short": ("g", lambda s: s.replace(" 1\n", "\n", 1), r"_g\.txt, line \d+ \(1_\d+\): 39 alleles"),
    "a genotype row is long": ("g", lambda s: s.replace("1_3 ", "1_3 0 ", 1), r"line 4 \(1_3\): 41 alleles"),
    "an allele is not 0 or 1": ("g", lambda s: s.replace("1_2 0", "1_2 2").replace("1_2 1", "1_2 2"), "allele '2'"),
    "an allele is missing": ("g", lambda s: s.replace("1_2 0", "1_2 NA").replace("1_2 1", "1_2 NA"), "allele 'NA'"),
    "no genotype header": ("g", lambda s: "\n" + s, "line 1: expected `qtl` and sample names"),
    "no genotype rows": ("g", lambda s: s.splitlines()[0], "no locus below the header"),
    "a sample is in g only": (
        "g",
        lambda s: s.replace(" 7_1 ", " 77_1 "),
        r"1 only in .*_g\.txt \(77\w*\); 1 only in .*_p\.txt \(7\)",
    ),
    "a sample is twice in g": ("g", lambda s: s.replace(" 7_1 ", " 8_1 "), "sample '8' has more than one column"),
    "no ind column": ("p", lambda s: s.replace("ind", "name", 1), "column 'ind' is missing"),
    "no trait": ("p", lambda s: "ind\n1\n", "no trait column"),
    "a phenotype row is ragged": ("p", lambda s: s.rstrip("\n") + " 3\n", "6 values, but the header names 5 traits"),
    "a phenotype is text": ("p", lambda s: s.replace(s.split()[7], "tall", 1), "'tall' is not a number"),
    "a phenotype is infinite": ("p", lambda s: s.replace(s.split()[7], "inf", 1), "not finite"),
    "an individual is twice in p": (
        "p",
        lambda s: s + s.splitlines()[1] + "\n",
        "individual '1' has more than one row",
    ),
    "no add_eff": ("eff", lambda s: s.replace("add_eff", "effect"), "column 'add_eff' is missing"),
    "a locus that is not there": ("eff", lambda s: s.replace("\n1 12 ", "\n1 13 "), r"locus 13 is not among 1\.\.12"),
    "a trait that is not there": ("eff", lambda s: s.replace("\n5 12 ", "\n6 12 "), r"trait 6 is not among 1\.\.5"),
    "a ragged effects row": ("eff", lambda s: s.rstrip("\n") + " 3\n", "7 values for 6 columns"),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_said_in_one_line(tables, what):
    part, change, message = DAMAGE[what]
    edit(tables, part, change)
    with pytest.raises(DataError, match=message) as error:
        read_published_tables(tables)
    assert "\n" not in str(error.value)


def test_absent_tables(tables):
    with pytest.raises(StoreError, match="No such file"):
        read_published_tables(tables.with_name("qhaplo_1qtl"))


def test_tables_of_another_size_than_the_design_asks_for():
    engine = EngineSpec(name="tables", directory=str(STORED), pattern=STEM.name)
    config = ScalingConfig(n_samples=(50,), qtl_scaling=(1,), replicates=1, models={"rrblup": {}})
    with pytest.raises(DataError, match="40 individuals, but the design row asks for 50"):
        make_dataset(config.simulation(ROW | {"n_samples": 50}), engine, 1, ROW)


def test_a_pattern_with_an_unknown_column():
    engine = EngineSpec(name="tables", directory=str(STORED), pattern="x_{n_markers}")
    with pytest.raises(ConfigError, match="names a column that the design lacks"):
        make_dataset(spec(), engine, 1, ROW)


@pytest.mark.parametrize("ending", ["\r\n", " \n"])
def test_other_line_endings(tables, ending):
    before = read_published_tables(tables)
    for part in ("g", "p", "eff"):
        edit(tables, part, lambda text: text.replace("\n", ending))
    np.testing.assert_array_equal(read_published_tables(tables).genotypes.bits, before.genotypes.bits)
