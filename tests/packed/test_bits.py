"""Bit-packing: what goes in comes out, for any shape."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gpatlas.packed import PackedBits, n_bytes, random_bits

matrices = st.tuples(st.integers(1, 40), st.integers(1, 40)).flatmap(
    lambda shape: arrays(np.uint8, shape, elements=st.integers(0, 1))
)


@given(matrices)
def test_unpacking_inverts_packing(values):
    packed = PackedBits.pack(values)
    assert packed.shape == values.shape
    assert packed.bits.shape[1] == n_bytes(values.shape[1])
    np.testing.assert_array_equal(packed.unpack(), values)
    np.testing.assert_array_equal(packed.count_ones(), values.sum(axis=0))


@given(matrices, st.data())
def test_rows_and_loci_can_be_chosen(values, data):
    rows = np.array(data.draw(st.lists(st.integers(0, len(values) - 1), max_size=8)), dtype=int)
    loci = np.array(data.draw(st.lists(st.integers(0, values.shape[1] - 1), max_size=8)), dtype=int)
    np.testing.assert_array_equal(PackedBits.pack(values).unpack(rows, loci), values[rows][:, loci])


@given(matrices)
def test_the_stated_rule_reads_one_value(values):
    bits = PackedBits.pack(values).bits
    i, j = len(values) - 1, values.shape[1] - 1
    assert (bits[i, j // 8] >> (j % 8)) & 1 == values[i, j]


def test_blocks_cover_all_rows_once():
    packed = PackedBits.pack(np.zeros((10, 3), dtype=np.uint8))
    covered = np.concatenate([np.arange(10)[rows] for rows in packed.blocks(rows_per_block=4)])
    np.testing.assert_array_equal(covered, np.arange(10))


@settings(max_examples=20)
@given(st.integers(1, 30))
def test_random_bits_leave_padding_zero(n_loci):
    packed = random_bits(50, n_loci, np.random.default_rng(1))
    np.testing.assert_array_equal(PackedBits.pack(packed.unpack()).bits, packed.bits)


def test_random_bits_are_fair():
    ones = random_bits(4000, 50, np.random.default_rng(2)).count_ones()
    assert abs(ones.mean() / 4000 - 0.5) < 4 * 0.5 / np.sqrt(4000 * 50)


def test_rows_lie_together_however_the_matrix_lay():
    values = np.asfortranarray(np.random.default_rng(1).integers(0, 2, (6, 40), dtype=np.uint8))
    packed = PackedBits.pack(values)
    assert packed.bits.flags.c_contiguous
    np.testing.assert_array_equal(packed.unpack(), values)
