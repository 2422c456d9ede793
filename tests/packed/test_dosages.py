"""Two bits a dosage: what comes out is what went in, whatever is asked for, in memory and on disk."""

import pickle

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gpatlas.io.store.stored_dosages import UNPACK_RULE, StoredDosages, write_dosages
from gpatlas.packed import PackedDosages, dosages
from gpatlas.packed.dosages import packed_by_loci, unpacked

N_ROWS, N_LOCI = 23, 45
matrices = st.tuples(st.integers(0, 9), st.integers(0, 19)).flatmap(
    lambda shape: arrays(np.int8, shape, elements=st.integers(-1, 2))
)


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """A matrix; the same packed; and the same in a file of many tiles."""
    patch = pytest.MonkeyPatch()
    for module in ("gpatlas.packed.dosages", "gpatlas.io.store.stored_dosages"):
        patch.setattr(f"{module}.TILE_ROWS", 5)
        patch.setattr(f"{module}.TILE_LOCI", 8)
    path = tmp_path_factory.mktemp("dosages") / "d.h5"
    dense = np.random.default_rng(5).integers(-1, 3, (N_ROWS, N_LOCI)).astype(np.int8)
    inside = PackedDosages.pack(dense)
    with h5py.File(path, "w") as file:
        write_dosages(file, "genotypes", inside)
    yield dense, inside, StoredDosages(path, "genotypes", (N_ROWS, N_LOCI))
    patch.undo()


def pieces(size):
    indices = st.lists(st.integers(0, size - 1), max_size=2 * size).map(lambda found: np.array(found, dtype=int))
    slices = st.tuples(st.integers(0, size), st.integers(0, size)).map(lambda ends: slice(*sorted(ends)))
    masks = st.lists(st.booleans(), min_size=size, max_size=size).map(np.array)
    return st.none() | slices | indices | masks | st.just(slice(None, None, 3))


def of(dense, rows, loci):
    found = dense if rows is None else dense[rows]
    return found if loci is None else found[:, loci]


@given(matrices)
def test_packing_is_undone_and_follows_the_rule(dense):
    packed = PackedDosages.pack(dense)
    np.testing.assert_array_equal(packed.unpack(), dense)
    np.testing.assert_array_equal(packed_by_loci(np.ascontiguousarray(dense.T)).T, packed.bits)
    genotypes = packed.bits
    for i, j in np.ndindex(*dense.shape):
        code = (genotypes[i, j // 4] >> 2 * (j % 4)) & 3  # UNPACK_RULE, as the file says it
        assert (-1 if code == 3 else code) == dense[i, j]
    assert "(genotypes[i, j // 4] >> 2 * (j % 4)) & 3; 3 is missing" in UNPACK_RULE


@given(pieces(N_ROWS), pieces(N_LOCI))
def test_every_piece_is_that_of_the_matrix(three, rows, loci):
    dense, *both = three
    for packed in both:
        np.testing.assert_array_equal(packed.unpack(rows, loci), of(dense, rows, loci))


@given(pieces(N_ROWS).filter(lambda rows: rows is not None), pieces(N_LOCI), st.data())
def test_taken_rows_and_selected_loci_are_those_of_the_matrix(three, rows, loci, data):
    dense, *both = three
    some = dense[rows]
    again = np.array(data.draw(st.lists(st.integers(0, len(some) - 1), max_size=9)) if len(some) else [], dtype=int)
    for packed in both:
        taken = packed.take(rows)
        assert taken.shape == some.shape
        np.testing.assert_array_equal(taken.unpack(None, loci), of(some, None, loci))
        np.testing.assert_array_equal(taken.take(again).unpack(), some[again])
        if loci is not None:
            np.testing.assert_array_equal(taken.select(loci).unpack(), some[:, loci])
        assert b"".join(t.tobytes() for t in taken.tiles()) == b"".join(
            t.tobytes() for t in PackedDosages.pack(some).tiles()
        )


def test_counts(three):
    dense, *both = three
    expected = np.stack([(dense == value).sum(axis=0) for value in (0, 1, 2, -1)], axis=1)
    for packed in both:
        np.testing.assert_array_equal(packed.counts(), expected)


def test_padding_is_zero(three):
    assert three[1].bits[:, -1].max() < 4  # 45 loci: three unused dosages in the last byte


def test_stored_dosages_travel_to_another_process(three):
    dense, _, stored = three
    stored.unpack()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(stored)).unpack(), dense)


def test_unpacking_in_steps(monkeypatch):
    monkeypatch.setattr(dosages, "_LOOKED_UP", 4)
    dense = np.random.default_rng(1).integers(-1, 3, (9, 13)).astype(np.int8)
    np.testing.assert_array_equal(unpacked(PackedDosages.pack(dense).bits, 13), dense)
