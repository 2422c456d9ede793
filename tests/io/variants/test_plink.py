"""PLINK 1 and 2 file sets against sets written byte by byte, PLINK itself, and each other."""

import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gpatlas.dataset import as_text
from gpatlas.errors import ConfigError, DataError, StoreError
from gpatlas.io import read_genotypes
from gpatlas.io.variants.exporting import write_pgen, write_vcf
from gpatlas.io.variants.plink import BedStream, read_bed
from gpatlas.io.variants.streams import Regions, collect
from tests.conftest import REFERENCE
from tests.io.genotype_files import vcf, write_bed_set

DISCRETE = REFERENCE / "genoml/discrete"
needs_plink2 = pytest.mark.skipif(shutil.which("plink2") is None, reason="needs plink2")
needs_reference = pytest.mark.skipif(not REFERENCE.exists(), reason="needs the reference data")


@pytest.fixture
def dosage():
    return np.random.default_rng(4).integers(-1, 3, (11, 30)).astype(np.int8)


@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
        lambda shape: arrays(np.int8, shape, elements=st.integers(-1, 2))
    )
)
def test_every_bed_is_read_as_written(tmp_path_factory, dosage):
    path = write_bed_set(tmp_path_factory.mktemp("bed") / "x", dosage)
    np.testing.assert_array_equal(read_bed(path).dosage(), dosage)


def test_a_bed_with_samples_first(tmp_path, dosage):
    """PLINK 1.0 could write them: the third byte is 0, and a sample's loci lie together."""
    path = write_bed_set(tmp_path / "x", dosage)
    turned = write_bed_set(tmp_path / "turned", dosage.T).read_bytes()
    path.write_bytes(b"\x6c\x1b\x00" + turned[3:])
    np.testing.assert_array_equal(read_bed(path).dosage(), dosage)


def test_names_places_and_alleles(tmp_path, dosage):
    data = read_bed(write_bed_set(tmp_path / "Äcker 1.v2", dosage))
    assert data.sample_id[:2].tolist() == [b"s0", b"s1"]
    assert data.locus_id[:2].tolist() == [b"rs0", b"rs1"]
    assert data.position[:2].tolist() == [100, 101]
    assert data.alleles[0].tolist() == [b"G", b"A"]  # A1 is counted
    assert (data.ploidy, data.position_unit, data.family, data.n_traits) == (2, "bp", None, 0)


@pytest.mark.parametrize("name", ["x", "x.bed", "x.bim", "x.fam"])
def test_any_file_of_a_set_names_it(tmp_path, dosage, name):
    write_bed_set(tmp_path / "x", dosage)
    assert read_genotypes(tmp_path / name).n_loci == 30


def test_blocks_do_not_change_what_is_read(tmp_path, dosage, monkeypatch):
    path = write_bed_set(tmp_path / "x", dosage)
    whole = read_bed(path).content_hash
    monkeypatch.setattr(BedStream, "loci_per_block", lambda self: 7)
    assert read_bed(path).content_hash == whole


def test_families_and_repeated_names(tmp_path):
    dosage = np.zeros((4, 2), dtype=np.int8)
    fam = "f1 a 0 0 0 -9\nf1 b 0 0 0 -9\nf2 a 0 0 0 -9\n0 d 0 0 0 -9\n"
    data = read_bed(write_bed_set(tmp_path / "x", dosage, fam))
    assert data.sample_id.tolist() == [b"f1_a", b"f1_b", b"f2_a", b"0_d"]
    assert data.family.tolist() == [b"f1", b"f1", b"f2", b""]
    assert "samples are named FID_IID, as 1 IID stands more than once in x.fam" in data.provenance["account"]
    with pytest.raises(DataError, match="1 sample name stands more than once"):
        read_bed(write_bed_set(tmp_path / "x", dosage, fam.replace("f2", "f1")))
    all_one = fam.replace("f2 a", "f1 c").replace("f1", "0")
    assert read_bed(write_bed_set(tmp_path / "x", dosage, all_one)).family is None


