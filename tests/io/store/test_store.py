"""The dataset file: round trips, bytes, and what a damaged or foreign file is answered with."""

import json
import subprocess
import sys
from dataclasses import replace

import h5py
import numpy as np
import pytest

from gpatlas.config.simulation import SimulationSpec
from gpatlas.dataset import as_text
from gpatlas.encoding import MISSING
from gpatlas.errors import DataError, StoreError
from gpatlas.io import read_dataset, read_genotypes, write_dataset
from gpatlas.io.store import stored_hash
from gpatlas.packed import PackedDosages
from gpatlas.simulate import simulate
from tests.allele_panels import panel_of


def assert_equal(a, b):
    assert a.content_hash == b.content_hash
    np.testing.assert_array_equal(a.dosage(), b.dosage())
    np.testing.assert_array_equal(a.phenotypes, b.phenotypes)
    assert a.provenance == b.provenance
    assert (a.ploidy, a.position_unit, a.truth is None) == (b.ploidy, b.position_unit, b.truth is None)


@pytest.mark.parametrize("which", ["haploids", "diploids"])
def test_round_trip(which, request, tmp_path):
    data = request.getfixturevalue(which)
    write_dataset(data, tmp_path / "d.h5")
    back = read_dataset(tmp_path / "d.h5")
    assert_equal(data, back)
    assert stored_hash(tmp_path / "d.h5") == data.content_hash
    np.testing.assert_array_equal(back.truth.effects.additive, data.truth.effects.additive)
    assert list(back.trait_id.astype(str)) == list(data.trait_id)
    assert_equal(read_genotypes(tmp_path / "d.h5"), data)


def test_triples_survive_and_older_files_have_none(tmp_path):
    triples = {"qtl_per_chromosome": 12, "rel_aa": 1, "architecture": "triples"}
    section = {"founders": {"n_individuals": 40, "loci_per_chromosome": 12}, "traits": [triples]}
    data = simulate(SimulationSpec.parse(section | {"phenotypes": {"h2_broad": 0.5}}, "test"), 1)
    write_dataset(data, tmp_path / "d.h5")
    back = read_dataset(tmp_path / "d.h5")
    assert_equal(data, back)
    for name, column in vars(data.truth.triples).items():
        np.testing.assert_array_equal(getattr(back.truth.triples, name), column)
    other = replace(data.truth, triples=replace(data.truth.triples, epistatic=-data.truth.triples.epistatic))
    assert replace(data, truth=other).content_hash != data.content_hash
    with h5py.File(tmp_path / "d.h5", "r+") as file:
        del file["triples"]
        file.attrs["format_version"] = (1, 0)
    assert not len(read_dataset(tmp_path / "d.h5").truth.triples.trait)


def of_the_field(data):
    """The same data, with all that a field trial knows and a simulation does not."""
    n, p = data.genotypes.shape
    return replace(
        data,
        truth=None,
        alleles=np.array([["A", "GTT"], ["", "T"]] * p)[:p],
        covariates=np.column_stack([np.arange(n) % 2, np.where(np.arange(n) == 3, np.nan, np.arange(n) / 3)]),
        covariate_id=np.array(["site", "âge"]),
        levels={"site": ("Norwich", "Nîmes")},
        environments={str(data.trait_id[0]): ("yield", "wet")},
        family=np.array(["f1", ""] * n)[:n],
    )


def test_what_the_field_knows_survives(diploids, tmp_path):
    data = of_the_field(diploids)
    write_dataset(data, tmp_path / "d.h5")
    back = read_dataset(tmp_path / "d.h5")
    assert_equal(data, back)
    np.testing.assert_array_equal(as_text(back.alleles), data.alleles)
    np.testing.assert_array_equal(back.covariates, data.covariates)
    assert (back.levels, back.environments) == (data.levels, data.environments)
    assert list(as_text(back.covariate_id)) == ["site", "âge"]
    assert list(as_text(back.family)) == list(data.family)
    changes = {
        "alleles": data.alleles[:, ::-1],
        "covariates": -data.covariates,
        "levels": {"site": ("Nîmes", "Norwich")},
        "environments": {},
        "family": data.family[::-1],
    }
    for name, value in changes.items():
        assert replace(data, **{name: value}).content_hash != data.content_hash, name


def test_missing_data_and_names_beyond_ascii_survive(diploids, tmp_path):
    genotypes, phenotypes = diploids.dosage().copy(), diploids.phenotypes.copy()
    genotypes[2, 3], phenotypes[4, 1] = MISSING, np.nan
    names = diploids.sample_id.astype(str)
    names[0] = "søren 0"
    data = replace(diploids, genotypes=genotypes, phenotypes=phenotypes, sample_id=names, truth=None)
    write_dataset(data, tmp_path / "d.h5")
    back = read_dataset(tmp_path / "d.h5")
    assert_equal(data, back)
    assert back.sample_id[0].decode() == "søren 0"
    assert np.isnan(back.features()[2, 3])


