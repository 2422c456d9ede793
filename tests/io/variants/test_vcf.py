"""VCF and BCF: every kind of call, against a reading by hand; what is damaged is one line."""

import gzip
import shutil
import subprocess

import numpy as np
import pytest

from gpatlas.errors import ConfigError, DataError, StoreError
from gpatlas.io import read_genotypes
from gpatlas.io.variants import streams
from gpatlas.io.variants.vcf import VcfStream, read_vcf
from gpatlas.packed import PackedDosages
from tests.conftest import REFERENCE
from tests.io.genotype_files import HEADER, dosages_of_vcf, vcf

needs_bcftools = pytest.mark.skipif(shutil.which("bcftools") is None, reason="needs bcftools")


@pytest.fixture
def read(tmp_path):
    def read_text(text, **options):
        (tmp_path / "x.vcf").write_text(text)
        return read_vcf(tmp_path / "x.vcf", **options)

    return read_text


def test_calls_phased_unphased_missing_and_with_more_fields(read):
    data = read(vcf("1 5 rs1 A C GT 0/1 1|1 ./.", "1 7 rs2 G T GT:DP 0|0:3 .|.:. 1/0:9", "X 2 rs3 AT A GT 1/1 0/0 ."))
    assert data.dosage().T.tolist() == [[1, 2, -1], [0, -1, 1], [2, 0, -1]]
    assert isinstance(data.genotypes, PackedDosages)
    assert data.locus_id.tolist() == [b"rs1", b"rs2", b"rs3"]
    assert data.chromosome.tolist() == [b"1", b"1", b"X"]
    assert data.position.tolist() == [5, 7, 2]
    assert data.position_unit == "bp"
    assert data.alleles.tolist() == [[b"A", b"C"], [b"G", b"T"], [b"AT", b"A"]]
    assert data.sample_id.tolist() == [b"a", b"b", b"c"]
    assert data.provenance["account"] == ["3 samples, 3 loci, ploidy 2, 33.33% of calls missing"]


def test_half_calls_are_missing_and_counted(read):
    data = read(vcf("1 5 rs1 A C GT ./1 0/. 0/1", "1 6 rs2 A C GT 0/0 1/1 .|1"))
    assert data.dosage().T.tolist() == [[-1, -1, 1], [0, 2, -1]]
    assert "3 half calls (such as ./1) taken as missing" in data.provenance["account"]


def test_several_alt_are_split_or_dropped(read):
    text = vcf("1 5 rs1 A C,G GT 0/1 1/2 2/2", "1 6 rs2 A C GT 0/0 0/1 1/1", "1 7 . A C,* GT 0/1 1/2 ./.")
    split = read(text)
    assert split.dosage().T.tolist() == [[1, 1, 0], [0, 1, 2], [0, 1, 2], [1, 1, -1]]
    assert split.locus_id.tolist() == [b"1:5:A:C", b"1:5:A:G", b"rs2", b"1:7:A:C"]
    assert split.alleles.tolist() == [[b"A", b"C"], [b"A", b"G"], [b"A", b"C"], [b"A", b"C"]]
    account = " ".join(split.provenance["account"])
    assert "1 record with several ALT was split into 2 loci" in account
    assert "1 ALT allele that stands for none (*, <*>, <NON_REF>) was left out" in account
    dropped = read(text, multiallelic="drop")
    assert dropped.locus_id.tolist() == [b"rs2", b"1:7:A:C"]
    assert "1 record with several ALT was left out" in dropped.provenance["account"]
    with pytest.raises(ConfigError, match="multiallelic = 'both'; allowed are split, drop and keep"):
        read(text, multiallelic="both")


def test_haploids_tetraploids_and_mixtures(read):
    haploid = read(vcf("1 5 rs1 A C GT 0 1 ."))
    assert (haploid.ploidy, haploid.dosage().T.tolist()) == (1, [[0, 1, -1]])
    male_x = read(vcf("1 4 rs0 A C GT 0/1 0/0 1/1", "X 5 rs1 A C GT 0 1 0/1", "X 6 rs2 A C GT 1 . 0"))
    assert (male_x.ploidy, male_x.dosage().T.tolist()) == (2, [[1, 0, 2], [0, 2, 1], [2, -1, 0]])
    assert any("4 calls of one allele" in line for line in male_x.provenance["account"])
    four = read(vcf("1 5 rs1 A C,G GT 0/0/1/1 0/1/2/2 ./././.", "1 6 rs2 A C GT 1/1/1/1 0/1 0/0/0/."))
    assert (four.ploidy, four.dosage().T.tolist()) == (4, [[2, 1, -1], [0, 2, -1], [4, -1, -1]])
    account = " ".join(four.provenance["account"])
    assert "1 call of fewer than 4 alleles taken as missing" in account
    assert "1 half call" in account