def test_phenotype_and_sex_only_when_asked(tmp_path):
    dosage = np.zeros((5, 2), dtype=np.int8)
    fam = "".join(f"0 s{i} 0 0 {sex} {y}\n" for i, (sex, y) in enumerate(["11", "22", "02", "20", ("1", "-9")]))
    path = write_bed_set(tmp_path / "x", dosage, fam)
    assert read_bed(path).n_traits == 0
    data = read_bed(path, fam_phenotype=True)
    np.testing.assert_array_equal(data.phenotypes[:, 0], [0, 1, 1, np.nan, np.nan])
    np.testing.assert_array_equal(data.covariates[:, 0], [0, 1, np.nan, 1, 0])
    assert data.levels == {"PHENO1": ("control", "case"), "sex": ("male", "female")}
    assert any("2 cases (2) and 1 control (1), 2 missing" in line for line in data.provenance["account"])
    number = write_bed_set(tmp_path / "y", dosage, fam.replace(" 2\n", " 2.5\n"))
    data = read_bed(number, fam_phenotype=True)
    np.testing.assert_array_equal(data.phenotypes[:, 0], [1, 2.5, 2.5, 0, np.nan])
    assert "PHENO1" not in data.levels
    with pytest.raises(DataError, match=r"phenotype PHENO1 holds 'tall', which is no number"):
        read_bed(write_bed_set(tmp_path / "z", dosage, fam.replace(" 2\n", " tall\n")), fam_phenotype=True)
    with pytest.raises(DataError, match=r"phenotype PHENO1 holds 'inf', not finite"):
        read_bed(write_bed_set(tmp_path / "z", dosage, fam.replace(" 2\n", " inf\n")), fam_phenotype=True)
    with pytest.raises(DataError, match=r"x.fam: sex '3'; allowed are 1, 2, M, F"):
        read_bed(write_bed_set(tmp_path / "x", dosage, fam.replace("0 0 2 ", "0 0 3 ")), fam_phenotype=True)


def test_loci_without_position_or_allele(tmp_path):
    dosage = np.zeros((4, 2), dtype=np.int8)
    data = read_bed(write_bed_set(tmp_path / "x", dosage, bim="1 a 0.5 0 0 G\n1 b 1.5 0 T G\n"))
    assert (data.position_unit, data.position.tolist()) == ("cM", [0.5, 1.5])
    assert data.alleles[0].tolist() == [b"G", b""]
    data = read_bed(write_bed_set(tmp_path / "x", dosage, bim="1 a 0 -4\tC G\n1 b 0 7 T G\n"))
    np.testing.assert_array_equal(data.position, [np.nan, 7])
    assert "1 locus has no position (0 or less)" in data.provenance["account"]
    for regions, expected in ((["1"], [np.nan, 7]), (["1:0-9"], [7])):
        kept = collect(BedStream(tmp_path / "x.bed", Regions.parse(regions)))
        np.testing.assert_array_equal(kept.position, expected)
    for name, export in (("y.vcf", write_vcf), ("y.pgen", write_pgen)):
        export(data, tmp_path / name)
        np.testing.assert_array_equal(read_genotypes(tmp_path / name).position, [np.nan, 7])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda d: (d / "x.bed").write_bytes((d / "x.bed").read_bytes()[:-1]), DataError, "92 bytes, but 11 samples"),
        (lambda d: (d / "x.bed").write_bytes(b"\x1f\x8b\x08" + bytes(90)), DataError, "not a PLINK 1 bed file"),
        (lambda d: (d / "x.bed").write_bytes(b""), DataError, "not a PLINK 1 bed file"),
        (lambda d: (d / "x.bim").write_text("1 rs 0 5 A G\n"), DataError, r"1 loci \(x.bim\) make 6"),
        (lambda d: (d / "x.bim").write_text("1 rs 0 five A G\n" * 30), DataError, "locus rs: position 'five'"),
        (lambda d: (d / "x.bim").write_text("1 rs 0 5 A G\n1 rs 0 5 A\n"), DataError, "line 2: 5 fields, but"),
        (lambda d: (d / "x.bim").write_text(""), DataError, "no loci in it"),
        (lambda d: (d / "x.bim").unlink(), StoreError, "x.bim: no such file; a set needs one beside x.bed"),
        (lambda d: (d / "x.fam").unlink(), StoreError, "x.fam: no such file"),
        (lambda d: (d / "x.fam").write_text("a b c\n"), DataError, "line 1: 3 fields"),
        (lambda d: (d / "x.fam").write_text("\n"), DataError, "no samples in it"),
    ],
)
def test_what_does_not_fit_together_is_one_line(tmp_path, dosage, change, error, message):
    path = write_bed_set(tmp_path / "x", dosage)
    change(tmp_path)
    with pytest.raises(error, match=message) as raised:
        read_genotypes(path)
    assert "\n" not in str(raised.value)


def test_an_option_of_another_format_is_refused(tmp_path, dosage):
    path = write_bed_set(tmp_path / "x", dosage)
    with pytest.raises(ConfigError, match="takes no option 'multiallelic'; known are fam_phenotype"):
        read_genotypes(path, multiallelic="drop")


@needs_reference
@pytest.mark.parametrize("cohort", ["training", "validation"])
def test_bed_and_pgen_of_one_cohort_agree(cohort):
    bed = read_genotypes(DISCRETE / f"{cohort}.bed", fam_phenotype=True)
    pgen = read_genotypes(DISCRETE / f"{cohort}.pgen", fam_phenotype=True)
    assert bed.content_hash == pgen.content_hash
    assert bed.levels["PHENO1"] == ("control", "case")


