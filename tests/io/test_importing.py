"""Importing streams a file into a dataset file that is what reading it into memory gives."""

import numpy as np
import pytest

from gpatlas.errors import ConfigError, DataError
from gpatlas.io import read_dataset, read_genotypes
from gpatlas.io.importing import Selection, import_genotypes
from gpatlas.io.store.stored_dosages import StoredDosages
from gpatlas.io.variants.plink import BedStream
from gpatlas.io.variants.streams import Regions
from tests.conftest import REFERENCE
from tests.io.genotype_files import vcf, write_bed_set


@pytest.fixture
def bed(tmp_path):
    """600 samples by 9 000 loci: tiles in both directions, the last ones not full."""
    return write_bed_set(tmp_path / "x", np.random.default_rng(6).integers(-1, 3, (600, 9_001)).astype(np.int8))


def test_a_file_is_what_memory_holds(bed, tmp_path, monkeypatch):
    monkeypatch.setattr(BedStream, "loci_per_block", lambda self: 777)
    seen = []
    written = import_genotypes(bed, tmp_path / "d.h5", report=lambda *now: seen.append(now))
    inside, stored = read_genotypes(bed), read_dataset(tmp_path / "d.h5", lazy=True)
    assert isinstance(stored.genotypes, StoredDosages)
    assert stored.content_hash == inside.content_hash == read_dataset(tmp_path / "d.h5").content_hash
    assert stored.provenance["account"] == inside.provenance["account"] == written.provenance["account"]
    assert seen[-1] == (9_001, 9_001, "loci")


def test_some_samples_and_regions(bed, tmp_path):
    inside = read_genotypes(bed)
    wanted = Selection(["s7", "s3", "s599"], Regions.parse(["1:200-1,000", "2", "1:5000-5004"]))
    import_genotypes(bed, tmp_path / "d.h5", wanted)
    part = read_dataset(tmp_path / "d.h5")
    columns = np.r_[100:901, 4900:4905]
    assert part.sample_id.tolist() == [b"s3", b"s7", b"s599"]
    np.testing.assert_array_equal(part.position, inside.position[columns])
    np.testing.assert_array_equal(part.dosage(), inside.dosage()[[3, 7, 599]][:, columns])
    import_genotypes(tmp_path / "d.h5", tmp_path / "again.h5", Selection(["s7"], Regions.parse(["1:300-301"])))
    again = read_dataset(tmp_path / "again.h5")
    np.testing.assert_array_equal(again.dosage(), inside.dosage()[[7]][:, 200:202])


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection(["s3", "S4"]), r"1 sample asked for is not in it \(S4\); it has s0, s1, s2"),
        (Selection([]), "the list of samples to keep is empty"),
        (Selection(None, Regions.parse(["chr1"])), "no locus in it in these regions"),
    ],
)
def test_what_is_not_there_is_one_line(bed, tmp_path, selection, message):
    with pytest.raises(DataError, match=message):
        import_genotypes(bed, tmp_path / "d.h5", selection)
    assert not (tmp_path / "d.h5").exists()


@pytest.mark.parametrize("text", ["1:5-3", "1:a-b", "1:5-"])
def test_regions_that_are_none(text):
    with pytest.raises(ConfigError, match="not a region"):
        Regions.parse([text])


def test_chromosomes_with_colons():
    regions = Regions.parse(["HLA:A*01", "HLA:B:5-9"])
    assert [regions.contain(*locus) for locus in (("HLA:A*01", 3), ("HLA:B", 7), ("HLA:B", 10))] == [True, True, False]


def test_tetraploids_and_tables_are_imported_too(tmp_path):
    (tmp_path / "x.vcf").write_text(vcf("1 5 rs1 A C GT 0/0/1/1 0/1/1/1 ./././."))
    import_genotypes(tmp_path / "x.vcf", tmp_path / "d.h5", Selection(["b", "c"]))
    four = read_dataset(tmp_path / "d.h5", lazy=True)
    assert (four.ploidy, four.dosage().tolist()) == (4, [[3], [-1]])
    (tmp_path / "t.csv").write_text("id,m1,m2\na,0,2\nb,1,NA\n")
    import_genotypes(tmp_path / "t.csv", tmp_path / "t.h5")
    table = read_dataset(tmp_path / "t.h5", lazy=True)
    assert isinstance(table.genotypes, StoredDosages)
    assert table.dosage().tolist() == [[0, 2], [1, -1]]


@pytest.mark.skipif(not REFERENCE.exists(), reason="needs the reference data")
@pytest.mark.parametrize("name", ["wheat_gbs/wheat_gbs_test.vcf.gz", "genoml/discrete/training.pgen"])
def test_real_files(tmp_path, name):
    import_genotypes(REFERENCE / name, tmp_path / "d.h5")
    assert read_dataset(tmp_path / "d.h5", lazy=True).content_hash == read_genotypes(REFERENCE / name).content_hash
