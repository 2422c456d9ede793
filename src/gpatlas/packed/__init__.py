"""Genotypes in one bit or two: in memory, on disk, or some rows of either, and products with them."""

from gpatlas.packed.bits import Bits, PackedBits, SelectedBits, n_bytes, random_bits
from gpatlas.packed.dosages import Dosages, PackedDosages, SelectedDosages

__all__ = [
    "Bits",
    "Dosages",
    "PackedBits",
    "PackedDosages",
    "SelectedBits",
    "SelectedDosages",
    "n_bytes",
    "random_bits",
]
