"""A 0/1 matrix stored as bits: eight loci in a byte, samples first, least significant bit first.

    value[i, j] = (bits[i, j // 8] >> (j % 8)) & 1

Bit-packing makes a million samples by 6 326 loci 0.8 GB instead of 6.3 GB, in memory and on disk. `Bits` is whatever
can be read a few rows at a time: `PackedBits` in memory, those of `gpatlas.io.store` on disk, and `SelectedBits`, some
rows of one of them. Who takes `Bits` must not ask where they lie.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 1 << 22  # a block's unpacked size: large enough to amortise a call, small enough for a cache


class Bits(ABC):
    """A 0/1 matrix `(n_rows, n_loci)` that can be read row by row."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """`(n_rows, n_loci)`."""

    @abstractmethod
    def packed(self, rows: slice | NDArray | None = None) -> NDArray[np.uint8]:
        """Return the packed bytes `(n_rows, ceil(n_loci / 8))` of some rows (all by default), in the order asked for.

        The padding bits of the last byte are zero.
        """

    def __len__(self) -> int:
        return self.shape[0]

    def unpack(self, rows: slice | NDArray | None = None, loci: NDArray | None = None) -> NDArray[np.uint8]:
        """Return the dense 0/1 uint8 matrix of some rows and some loci (all of them by default)."""
        bits = self.packed(rows)
        if loci is None:
            return np.unpackbits(bits, axis=1, count=self.shape[1], bitorder="little")
        loci = np.asarray(loci)
        return (bits[:, loci >> 3] >> (loci & 7).astype(np.uint8)) & np.uint8(1)

    def take(self, rows: NDArray) -> "Bits":
        """Return some of the rows as bits again; nothing is read or copied."""
        return SelectedBits(self, np.asarray(rows, dtype=np.intp))

    def blocks(self, rows_per_block: int | None = None) -> Iterator[slice]:
        """Yield consecutive row slices whose unpacked size is near `BLOCK_BYTES` (or of a given height)."""
        step = rows_per_block or max(1, BLOCK_BYTES // max(1, self.shape[1]))
        for start in range(0, len(self), step):
            yield slice(start, min(start + step, len(self)))

    def count_ones(self) -> NDArray[np.int64]:
        """Return the number of ones in each column, shape `(n_loci,)`."""
        total = np.zeros(self.shape[1], dtype=np.int64)
        for rows in self.blocks():
            total += self.unpack(rows).sum(axis=0, dtype=np.int64)
        return total


@dataclass(frozen=True)
class PackedBits(Bits):
    """Bits in memory.

    Parameters
    ----------
    bits
        uint8 `(n_rows, ceil(n_loci / 8))`; the padding bits of the last byte are zero.
    n_loci
        Number of columns that the bits stand for.
    """

    bits: NDArray[np.uint8]
    n_loci: int

    def __post_init__(self) -> None:
        assert self.bits.dtype == np.uint8
        assert self.bits.shape[1] == n_bytes(self.n_loci)
        # compiled kernels copy stretches of rows; packing a transposed matrix gives columns that lie together
        object.__setattr__(self, "bits", np.ascontiguousarray(self.bits))

    @property
    def shape(self) -> tuple[int, int]:
        """`(n_rows, n_loci)`."""
        return self.bits.shape[0], self.n_loci

    @classmethod
    def pack(cls, values: NDArray) -> "PackedBits":
        """Pack a dense 0/1 matrix `(n_rows, n_loci)`."""
        return cls(np.packbits(values.astype(np.uint8, copy=False), axis=1, bitorder="little"), values.shape[1])

    def packed(self, rows: slice | NDArray | None = None) -> NDArray[np.uint8]:
        """Return the packed bytes of some rows; a view where they are a slice."""
        return self.bits if rows is None else self.bits[rows]


@dataclass(frozen=True)
class SelectedBits(Bits):
    """Some rows of other bits, such as a training fold; they are looked up when they are read.

    Parameters
    ----------
    source
        Where the rows lie.
    rows
        Their indices `(n_rows,)`; ascending ones are read fastest from disk.
    """

    source: Bits
    rows: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, int]:
        """`(n_rows, n_loci)`."""
        return len(self.rows), self.source.shape[1]

    def packed(self, rows: slice | NDArray | None = None) -> NDArray[np.uint8]:
        """Return the packed bytes of some of the selected rows."""
        return self.source.packed(self.rows if rows is None else self.rows[rows])

    def take(self, rows: NDArray) -> Bits:
        """Return some of the selected rows, looked up in the same source."""
        return SelectedBits(self.source, self.rows[rows])


def n_bytes(n_loci: int) -> int:
    """Bytes that one packed row of `n_loci` bits takes."""
    return (n_loci + 7) // 8


def random_bits(n_rows: int, n_loci: int, rng: np.random.Generator) -> PackedBits:
    """Draw independent Bernoulli(1/2) bits `(n_rows, n_loci)`, straight from the generator's bytes."""
    width = n_bytes(n_loci)
    bits = np.frombuffer(bytearray(rng.bytes(n_rows * width)), dtype=np.uint8).reshape(n_rows, width)
    if n_loci % 8:
        bits[:, -1] &= np.uint8((1 << (n_loci % 8)) - 1)
    return PackedBits(bits, n_loci)