def test_hexaploids(read):
    six = read(
        vcf("1 5 rs1 A C GT 0/1/1/1/0/0 ./././././. 1/1/1/1/1/1", "1 7 r2 A C,T GT 0/1/2/2/0/0 0|0|0|0|0|1 0/0/1")
    )
    assert (six.ploidy, six.dosage().T.tolist()) == (6, [[3, -1, 6], [1, 1, -1], [2, 0, -1]])


def test_plain_gzip_without_blocks_or_index(tmp_path):
    (tmp_path / "x.vcf.gz").write_bytes(gzip.compress(vcf("1 5 rs1 A C GT 0/1 1|1 ./.").encode()))
    assert read_genotypes(tmp_path / "x.vcf.gz").dosage().tolist() == [[1], [2], [-1]]


def test_a_later_higher_ploidy_is_one_line(read, monkeypatch):
    monkeypatch.setattr("gpatlas.io.variants.vcf._RECORDS_TO_JUDGE_BY", 1)
    text = vcf("1 5 rs1 A C GT 0 1 0", "1 6 rs2 A C GT 0/1 1 0")
    with pytest.raises(DataError, match=r"record 1:6 has calls of 2 alleles, but the ploidy is 1 .*say ploidy = 2"):
        read(text)
    assert read(text, ploidy=2).dosage().T.tolist() == [[0, 2, 0], [1, 2, 0]]


def test_records_without_alt_or_gt_are_counted(read):
    data = read(vcf("1 5 rs1 A . GT 0/0 0/0 0/0", "1 6 rs2 A C DP 1 2 3", "1 7 rs3 A C GT 0/1 1/1 0/0"))
    assert data.alleles.tolist() == [[b"A", b""], [b"A", b"C"]]
    account = " ".join(data.provenance["account"])
    assert "1 record has no ALT" in account
    assert "1 record without GT was left out" in account
    assert "1 locus without variation" in account


def test_names_that_repeat_or_are_absent_are_made_unique(read):
    data = read(vcf("1 5 . A C GT 0/1 1/1 0/0", "1 6 rs2 A C GT 0/1 1/1 0/0", "1 6 rs2 A G GT 0/1 1/1 0/0"))
    assert data.locus_id.tolist() == [b"1:5:A:C", b"1:6:A:C", b"1:6:A:G"]


def test_long_alleles_keep_their_identity_at_a_fixed_width(read):
    long = "ACGT" * 500
    data = read(vcf(f"1 5 rs1 {long}A A GT 0/1 1/1 0/0", f"1 6 rs2 {long}C A GT 0/1 1/1 0/0"))
    assert data.alleles.dtype.itemsize < 64
    assert data.alleles[0, 0].startswith(b"ACGTACGTACGTACGT~2001~")
    assert data.alleles[0, 0] != data.alleles[1, 0]
    assert any(line.startswith("2 alleles longer than 64 bases") for line in data.provenance["account"])