@needs_plink2
@needs_reference
def test_dosage_is_plinks_own(tmp_path):
    plink = ["plink2", "--bfile", DISCRETE / "training", "--export", "A", "--out", tmp_path / "x"]
    subprocess.run(plink, check=True, capture_output=True)  # counts REF by default, which is A2
    rows = [line.split() for line in (tmp_path / "x.raw").read_text().splitlines()]
    exported = np.array([row[6:] for row in rows[1:]]).astype(np.int8)
    data = read_genotypes(DISCRETE / "training")
    counted = as_text(data.alleles)[:, 1]
    same = np.array([name.rsplit("_", 1)[1] for name in rows[0][6:]]) == counted
    np.testing.assert_array_equal(data.dosage(), np.where(same, exported, 2 - exported))


@pytest.fixture
def pgen(tmp_path):
    """A set that plink2 made of a VCF with three alleles at one locus, a half call and a missing one."""
    text = vcf(
        "1 5 rs1 A C GT 0/1 1/1 ./.",
        "1 7 rs2 A C,G GT 0/1 1/2 2/2",
        "1 9 . A G GT 0/0 0/1 0/0",
        "2 3 rs4 T . GT 0/0 0/0 0/0",
    )
    (tmp_path / "x.vcf").write_text(text)
    plink = ["plink2", "--vcf", tmp_path / "x.vcf", "--make-pgen", "--out", tmp_path / "x"]
    subprocess.run(plink, check=True, capture_output=True)
    return tmp_path / "x.pgen"


@needs_plink2
def test_pgen_is_the_vcf_that_it_was_made_of(pgen):
    from_vcf, data = read_genotypes(pgen.with_suffix(".vcf")), read_genotypes(pgen)
    np.testing.assert_array_equal(data.dosage(), from_vcf.dosage())
    for name in ("sample_id", "locus_id", "chromosome", "position", "alleles"):
        np.testing.assert_array_equal(getattr(data, name), getattr(from_vcf, name))
    assert "1 locus with several ALT was split into 2, one for each ALT" in data.provenance["account"]
    dropped = read_genotypes(pgen, multiallelic="drop")
    np.testing.assert_array_equal(dropped.dosage(), data.dosage()[:, [0, 3, 4]])
    assert read_genotypes(pgen.with_name("x"), multiallelic="drop").content_hash == dropped.content_hash


@needs_plink2
def test_imputed_dosages_are_counted_where_hard_calls_are_taken(tmp_path):
    form = '##FORMAT=<ID=DS,Number=A,Type=Float,Description="">\n'
    text = vcf("1 5 rs1 A C GT:DS 0/1:0.97 1/1:1.6 0/0:0", "1 7 rs2 A C GT:DS 0/1:1 1/1:2 0/0:0.02")
    (tmp_path / "x.vcf").write_text(text.replace("#CHROM", form + "#CHROM"))
    plink = ["plink2", "--vcf", tmp_path / "x.vcf", "dosage=DS", "--make-pgen", "--out", tmp_path / "x"]
    subprocess.run(plink, check=True, capture_output=True)
    data = read_genotypes(tmp_path / "x.pgen")
    assert data.dosage().T.tolist() == [[1, -1, 0], [1, 2, 0]]  # PLINK 2 calls what is within 0.1 of a whole number
    assert "3 imputed dosages are not whole: hard calls were taken" in data.provenance["account"]


@needs_plink2
@needs_reference
def test_a_compressed_pvar(tmp_path):
    make = ["plink2", "--bfile", DISCRETE / "training", "--make-pgen", "vzs", "--out", tmp_path / "x"]
    subprocess.run(make, check=True, capture_output=True)
    assert read_genotypes(tmp_path / "x.pvar.zst").content_hash == read_genotypes(DISCRETE / "training").content_hash


@needs_plink2
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.write_bytes(p.read_bytes()[:-3]), r"x.pgen: "),
        (lambda p: p.write_bytes(b"abc" + p.read_bytes()[3:]), "not a .pgen file"),
        (lambda p: p.write_bytes(b""), r"x.pgen: "),
        (lambda p: p.with_suffix(".psam").write_text("#IID\na\n"), "3 samples, but the files beside it list 1"),
        (lambda p: p.with_suffix(".pvar").write_text("#CHROM POS\n"), "x.pvar: Missing column header"),
        (lambda p: p.with_suffix(".pvar").write_text("#CHROM\tPOS\tID\tREF\tALT\n1\t5\ta\tA\tC\n"), "x.pgen: "),
        (lambda p: p.with_suffix(".psam").write_text("#FID\tSEX\n1\t2\n"), "no column IID"),
    ],
)
def test_a_damaged_pgen_is_one_line(pgen, change, message):
    change(pgen)
    with pytest.raises(DataError, match=message) as error:
        read_genotypes(pgen)
    assert "\n" not in str(error.value)
