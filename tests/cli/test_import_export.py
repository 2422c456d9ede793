"""`gpatlas import` and `gpatlas export`: there and back, with an account, and mistakes in one line."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gpatlas.dataset import as_text
from gpatlas.io import read_dataset, write_dataset
from gpatlas.io.genotypes import read_genotypes
from tests.allele_panels import panel_of
from tests.conftest import one_line_error
from tests.io.genotype_files import vcf, write_bed_set

CALLS = ("1 5 rs1 A C GT 0/1 1/1 ./1", "2 7 rs2 G T,A GT 0/0 1/2 0/1", "2 9 rs3 G T GT 0/0 0/0 0/1")


@pytest.fixture
def files(tmp_path):
    (tmp_path / "x.vcf").write_text(vcf(*CALLS))
    (tmp_path / "t.csv").write_text("line,yield,height,site\na,1.5,70,N\nc,2.5,80,S\nd,3.5,90,S\n")
    (tmp_path / "keep.txt").write_text("c\na\n")
    return tmp_path


def test_there_and_back_with_tables(gpatlas, files):
    command = ["import", files / "x.vcf", "--phenotypes", files / "t.csv", "--traits", "yield", "--covariates", "site"]
    done = gpatlas(*command, "--out", files / "d.h5")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for sentence in (
        "1 half call (such as ./1) taken as missing",
        "1 record with several ALT was split into 2 loci, one for each ALT",
        "2 loci shared 1 name and were renamed",
        "3 samples, 4 loci, ploidy 2, 8.33% of calls missing",
        "2 of 3 genotyped samples have a row",
        "3 samples × 4 loci, 1 trait, 1 covariate",
    ):
        assert sentence in done.stdout
    data = read_dataset(files / "d.h5", lazy=True)
    np.testing.assert_array_equal(data.phenotypes[:, 0], [1.5, np.nan, 2.5])
    assert data.levels["site"] == ("N", "S")
    assert json.dumps(data.provenance["account"]).count("half call") == 1
    assert data.provenance["command"].startswith("gpatlas import ")
    assert gpatlas("export", files / "d.h5", "--out", files / "y.vcf.gz").returncode == 0
    assert gpatlas("import", files / "y.vcf.gz", "--out", files / "again.h5").returncode == 0
    np.testing.assert_array_equal(read_dataset(files / "again.h5").dosage(), data.dosage())
    assert "read from" in gpatlas("inspect", files / "again.h5").stdout


def test_a_fold_with_its_table(gpatlas, diploids, tmp_path):
    data = replace(
        diploids, covariates=np.array([[0.0], [np.nan], [1.0]] * 50), covariate_id=np.array(["site"]),
        levels={"site": ("N", "S")}, fold=np.arange(150, dtype=np.uint8) % 3,
    )  # fmt: skip
    write_dataset(data, tmp_path / "d.h5")
    words = ["export", tmp_path / "d.h5", "--out", tmp_path / "x.vcf", "--table", tmp_path / "x.csv"]
    done = gpatlas(*words, "--fold", "test")
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "x.csv", dtype={"sample_id": str})
    test = data.samples(np.arange(2, 150, 3))
    assert list(table.columns) == ["sample_id", "site", *as_text(data.trait_id)]
    assert list(table["sample_id"]) == as_text(test.sample_id).tolist()
    assert set(table["site"]) == {"S"}
    np.testing.assert_allclose(table.iloc[:, 2:], test.phenotypes, rtol=1e-9)
    np.testing.assert_array_equal(read_genotypes(tmp_path / "x.vcf").dosage(), test.dosage())
    write_dataset(replace(data, fold=np.zeros(150, np.uint8)), tmp_path / "d.h5")
    assert "no sample is in fold test" in one_line_error(gpatlas(*words, "--fold", "test"))


def test_some_samples_of_a_region(gpatlas, files):
    wanted = ["--samples", files / "keep.txt", "--region", "2:8-20", "--multiallelic", "drop"]
    assert gpatlas("import", files / "x.vcf", *wanted, "--out", files / "d.h5").returncode == 0
    data = read_dataset(files / "d.h5")
    assert (data.sample_id.tolist(), data.locus_id.tolist()) == ([b"a", b"c"], [b"rs3"])


def test_what_a_table_does_not_tell_is_declared(gpatlas, files):
    (files / "g.csv").write_text("x,a,b,c\nd,-1,1,0\ne,1,1,0\nf,1,1,-1\n")
    (files / "map.csv").write_text("marker,chr,pos,ref,alt\nd,1,5,A,C\ne,2,7,G,T\nf,2,9,G,T\n")
    (files / "p.csv").write_text("id,ill,group\na,0,1\nb,1,2\nc,2,3\n")
    (files / "c.csv").write_text("id,ward\na,3\nb,4\nc,99\n")
    words = ["import", "g.csv", "--rows", "loci", "--coding", "centred", "--marker-map", "map.csv", "--ignore", "b"]
    tables = ["--phenotypes", "p.csv", "--covariates", "c.csv", "--categorical", "group,ward", "--out", "d.h5"]
    done = gpatlas(*words, *tables, "--missing", "ill=0,99", cwd=files)
    assert done.returncode == 0, done.stderr
    data = read_dataset(files / "d.h5")
    assert data.sample_id.tolist() == [b"a", b"c"]
    assert data.dosage().tolist() == [[0, 2, 2], [1, 1, 0]]
    assert data.position.tolist() == [5, 7, 9]
    assert data.alleles[0].tolist() == [b"A", b"C"]
    np.testing.assert_array_equal(data.phenotypes, [[np.nan, 0], [1, 2]])
    np.testing.assert_array_equal(data.covariates, [[0], [np.nan]])
    assert data.levels == {"ill": ("1", "2"), "group": ("1", "2", "3"), "ward": ("3", "4")}
    shown = gpatlas("inspect", files / "d.h5").stdout
    assert "covariates  ward (3, 4)" in shown
    assert "classes     ill (1, 2), group (1, 2, 3)" in shown
    numbers = gpatlas(*words, *tables, "--numeric", "ill", cwd=files)
    assert numbers.returncode == 0, numbers.stderr
    assert read_dataset(files / "d.h5").phenotypes[:, 0].tolist() == [0, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x.vcf", "--traits", "yield"], "--traits names columns of --phenotypes, which is not given"),
        (["x.vcf", "--phenotypes", "t.csv", "--traits", "yeild"], "no column 'yeild'; did you mean 'yield'?"),
        (["x.vcf", "--covariates", "c.csv"], "c.csv: no such file"),
        (["x.vcf", "--samples", "z"], "1 sample asked for is not in it (z)"),
        (["x.vcf", "--region", "2:9-5"], "--region 2:9-5: not a region"),
        (["x.vcf", "--fam-phenotype"], "takes no option 'fam_phenotype'; known are multiallelic, ploidy"),
        (["x.vcf", "--rows", "loci"], "takes no option 'rows'; known are multiallelic, ploidy"),
        (["x.vcf", "--categorical", "site"], "--categorical site: no such column, as no table is given"),
        (["x.vcf", "--phenotypes", "t.csv", "--numeric", "heigt"], "no such column; did you mean 'height'?"),
        (["short.vcf"], "short.vcf: the header has 12 columns, but the first record 10"),
        (["cut"], "cut.bed: 4 bytes, but 3 samples"),
    ],
)
def test_mistakes_are_one_line(gpatlas, files, arguments, message):
    (files / "short.vcf").write_text(vcf("1 5 rs1 A C GT 0/1"))
    path = write_bed_set(files / "cut", np.zeros((3, 2), dtype=np.int8))
    path.write_bytes(path.read_bytes()[:-1])
    assert message in one_line_error(gpatlas("import", *arguments, "--out", "d.h5", cwd=files))
    assert not (files / "d.h5").exists()


def test_export_knows_its_formats(gpatlas, files):
    assert gpatlas("import", files / "x.vcf", "--out", files / "d.h5").returncode == 0
    done = gpatlas("export", files / "d.h5", "--out", files / "d.bcf")
    assert "the name says the format; known are .vcf, .vcf.gz, .bed, .pgen, .markers.tsv" in one_line_error(done)


def test_gperceivers_tables(gpatlas, tmp_path):
    data = panel_of(4, 3)
    write_dataset(data, tmp_path / "d.h5")
    done = gpatlas("export", "d.h5", "--out", "x.markers.tsv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "alleles are numbered from 1" in done.stdout
    command = ["import", "x.markers.tsv", "--chroms", "x.chroms.tsv", "--phenotypes", "x.phenotypes.tsv"]
    done = gpatlas(*command, "--ploidy", "4", "--n-alleles", "3", "--samples", "s3,s1", "--out", "e.h5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    back = read_dataset(tmp_path / "e.h5")
    np.testing.assert_array_equal(back.codes, data.codes[[1, 3]])
    np.testing.assert_array_equal(back.phenotypes, data.phenotypes[[1, 3]])
    shown = gpatlas("inspect", "e.h5", cwd=tmp_path).stdout
    assert "ploidy       4" in shown
    assert "up to 3 at a locus" in shown
    for more, message in (
        (["--ploidy", "4"], "has code '"),
        (["--ploidy", "4", "--n-alleles", "3", "--cv", "1"], "no row has cv 1; found 0"),
        (["--rows", "loci"], "takes no option 'rows'; known are chroms, ploidy, n_alleles"),
        (["--traits", "response", "--cv", "1"], "--cv 1: only for gperceiver's --phenotypes"),
    ):
        assert message in one_line_error(gpatlas(*command, *more, "--out", "f.h5", cwd=tmp_path))
    done = gpatlas("export", "d.h5", "--out", "x.vcf", "--trait", "response", cwd=tmp_path)
    assert "only for gperceiver's tables" in one_line_error(done)