def test_equal_datasets_give_equal_bytes(haploids, tmp_path):
    for name in ("a.h5", "b.h5"):
        write_dataset(haploids, tmp_path / name)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_the_file_can_be_read_without_us(haploids, tmp_path):
    """Three lines of h5py, by the rule that the file states."""
    write_dataset(haploids, tmp_path / "d.h5")
    with h5py.File(tmp_path / "d.h5") as file:
        genotypes = file["genotypes"]
        assert genotypes.attrs["unpack"] == "dosage[i, j] = (genotypes[i, j // 8] >> (j % 8)) & 1"
        i, j = 5, 17
        assert (genotypes[i, j // 8] >> (j % 8)) & 1 == haploids.dosage()[i, j]
        assert h5py.check_enum_dtype(file["fold"].dtype) == {"train": 0, "validation": 1, "test": 2}


def test_a_truncated_file_is_one_line(haploids, tmp_path):
    write_dataset(haploids, tmp_path / "d.h5")
    whole = (tmp_path / "d.h5").read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.h5").write_bytes(whole[:size])
        with pytest.raises(StoreError, match=r"cut\.h5") as error:
            read_dataset(tmp_path / "cut.h5")
        assert "\n" not in str(error.value)


def test_a_newer_format_names_who_reads_it(haploids, tmp_path):
    write_dataset(haploids, tmp_path / "d.h5")
    with h5py.File(tmp_path / "d.h5", "r+") as file:
        file.attrs["format_version"] = (2, 0)
        file.attrs["provenance"] = json.dumps({"gpatlas": "9.1"})
    with pytest.raises(StoreError, match=r"format 2 is newer than this gpatlas reads \(1\).*gpatlas 9\.1, which can"):
        read_dataset(tmp_path / "d.h5")


def test_a_newer_minor_version_is_read(haploids, tmp_path):
    write_dataset(haploids, tmp_path / "d.h5")
    with h5py.File(tmp_path / "d.h5", "r+") as file:
        file.attrs["format_version"] = (1, 7)
    assert read_dataset(tmp_path / "d.h5").content_hash == haploids.content_hash


def test_foreign_and_absent_files(tmp_path):
    with pytest.raises(StoreError, match="no such file"):
        read_dataset(tmp_path / "nothing.h5")
    (tmp_path / "text.h5").write_text("not hdf5")
    with pytest.raises(StoreError, match="cannot be read as HDF5"):
        read_dataset(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(StoreError, match="not a gpatlas dataset"):
        read_dataset(tmp_path / "other.h5")
    with pytest.raises(DataError, match=r"unknown genotype format '\.docx'"):
        read_genotypes(tmp_path / "x.docx")


def test_a_missing_array_is_named(haploids, tmp_path):
    write_dataset(haploids, tmp_path / "d.h5")
    with h5py.File(tmp_path / "d.h5", "r+") as file:
        del file["phenotypes"]
    with pytest.raises(StoreError, match=r"not a complete gpatlas dataset.*phenotypes"):
        read_dataset(tmp_path / "d.h5")


WRITER = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from gpatlas.config.simulation import SimulationSpec
from gpatlas.simulate import simulate
from gpatlas.io import write_dataset
spec = SimulationSpec.parse({"founders": {"n_individuals": 20000, "loci_per_chromosome": 64},
    "traits": [{"type": "A", "qtl_per_chromosome": 8}], "phenotypes": {"h2": 0.5}}, "x")
data = simulate(spec, 1)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # stands in for a full disk
try:
    write_dataset(data, sys.argv[1])
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path):
    target = tmp_path / "d.h5"
    done = subprocess.run([sys.executable, "-c", WRITER, target], capture_output=True, text=True)
    assert done.stdout.startswith("StoreError cannot write"), done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, sys
import h5py
from gpatlas.io import read_dataset, write_dataset
data = read_dataset(sys.argv[1])
h5py.File.create_dataset = lambda *args, **kwargs: os.kill(os.getpid(), 9)
write_dataset(data, sys.argv[1])
"""


def test_a_killed_writer_leaves_the_old_file_whole(haploids, tmp_path):
    target = tmp_path / "d.h5"
    write_dataset(haploids, target)
    done = subprocess.run([sys.executable, "-c", KILLED, target], capture_output=True)
    assert done.returncode == -9
    assert read_dataset(target).content_hash == haploids.content_hash


def test_content_that_changed_is_noticed(haploids, tmp_path):
    write_dataset(haploids, tmp_path / "d.h5")
    with h5py.File(tmp_path / "d.h5", "r+") as file:
        file["phenotypes"][3, 0] += 1
    with pytest.raises(StoreError, match="the content has changed since it was written"):
        read_genotypes(tmp_path / "d.h5")


@pytest.mark.parametrize("lazy", [False, True])
def test_allele_codes_round_trip(tmp_path, lazy):
    data = panel_of(ploidy=2, n_alleles=3)
    data = replace(data, genotypes=PackedDosages.pack(data.dosage()))
    write_dataset(data, tmp_path / "d.h5")
    back = read_dataset(tmp_path / "d.h5", lazy)
    assert_equal(back, data)
    np.testing.assert_array_equal(back.codes, data.codes)
    assert (back.codes.dtype, back.n_alleles) == (np.int16, 3)
    with h5py.File(tmp_path / "d.h5") as file:
        assert tuple(file.attrs["format_version"]) == (1, 3)
        assert file["allele_codes"].dtype == np.int16
        assert file["allele_codes"].attrs["n_alleles"] == 3
        assert "0 is a missing call" in file["allele_codes"].attrs["decode"]
        assert file["allele_codes"].chunks[1] == data.n_loci


def test_files_without_allele_codes_have_two_alleles(tmp_path, diploids):
    write_dataset(diploids, tmp_path / "d.h5")
    with h5py.File(tmp_path / "d.h5", "r+") as file:
        assert "allele_codes" not in file
        file.attrs["format_version"] = (1, 2)
    back = read_dataset(tmp_path / "d.h5")
    assert (back.codes, back.n_alleles) == (None, 2)
