"""Samples on the device: bits are what bytes are."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from gpatlas.packed import PackedBits
from gpatlas.train.rows import DeviceRows

CPU = torch.device("cpu")


@given(n=st.integers(1, 40), n_loci=st.integers(1, 40), seed=st.integers(0, 99))
def test_bits_are_what_bytes_are(n, n_loci, seed):
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(rng.integers(0, 2, (n, n_loci)).astype(np.int8))
    packed, rows = DeviceRows(x, CPU, pack_from=0), torch.from_numpy(rng.integers(0, n, 5))
    assert packed.packed
    assert torch.equal(packed.take(rows), x[rows])
    np.testing.assert_array_equal(packed.values.numpy(), PackedBits.pack(x.numpy()).bits)


def test_what_is_not_bits_stays_as_it_is():
    for x in (torch.tensor([[0, 2]], dtype=torch.int8), torch.tensor([[-1, 1]], dtype=torch.int8), torch.ones(1, 2)):
        rows = DeviceRows(x, CPU, pack_from=0)
        assert not rows.packed
        assert torch.equal(rows.take(torch.tensor([0])), x)
