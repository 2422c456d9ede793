"""Dosages 0, 1 and 2 in two bits each: four loci in a byte, samples first, lowest bits first; 3 is a missing call.

    code[i, j] = (genotypes[i, j // 4] >> 2 * (j % 4)) & 3

Two bits make 2 504 samples by a million loci 0.6 GB instead of 2.5 GB, in memory and on disk. `Dosages` is whatever can
be read a few samples or a few loci at a time: `PackedDosages` in memory, those of `gpatlas.io.store` on disk, and
`SelectedDosages`, some rows of one of them. Who takes `Dosages` must not ask where they lie.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.encoding import MISSING

MISSING_CODE = 3
TILE_ROWS, TILE_LOCI = 256, 4096  # what is read, counted and hashed at once, and a tile of the file: 256 KB packed

# a byte's four dosages as int8, looked up as one word of four bytes
_QUARTETS = ((np.arange(256)[:, None] >> np.arange(0, 8, 2)) & 3).astype(np.int8)
_QUARTETS[_QUARTETS == MISSING_CODE] = MISSING
_WORDS = _QUARTETS.view(np.uint32).ravel()
_LOOKED_UP = 1 << 17  # bytes looked up at once: their words stay in a core's second-level cache

Rows = slice | NDArray | None


class Dosages(ABC):
    """Dosages `(n_rows, n_loci)` of a ploidy of one or two, with missing calls, that can be read piece by piece."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """`(n_rows, n_loci)`."""

    @abstractmethod
    def packed(self, rows: Rows = None, columns: slice = slice(None)) -> NDArray[np.uint8]:
        """Return packed bytes `(n_rows, n_columns)` of some rows (all by default), in the order asked for.

        `columns` is a range of bytes, four loci each, with both ends given or none. Padding bits are zero.
        """

    def __len__(self) -> int:
        return self.shape[0]

    def unpack(self, rows: Rows = None, loci: Rows = None) -> NDArray[np.int8]:
        """Return dosage, int8 with -1 for missing, of some rows and some loci (all by default), in the order asked."""
        n_loci = self.shape[1]
        if loci is None:
            return unpacked(self.packed(rows), n_loci)
        if isinstance(loci, slice) and loci.step in (None, 1):
            start, stop, _ = loci.indices(n_loci)
            first = start // 4
            codes = self.packed(rows, slice(first, max(first, n_dosage_bytes(stop))))
            return unpacked(codes, max(start, stop) - 4 * first)[:, start - 4 * first :]
        return self._gather(rows, np.arange(n_loci)[loci])

    def _gather(self, rows: Rows, loci: NDArray) -> NDArray[np.int8]:
        """Read loci by their indices, in any order; every block of the loci that holds one of them is read once."""
        order = np.argsort(loci, kind="stable")
        block = loci[order] // TILE_LOCI
        n_rows = len(self) if rows is None else len(np.arange(len(self))[rows])
        found = np.empty((n_rows, len(loci)), dtype=np.int8)
        for part in np.split(order, np.flatnonzero(np.diff(block)) + 1) if len(loci) else []:
            first, last = loci[part[0]] // 4, loci[part[-1]] // 4
            codes = self.packed(rows, slice(int(first), int(last) + 1))
            shift = (2 * (loci[part] % 4)).astype(np.uint8)
            here = (codes[:, loci[part] // 4 - first] >> shift) & np.uint8(3)
            found[:, part] = _QUARTETS[:4, 0][here]
        return found

    def take(self, rows: NDArray) -> "Dosages":
        """Return some of the rows as dosages again; nothing is read or copied."""
        return SelectedDosages(self, np.arange(len(self))[rows])

    def select(self, loci: NDArray) -> "PackedDosages":
        """Return some of the loci, in the order asked for, in memory."""
        loci = np.arange(self.shape[1])[loci]
        bits = np.empty((len(self), n_dosage_bytes(len(loci))), dtype=np.uint8)
        for start in range(0, len(self), TILE_ROWS):
            rows = slice(start, min(start + TILE_ROWS, len(self)))
            bits[rows] = PackedDosages.pack(self.unpack(rows, loci)).bits
        return PackedDosages(bits, len(loci))

    def blocks(self) -> Iterator[slice]:
        """Yield consecutive slices of rows that lie together on disk."""
        for start in range(0, len(self), TILE_ROWS):
            yield slice(start, min(start + TILE_ROWS, len(self)))

    def blocks_of_loci(self) -> Iterator[slice]:
        """Yield consecutive slices of loci that lie together on disk."""
        for start in range(0, self.shape[1], TILE_LOCI):
            yield slice(start, min(start + TILE_LOCI, self.shape[1]))

    def tiles(self) -> Iterator[NDArray[np.uint8]]:
        """Yield packed bytes, block of loci by block of loci and row by row within it: the order of hashing."""
        for loci in self.blocks_of_loci():
            columns = slice(loci.start // 4, n_dosage_bytes(loci.stop))
            for rows in self.blocks():
                yield self.packed(rows, columns)

    def counts(self) -> NDArray[np.int64]:
        """Return how many samples have dosage 0, 1, 2 and a missing call at each locus, `(n_loci, 4)`."""
        total = np.zeros((self.shape[1], 4), dtype=np.int64)
        for loci in self.blocks_of_loci():
            for rows in self.blocks():
                dosage = self.unpack(rows, loci)
                for code, value in enumerate((0, 1, 2, MISSING)):
                    total[loci, code] += np.count_nonzero(dosage == value, axis=0)
        return total


@dataclass(frozen=True)
class PackedDosages(Dosages):
    """Dosages in memory.

    Parameters
    ----------
    bits
        uint8 `(n_rows, ceil(n_loci / 4))`; the padding bits of the last byte are zero.
    n_loci
        Number of columns that the bits stand for.
    """

    bits: NDArray[np.uint8]
    n_loci: int

    def __post_init__(self) -> None:
        assert self.bits.dtype == np.uint8
        assert self.bits.shape[1] == n_dosage_bytes(self.n_loci)

    @property
    def shape(self) -> tuple[int, int]:
        """`(n_rows, n_loci)`."""
        return self.bits.shape[0], self.n_loci

    @classmethod
    def pack(cls, dosage: NDArray) -> "PackedDosages":
        """Pack int8 dosage `(n_rows, n_loci)`, whose values are 0, 1, 2 and -1."""
        n_rows, n_loci = dosage.shape
        codes = np.zeros((n_rows, 4 * n_dosage_bytes(n_loci)), dtype=np.uint8)
        codes[:, :n_loci] = dosage.astype(np.int8, copy=False).view(np.uint8) & 3  # -1 ends in the bits of 3
        return cls(_four_in_a_byte(codes[:, 0::4], codes[:, 1::4], codes[:, 2::4], codes[:, 3::4]), n_loci)

    def packed(self, rows: Rows = None, columns: slice = slice(None)) -> NDArray[np.uint8]:
        """Return the packed bytes of some rows; a view where they are a slice."""
        return self.bits[:, columns] if rows is None else self.bits[rows, columns]


@dataclass(frozen=True)
class SelectedDosages(Dosages):
    """Some rows of other dosages, such as a training fold; they are looked up when they are read.

    Parameters
    ----------
    source
        Where the rows lie.
    rows
        Their indices `(n_rows,)`; ascending ones are read fastest from disk.
    """

    source: Dosages
    rows: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, int]:
        """`(n_rows, n_loci)`."""
        return len(self.rows), self.source.shape[1]

    def packed(self, rows: Rows = None, columns: slice = slice(None)) -> NDArray[np.uint8]:
        """Return the packed bytes of some of the selected rows."""
        return self.source.packed(self.rows if rows is None else self.rows[rows], columns)

    def take(self, rows: NDArray) -> Dosages:
        """Return some of the selected rows, looked up in the same source."""
        return SelectedDosages(self.source, self.rows[rows])


def n_dosage_bytes(n_loci: int) -> int:
    """Bytes that one packed row of `n_loci` dosages takes."""
    return (n_loci + 3) // 4


def packed_by_loci(dosage: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Pack dosage that comes locus by locus, `(n_loci, n_samples)`, to bytes `(ceil(n_loci / 4), n_samples)`.

    They are the packed bytes of `Dosages`, transposed.
    """
    codes = dosage.view(np.uint8) & 3
    if short := -len(codes) % 4:
        codes = np.concatenate([codes, np.zeros((short, codes.shape[1]), dtype=np.uint8)])
    return _four_in_a_byte(codes[0::4], codes[1::4], codes[2::4], codes[3::4])


def unpacked(codes: NDArray[np.uint8], n_loci: int) -> NDArray[np.int8]:
    """Return the dosages, int8 with -1 for missing, of packed bytes, the first `n_loci` of every row."""
    words = np.empty(codes.shape, dtype=np.uint32)
    step = max(1, _LOOKED_UP // max(1, codes.shape[1]))
    for start in range(0, len(codes), step):
        words[start : start + step] = _WORDS[codes[start : start + step]]
    return words.view(np.int8)[:, :n_loci]


def _four_in_a_byte(a: NDArray, b: NDArray, c: NDArray, d: NDArray) -> NDArray[np.uint8]:
    return a | (b << np.uint8(2)) | (c << np.uint8(4)) | (d << np.uint8(6))
