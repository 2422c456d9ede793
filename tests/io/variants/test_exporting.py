"""Export: what is written is read back the same, by us, bcftools and PLINK 2."""

import gzip
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas.dataset import Dataset
from gpatlas.errors import DataError
from gpatlas.io import read_genotypes
from gpatlas.io.variants.exporting import write_bed, write_pgen, write_vcf
from gpatlas.packed import PackedDosages
from tests.io.genotype_files import dosages_of_vcf

WRITERS = {"x.vcf": write_vcf, "x.vcf.gz": write_vcf, "x.bed": write_bed, "x.pgen": write_pgen}
ARRAYS = ("sample_id", "locus_id", "chromosome", "position", "alleles")


def field_data(dosage: np.ndarray, ploidy: int = 2, **columns) -> Dataset:
    n_samples, n_loci = dosage.shape
    bases = np.array([["A", "C"], ["G", "T"], ["AT", "A"], ["C", "CGG"]])[np.arange(n_loci) % 4]
    return Dataset(
        genotypes=dosage,
        phenotypes=np.empty((n_samples, 0)),
        sample_id=np.array([f"Säule{i}" for i in range(n_samples)]),
        locus_id=np.array([f"rs{j}" for j in range(n_loci)]),
        trait_id=np.empty(0, dtype="S1"),
        ploidy=ploidy,
        fold=np.zeros(n_samples, dtype=np.uint8),
        chromosome=np.array([str(1 + 3 * j // max(1, n_loci)) for j in range(n_loci)]),
        position=np.arange(1.0, n_loci + 1),
        position_unit="bp",
        alleles=bases,
        **columns,
    )


@pytest.fixture
def data():
    return field_data(np.random.default_rng(2).integers(-1, 3, (23, 60)).astype(np.int8))


def assert_same(read: Dataset, data: Dataset) -> None:
    np.testing.assert_array_equal(read.dosage(), data.dosage())
    for name in ARRAYS:
        found, expected = getattr(read, name), getattr(data, name)
        found = np.char.decode(found, "utf-8") if found.dtype.kind == "S" else found
        np.testing.assert_array_equal(found, expected)
    assert read.position_unit == "bp"


@pytest.mark.parametrize("name", WRITERS)
@given(shape=st.tuples(st.integers(1, 9), st.integers(1, 20)), seed=st.integers(0, 99), ploidy=st.sampled_from([2, 4]))
@settings(max_examples=15)
def test_round_trips_are_exact(tmp_path_factory, name, shape, seed, ploidy):
    path = tmp_path_factory.mktemp("trip") / f"Ähre {name}"
    ploidy = ploidy if "vcf" in name else 2
    dosage = np.random.default_rng(seed).integers(-1, ploidy + 1, shape).astype(np.int8)
    data = field_data(dosage, ploidy)
    assert WRITERS[name](data, path) == []
    assert_same(read_genotypes(path), data)
    if ploidy == 2:
        again = path.with_name(f"again {name}")
        WRITERS[name](replace(data, genotypes=PackedDosages.pack(dosage)), again)
        assert again.read_bytes() == path.read_bytes()


def test_families_and_sex_go_with_plink_files(data, tmp_path):
    family = np.array(["north", "south", ""])[np.arange(23) % 3]
    sex = np.array([0.0, 1.0, np.nan])[np.arange(23) % 3, None]
    data = replace(
        data, family=family, covariates=sex, covariate_id=np.array(["sex"]), levels={"sex": ("male", "female")}
    )
    for name in ("x.bed", "x.pgen"):
        WRITERS[name](data, tmp_path / name)
        read = read_genotypes(tmp_path / name, fam_phenotype=True)
        assert read.family.astype(str).tolist() == family.tolist()
        np.testing.assert_array_equal(read.covariates, sex)


@pytest.mark.parametrize("name", WRITERS)
def test_simulated_haploids_without_alleles(haploids, tmp_path, name):
    said = WRITERS[name](haploids, tmp_path / name)
    assert any("alleles are not known: written as A, and T" in sentence for sentence in said)
    assert any("positions in Morgan are written in bp" in sentence for sentence in said)
    assert any("phenotypes and covariates are not written" in sentence for sentence in said)
    factor = 1 if "vcf" in name else 2
    np.testing.assert_array_equal(read_genotypes(tmp_path / name).dosage(), factor * haploids.dosage())


def test_alleles_that_are_no_bases(data, tmp_path):
    alleles = data.alleles.astype("U12")
    alleles[:4] = [["", "T"], ["A", ""], ["A", "DEL"], ["ACGT~99~ab", ""]]
    dosage = data.dosage().copy()
    dosage[:, 1] = 0
    said = write_vcf(replace(data, alleles=alleles, genotypes=dosage), tmp_path / "x.vcf")
    assert "3 alleles are not spelt in bases, written as REF N or as a symbolic ALT" in said
    read = read_genotypes(tmp_path / "x.vcf")
    assert read.alleles[:4].astype(str).tolist() == [["N", "T"], ["A", ""], ["A", "<DEL>"], ["N", "<unknown>"]]
    np.testing.assert_array_equal(read.dosage(), dosage)


def test_polyploids_have_no_place_in_plink_files(data, tmp_path):
    for name in ("x.bed", "x.pgen"):
        with pytest.raises(DataError, match="the ploidy of these data is 4"):
            WRITERS[name](replace(data, ploidy=4), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("bcftools") is None, reason="needs bcftools")
def test_bcftools_reads_and_indexes_it(data, tmp_path):
    path = tmp_path / "x.vcf.gz"
    large = data.loci(np.arange(30))
    write_vcf(large, path)
    subprocess.run(["bcftools", "index", "-t", path], check=True)
    shown = subprocess.run(["bcftools", "view", path], check=True, capture_output=True, text=True)
    assert shown.stderr == ""
    (tmp_path / "y.vcf").write_text(shown.stdout)
    samples, _, dosage = dosages_of_vcf(tmp_path / "y.vcf")
    assert samples == data.sample_id.tolist()
    np.testing.assert_array_equal(dosage, large.dosage())


@pytest.mark.skipif(shutil.which("plink2") is None, reason="needs plink2")
def test_plink2_reads_all_of_them_alike(data, tmp_path):
    for name, flag in (("x.vcf.gz", "--vcf"), ("x.bed", "--bfile"), ("x.pgen", "--pfile")):
        WRITERS[name](data, tmp_path / name)
        given = tmp_path / name if flag == "--vcf" else tmp_path / "x"
        plink = ["plink2", flag, given, "--make-pgen", "--sort-vars", "--out", tmp_path / f"from_{name[2:5]}"]
        subprocess.run(plink, check=True, capture_output=True)
        assert_same(read_genotypes(tmp_path / f"from_{name[2:5]}.pgen"), data)


def test_blocks_of_compression(tmp_path):
    wide = field_data(np.random.default_rng(1).integers(-1, 3, (3_000, 60)).astype(np.int8))
    write_vcf(wide, tmp_path / "x.vcf.gz")
    write_vcf(wide, tmp_path / "x.vcf")
    packed = (tmp_path / "x.vcf.gz").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / "x.vcf").read_bytes()
    assert packed.count(b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0") > 10