def test_blocks_do_not_change_what_is_read(read, monkeypatch):
    rng = np.random.default_rng(3)
    calls = np.array(["0/0", "0/1", "1/1", "./.", "./1", "1/2"])[rng.integers(0, 6, (300, 3))]
    text = vcf(*(f"1 {j + 1} r{j} A C,G GT {' '.join(row)}" for j, row in enumerate(calls)))
    whole = read(text)
    monkeypatch.setattr(VcfStream, "loci_per_block", lambda self: 7)
    monkeypatch.setattr(streams, "TILE_LOCI", 40)
    assert read(text).content_hash == whole.content_hash


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("hello\n", "not a VCF or BCF file"),
        (vcf(), "a header without records"),
        (HEADER.replace("\tFORMAT\t", "\n") + "1\t5\t.\tA\tC\t.\t.\t.\n", "no samples in it, only sites"),
        (vcf("1 5 r A C GT 0/1 1/1"), "the header has 12 columns, but the first record 11"),
        (vcf("1 x r A C GT 0/1 1/1 0/0"), "Could not parse the position 'x'"),
        (vcf("1 5 r A C GT 0/1 1/1 zz"), "Couldn't read GT data"),
        (vcf("1 5 r A C GT 0/1 1/5 0/0"), "record 1:5 has a call of allele 5, but only 1 ALT"),
        (vcf("1 5 r A C GT 0/1 1/1 0/0", samples="a b b"), "Duplicated sample name 'b'"),
        (vcf("1 5 r A C GT 0/1 1/1 0/0")[:-3], "cut short: the last line has no end"),
        (vcf("1 5 r A C DP 1 2 3"), "no locus in it; 1 record without GT was left out"),
    ],
)
def test_what_cannot_be_read_is_one_line(read, text, message, capfd):
    with pytest.raises(DataError, match=message) as error:
        read(text)
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")  # nor does the library say more


def test_absent_and_damaged_files_are_one_line(tmp_path, capfd):
    with pytest.raises(StoreError, match="no such file"):
        read_vcf(tmp_path / "none.vcf")
    with pytest.raises(StoreError, match="cannot read"):
        read_vcf(tmp_path)
    data = gzip.compress(vcf(*(f"1 {j} r A C GT 0/1 1/1 0/0" for j in range(1, 900))).encode())
    for name, cut in (("half", data[: len(data) // 2]), ("hole", data[:300] + b"\0" * 50 + data[350:])):
        (tmp_path / f"{name}.vcf.gz").write_bytes(cut)
        with pytest.raises(DataError, match=f"{name}.vcf.gz: "):
            read_vcf(tmp_path / f"{name}.vcf.gz")
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(shutil.which("bgzip") is None, reason="needs bgzip")
def test_compressed_data_without_their_end_are_cut_short(tmp_path):
    (tmp_path / "x.vcf").write_text(vcf("1 5 r A C GT 0/1 1/1 0/0"))
    subprocess.run(["bgzip", tmp_path / "x.vcf"], check=True)
    whole = (tmp_path / "x.vcf.gz").read_bytes()
    assert read_vcf(tmp_path / "x.vcf.gz").n_loci == 1
    (tmp_path / "x.vcf.gz").write_bytes(whole[:-28])  # ends between two blocks: htslib only warns
    with pytest.raises(DataError, match="cut short"):
        read_vcf(tmp_path / "x.vcf.gz")


def test_windows_lines_and_odd_paths(tmp_path):
    path = tmp_path / "Gerste, Höhe 2" / "genotypes of Ærø.vcf"
    path.parent.mkdir()
    path.write_bytes(vcf("1 5 rs1 A C GT 0/1 1|1 ./.").replace("\n", "\r\n").encode())
    assert read_genotypes(path).dosage().tolist() == [[1], [2], [-1]]


@needs_bcftools
def test_bcf_is_the_vcf(tmp_path):
    (tmp_path / "x.vcf").write_text(vcf("1 5 rs1 A C,G GT 0/1 1|2 ./.", "X 7 rs2 G T GT:DP 0|0:3 .:. 1:9"))
    subprocess.run(["bcftools", "view", "-Ob", "-o", tmp_path / "x.bcf", tmp_path / "x.vcf"], check=True)
    assert read_genotypes(tmp_path / "x.bcf").content_hash == read_genotypes(tmp_path / "x.vcf").content_hash


@pytest.mark.skipif(not REFERENCE.exists(), reason="needs the reference data")
def test_a_real_file_is_what_a_reading_by_hand_gives():
    path = REFERENCE / "wheat_gbs/wheat_gbs_test.vcf.gz"
    data = read_genotypes(path)
    samples, loci, dosage = dosages_of_vcf(path)
    assert data.sample_id.astype(str).tolist() == samples
    assert [(c, f"{x:.0f}", *pair) for c, x, pair in zip(
        data.chromosome.astype(str), data.position, data.alleles.astype(str).tolist(), strict=True
    )] == loci  # fmt: skip
    np.testing.assert_array_equal(data.dosage(), dosage)
