"""Copies of stretches of packed rows, against NumPy's slices."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gpatlas.packed import PackedBits
from gpatlas.packed.copying import copy_bits


@given(st.integers(1, 70), st.data())
def test_a_stretch_is_copied_and_nothing_else(n_loci, data):
    start, stop = sorted(data.draw(st.tuples(st.integers(0, n_loci), st.integers(0, n_loci))))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    source, target = rng.integers(0, 2, (2, 3, n_loci), dtype=np.uint8)
    packed = PackedBits.pack(target)
    copy_bits(PackedBits.pack(source).bits, 2, packed.bits, 1, start, stop)
    target[1, start:stop] = source[2, start:stop]
    np.testing.assert_array_equal(packed.bits, PackedBits.pack(target).bits)
