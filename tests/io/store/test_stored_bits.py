"""Genotypes that stay on disk: every way of reading some of them gives what is in memory."""

import pickle
from dataclasses import replace

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpatlas.dataset import Fold
from gpatlas.errors import StoreError
from gpatlas.io import read_dataset, write_dataset
from gpatlas.io.store import dataset_file
from gpatlas.io.store.stored_bits import StoredBits
from gpatlas.packed import PackedBits, random_bits

N_ROWS, N_LOCI = 103, 21


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """The same bits in memory and in a file with chunks of ten rows."""
    path = tmp_path_factory.mktemp("bits") / "bits.h5"
    inside = random_bits(N_ROWS, N_LOCI, np.random.default_rng(3))
    with h5py.File(path, "w") as file:
        file.create_dataset("genotypes", data=inside.bits, chunks=(10, 3))
    return inside, StoredBits(path, "genotypes", (N_ROWS, N_LOCI))


indices = st.lists(st.integers(0, N_ROWS - 1), max_size=60).map(lambda rows: np.array(rows, dtype=int))
slices = st.tuples(st.integers(0, N_ROWS), st.integers(0, N_ROWS)).map(lambda ends: slice(*sorted(ends)))
masks = st.lists(st.booleans(), min_size=N_ROWS, max_size=N_ROWS).map(np.array)


@given(st.none() | slices | indices | masks)
def test_rows_are_those_in_memory(both, rows):
    inside, stored = both
    np.testing.assert_array_equal(stored.packed(rows), inside.packed(rows))
    np.testing.assert_array_equal(stored.unpack(rows), inside.unpack(rows))


@given(indices, st.data())
def test_a_selection_of_a_selection_is_rows_of_the_source(both, rows, data):
    inside, stored = both
    again = np.array(data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=9)) if len(rows) else [], dtype=int)
    loci = np.array([0, N_LOCI - 1, 8])
    for bits in (inside.take(rows), stored.take(rows)):
        assert bits.shape == (len(rows), N_LOCI)
        np.testing.assert_array_equal(bits.unpack(), inside.unpack(rows))
        np.testing.assert_array_equal(bits.take(again).unpack(loci=loci), inside.unpack(rows[again], loci))
        np.testing.assert_array_equal(bits.count_ones(), inside.unpack(rows).sum(axis=0))


def test_every_chunk_is_read_once(both, monkeypatch):
    _, stored = both
    read = []
    monkeypatch.setattr(stored, "_stored", _Recording(stored._stored, read))
    stored.packed(np.random.default_rng(1).permutation(N_ROWS))
    assert len(read) == 11
    assert sum(rows.stop - rows.start for rows in read) == N_ROWS


class _Recording:
    def __init__(self, stored, read):
        self._stored, self._read, self.chunks, self.shape = stored, read, stored.chunks, stored.shape

    def __getitem__(self, part):
        self._read.append(part[0])
        return self._stored[part]


def test_stored_bits_travel_to_another_process(both):
    inside, stored = both
    stored.packed()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(stored)).packed(), inside.bits)


@pytest.mark.parametrize("which", ["haploids", "diploids"])
def test_a_lazy_dataset_is_the_dataset(which, request, tmp_path, monkeypatch):
    monkeypatch.setattr(dataset_file, "CHUNK_BYTES", 64)
    data = request.getfixturevalue(which)
    write_dataset(data, tmp_path / "d.h5")
    lazy = read_dataset(tmp_path / "d.h5", lazy=True)
    assert isinstance(lazy.genotypes, StoredBits) == (which == "haploids")
    assert lazy.content_hash == data.content_hash
    assert lazy.without_test().content_hash == data.without_test().content_hash
    test = data.rows(Fold.test)
    np.testing.assert_array_equal(lazy.features(test), data.features(test))
    streamed = lazy.streamed_features(test)
    np.testing.assert_array_equal(streamed if which == "diploids" else streamed.unpack(), data.features(test))


def test_a_lazy_dataset_is_written_again(haploids, tmp_path, monkeypatch):
    monkeypatch.setattr(dataset_file, "CHUNK_BYTES", 64)
    write_dataset(haploids, tmp_path / "d.h5")
    lazy = read_dataset(tmp_path / "d.h5", lazy=True)
    for name, data in (("lazy.h5", lazy), ("eager.h5", read_dataset(tmp_path / "d.h5"))):
        write_dataset(data, tmp_path / name)
    assert (tmp_path / "lazy.h5").read_bytes() == (tmp_path / "eager.h5").read_bytes()
    write_dataset(lazy.without_test(), tmp_path / "part.h5")
    assert read_dataset(tmp_path / "part.h5").content_hash == haploids.without_test().content_hash


def test_the_hash_sees_a_changed_file(haploids, tmp_path):
    write_dataset(haploids, tmp_path / "d.h5")
    with h5py.File(tmp_path / "d.h5", "r+") as file:
        file["genotypes"][3, 0] ^= 1
    lazy = read_dataset(tmp_path / "d.h5", lazy=True)
    bits = haploids.genotypes.bits.copy()
    bits[3, 0] ^= 1
    assert lazy.content_hash == replace(haploids, genotypes=PackedBits(bits, haploids.n_loci)).content_hash
    assert lazy.content_hash != dataset_file.stored_hash(tmp_path / "d.h5")


def test_a_file_that_went_away_is_one_line(haploids, tmp_path):
    write_dataset(haploids, tmp_path / "d.h5")
    lazy = read_dataset(tmp_path / "d.h5", lazy=True)
    (tmp_path / "d.h5").unlink()
    with pytest.raises(StoreError, match=r"d\.h5: cannot be read"):
        lazy.features()
