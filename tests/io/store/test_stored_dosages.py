"""A dataset of packed dosages is one dataset in memory, on disk, and written again."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

from gpatlas.errors import StoreError
from gpatlas.io import read_dataset, write_dataset
from gpatlas.io.store import dataset_file
from gpatlas.io.store.stored_dosages import StoredDosages
from gpatlas.packed import PackedDosages


@pytest.fixture
def packed(diploids):
    """The diploids in two bits a genotype, with missing calls at three loci."""
    dosage = diploids.dosage().copy()
    dosage[3:17, [0, 7, 49]] = -1
    return replace(diploids, genotypes=PackedDosages.pack(dosage), truth=None)


@pytest.fixture
def stored(packed, tmp_path):
    write_dataset(packed, tmp_path / "d.h5")
    return tmp_path / "d.h5"


def test_a_lazy_dataset_is_the_dataset(packed, stored):
    lazy, eager = read_dataset(stored, lazy=True), read_dataset(stored)
    assert isinstance(lazy.genotypes, StoredDosages)
    assert lazy.content_hash == eager.content_hash == packed.content_hash == dataset_file.stored_hash(stored)
    rows, loci = np.array([5, 1, 5]), np.array([49, 3])
    for data in (lazy, eager, packed):
        np.testing.assert_array_equal(data.dosage(), packed.genotypes.unpack())
        assert data.samples(rows).loci(loci).dosage().tolist() == data.dosage()[rows][:, loci].tolist()
        assert data.dosage(rows, loci).tolist() == data.dosage()[rows][:, loci].tolist()
        assert data.features(rows).dtype == np.float32
        assert np.isnan(data.features(rows)[0, 0])
        assert data.features(np.arange(20, 30)).dtype == np.int8  # nothing is missing in these rows


def test_written_again_it_has_the_same_bytes(stored, tmp_path):
    for name, lazy in (("lazy.h5", True), ("eager.h5", False)):
        write_dataset(read_dataset(stored, lazy=lazy), tmp_path / name)
        assert (tmp_path / name).read_bytes() == stored.read_bytes()


def test_the_hash_sees_genotypes_order_and_ploidy(packed):
    again = packed.genotypes.unpack()
    assert replace(packed, genotypes=PackedDosages.pack(again)).content_hash == packed.content_hash
    again[0, 0] = (again[0, 0] + 1) % 3
    assert replace(packed, genotypes=PackedDosages.pack(again)).content_hash != packed.content_hash
    assert packed.samples(np.arange(149, -1, -1)).content_hash != packed.content_hash


def test_an_unknown_encoding_is_one_line(stored):
    with h5py.File(stored, "r+") as file:
        file["genotypes"].attrs["encoding"] = "nibbles"
    with pytest.raises(StoreError, match="stored as 'nibbles'"):
        read_dataset(stored)


def test_inspect_counts_them(gpatlas, stored):
    shown = gpatlas("inspect", stored)
    assert shown.returncode == 0, shown.stderr
    assert "0.56% missing" in shown.stdout  # 42 of 7 500
    assert "as written" in shown.stdout
