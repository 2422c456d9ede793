"""Loci of several ALT that stay one locus: against reading calls by hand, bcftools, and our own writing."""

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas.dataset import as_text
from gpatlas.errors import DataError
from gpatlas.io import read_dataset, read_genotypes
from gpatlas.io.importing import Selection, import_genotypes
from gpatlas.io.variants.exporting import write_bed, write_pgen, write_vcf
from gpatlas.io.variants.streams import Regions
from gpatlas.io.variants.vcf import read_vcf
from tests.allele_panels import calls_of, panel_of
from tests.io.genotype_files import vcf

FOUR = vcf(
    "1 5 rs1 A C,G GT 0/0/1/1 0/1/2/2 ./././.",
    "1 6 rs2 A C GT 1/1/1/1 0/0/1/0 0/0/0/.",
    "X 9 rs3 A T,C,G GT 3/3/3/3 0/2/3/1 0/0/0/0",
    "X 12 rs4 G . GT 0/0/0/0 ./././. 0/0/0/0",
)


def by_hand(calls: list[str], ploidy: int, n_alleles: int) -> list[int]:
    """Codes of VCF's calls: the place of their sorted alleles."""
    of_code = calls_of(ploidy, n_alleles)
    alleles = [sorted(call.replace("|", "/").split("/")) for call in calls]
    return [0 if "." in call else of_code.index(tuple(map(int, call))) for call in alleles]


@pytest.fixture
def file(tmp_path):
    (tmp_path / "x.vcf").write_text(FOUR)
    return tmp_path / "x.vcf"


def test_a_record_stays_one_locus(file):
    data = read_vcf(file, multiallelic="keep")
    assert (data.ploidy, data.n_alleles, data.n_loci) == (4, 4, 4)
    rows = [line.split("\t")[9:] for line in FOUR.splitlines() if not line.startswith("#")]
    assert data.codes.T.tolist() == [by_hand(row, 4, 4) for row in rows]
    assert data.dosage().T.tolist() == [[2, 3, -1], [4, 1, -1], [4, 3, 0], [0, -1, 0]]
    assert as_text(data.alleles).tolist() == [["A", "C,G"], ["A", "C"], ["A", "T,C,G"], ["G", ""]]
    account = " ".join(data.provenance["account"])
    assert "2 records with several ALT were kept as one locus" in account
    assert "allele codes of up to 4 alleles are kept beside dosage, which counts all ALT" in account


def test_without_several_alt_there_are_no_codes(tmp_path):
    (tmp_path / "x.vcf").write_text(vcf("1 5 rs1 A C GT 0/1 1|1 ./.", "1 7 . A C,* GT 0/1 1/1 1/2"))
    data = read_vcf(tmp_path / "x.vcf", multiallelic="keep")
    assert (data.codes, data.n_alleles) == (None, 2)
    assert data.dosage().T.tolist() == [[1, 2, -1], [1, 2, -1]]
    assert "1 call of such an ALT taken as missing" in data.provenance["account"]


def test_an_alt_that_stands_for_none_is_no_allele(tmp_path):
    (tmp_path / "x.vcf").write_text(vcf("1 5 rs1 A C,*,G GT 0/3 1|2 1/3"))
    data = read_vcf(tmp_path / "x.vcf", multiallelic="keep")
    assert as_text(data.alleles).tolist() == [["A", "C,G"]]
    assert data.codes.T.tolist() == [by_hand(["0/2", "./.", "1/2"], 2, 3)]
    assert data.dosage().T.tolist() == [[1, -1, 2]]


def test_long_alleles_are_shortened_one_by_one(tmp_path):
    (tmp_path / "x.vcf").write_text(vcf(f"1 5 rs1 A {'C' * 99},G GT 0/1 1|2 2/2"))
    (_, counted), *_ = as_text(read_vcf(tmp_path / "x.vcf", multiallelic="keep").alleles).tolist()
    first, second = counted.split(",")
    assert (first.startswith("C" * 16 + "~99~"), second) == (True, "G")


def test_import_keeps_them_of_some_samples_and_regions(file, tmp_path):
    whole = read_vcf(file, multiallelic="keep")
    wanted = Selection(["c", "a"], Regions.parse(["X"]))
    import_genotypes(file, tmp_path / "d.h5", wanted, multiallelic="keep")
    data = read_dataset(tmp_path / "d.h5", lazy=True)
    np.testing.assert_array_equal(data.codes, whole.codes[[0, 2]][:, 2:])
    assert (data.n_alleles, as_text(data.sample_id).tolist()) == (4, ["a", "c"])


@pytest.mark.parametrize("ploidy", [1, 2, 6])
def test_import_of_any_ploidy(tmp_path, ploidy):
    data = panel_of(ploidy, 3)
    write_vcf(data, tmp_path / "x.vcf.gz")
    import_genotypes(tmp_path / "x.vcf.gz", tmp_path / "d.h5", multiallelic="keep")
    back = read_dataset(tmp_path / "d.h5")
    np.testing.assert_array_equal(back.codes, data.codes)
    np.testing.assert_array_equal(back.dosage(), data.dosage())
    assert (back.ploidy, back.n_alleles) == (ploidy, 3)


@settings(max_examples=30)
@given(st.sampled_from([1, 2, 4, 6]), st.integers(3, 5), st.integers(0, 2**32 - 1))
def test_what_is_written_is_read(tmp_path_factory, ploidy, n_alleles, seed):
    data = panel_of(ploidy, n_alleles, seed=seed)
    path = tmp_path_factory.mktemp("v") / "x.vcf"
    said = write_vcf(data, path)
    assert not any("allele" in sentence for sentence in said)
    back = read_genotypes(path, multiallelic="keep", ploidy=ploidy)
    np.testing.assert_array_equal(back.codes, data.codes)
    np.testing.assert_array_equal(back.dosage(), data.dosage())
    np.testing.assert_array_equal(as_text(back.alleles), as_text(data.alleles))


@pytest.mark.skipif(shutil.which("bcftools") is None, reason="needs bcftools")
def test_bcftools_reads_the_same_calls(tmp_path):
    data = panel_of(4, 3)
    write_vcf(data, tmp_path / "x.vcf.gz")
    query = ["bcftools", "query", "-f", "%POS %REF %ALT[ %GT]\n", tmp_path / "x.vcf.gz"]
    lines = subprocess.run(query, check=True, capture_output=True, text=True).stdout.splitlines()
    for j, line in enumerate(lines):
        position, ref, alt, *calls = line.split(" ")
        assert (float(position), [ref, alt]) == (data.position[j], as_text(data.alleles)[j].tolist())
        assert data.codes[:, j].tolist() == by_hand(calls, 4, 3)
    assert len(lines) == data.n_loci


def test_alleles_without_a_name_get_one(tmp_path):
    data = replace(panel_of(2, 3), alleles=None)
    said = write_vcf(data, tmp_path / "x.vcf")
    assert any("alleles without a name are written as <allele1>" in sentence for sentence in said)
    back = read_genotypes(tmp_path / "x.vcf", multiallelic="keep")
    np.testing.assert_array_equal(back.codes, data.codes)
    assert as_text(back.alleles)[-1].tolist() == ["N", "<allele1>,<allele2>"]


@pytest.mark.parametrize("write", [write_bed, write_pgen])
def test_plink_files_hold_two_alleles(tmp_path, write):
    with pytest.raises(DataError, match="hold two alleles of a locus, but these data have up to 3; write a VCF"):
        write(panel_of(2, 3), tmp_path / "x.bed")
    assert not list(tmp_path.iterdir())
