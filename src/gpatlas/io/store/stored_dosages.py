"""`StoredDosages`: dosages in two bits that stay in their file, in tiles: some rows, or some loci, cost little."""

from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import StoreError
from gpatlas.packed import Dosages
from gpatlas.packed.dosages import TILE_LOCI, TILE_ROWS, Rows, n_dosage_bytes

ENCODING = "packed_dosages"
UNPACK_RULE = "dosage[i, j] = (genotypes[i, j // 4] >> 2 * (j % 4)) & 3; 3 is missing"


class StoredDosages(Dosages):
    """Packed dosages in a dataset file; it stays open from the first reading on, as with `StoredBits`.

    Parameters
    ----------
    path, name
        File, and the dataset in it: uint8 `(n_rows, ceil(n_loci / 4))` in tiles.
    shape
        `(n_rows, n_loci)`.
    """

    def __init__(self, path: Path, name: str, shape: tuple[int, int]):
        self.path, self.name, self._shape = path, name, shape

    @classmethod
    def within(cls, stored: h5py.Dataset) -> "StoredDosages":
        """Return the dosages of a file that is being written."""
        found = cls(Path(stored.file.filename), stored.name, (len(stored), int(stored.attrs["n_loci"])))
        found.__dict__["_stored"] = stored
        return found

    @property
    def shape(self) -> tuple[int, int]:
        """`(n_rows, n_loci)`."""
        return self._shape

    @cached_property
    def _stored(self) -> h5py.Dataset:
        return h5py.File(self.path, "r")[self.name]

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if key != "_stored"}  # an open file is of one process

    def packed(self, rows: Rows = None, columns: slice = slice(None)) -> NDArray[np.uint8]:
        """Return the packed bytes of some rows; every tile of the file that holds one of them is read once.

        Raises
        ------
        StoreError
            The file has gone or is damaged.
        """
        try:
            if rows is None or isinstance(rows, slice):
                return self._stored[slice(None) if rows is None else rows, columns]
            return self._gather_rows(np.arange(len(self))[rows], columns)
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be read as HDF5 ({' '.join(str(error).split())})") from None

    def _gather_rows(self, rows: NDArray, columns: slice) -> NDArray[np.uint8]:
        """Read rows by their indices, in any order and as often as asked for."""
        width = len(range(*columns.indices(n_dosage_bytes(self.shape[1]))))
        found = np.empty((len(rows), width), dtype=np.uint8)
        order = np.argsort(rows, kind="stable")
        tile = rows[order] // TILE_ROWS
        for part in np.split(order, np.flatnonzero(np.diff(tile)) + 1) if len(rows) else []:
            first, last = rows[part[0]], rows[part[-1]]
            found[part] = self._stored[first : last + 1, columns][rows[part] - first]
        return found


def create_dosages(file: h5py.File, name: str, n_rows: int, n_loci: int | None) -> h5py.Dataset:
    """Make room for packed dosages in a file; `fill_dosages` fills it, and it grows where `n_loci` is not known."""
    width = TILE_LOCI // 4 if n_loci is None else n_dosage_bytes(n_loci)
    tile = (max(1, min(n_rows, TILE_ROWS)), max(1, min(width, TILE_LOCI // 4)))
    stored = file.create_dataset(
        name,
        shape=(n_rows, 0 if n_loci is None else width),
        maxshape=(n_rows, None if n_loci is None else width),
        dtype=np.uint8,
        chunks=tile,
    )
    stored.attrs["encoding"] = ENCODING
    stored.attrs["unpack"] = UNPACK_RULE
    stored.attrs["n_loci"] = n_loci or 0
    return stored


def write_dosages(file: h5py.File, name: str, dosages: Dosages) -> None:
    """Write packed dosages a tile at a time, as they need not lie in memory."""
    stored = create_dosages(file, name, *dosages.shape)
    for loci in dosages.blocks_of_loci():
        columns = slice(loci.start // 4, n_dosage_bytes(loci.stop))
        for rows in dosages.blocks():
            stored[rows, columns] = dosages.packed(rows, columns)
