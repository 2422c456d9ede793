"""Matrices of bits: in memory, on disk, or some rows of either, and products with them."""

from gpatlas.packed.bits import Bits, PackedBits, SelectedBits, n_bytes, random_bits

__all__ = ["Bits", "PackedBits", "SelectedBits", "n_bytes", "random_bits"]
