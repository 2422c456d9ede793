"""`StoredDosages`: dosages in two bits that stay in their file, in tiles: some rows, or some loci, cost little."""

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from gpatlas.io.store.stored_rows import StoredRows
from gpatlas.packed import Dosages
from gpatlas.packed.dosages import TILE_LOCI, TILE_ROWS, Rows, n_dosage_bytes

ENCODING = "packed_dosages"
UNPACK_RULE = "dosage[i, j] = (genotypes[i, j // 4] >> 2 * (j % 4)) & 3; 3 is missing"


class StoredDosages(StoredRows, Dosages):
    """Packed dosages in a dataset file: uint8 `(n_rows, ceil(n_loci / 4))` in tiles."""

    @classmethod
    def within(cls, stored: h5py.Dataset) -> "StoredDosages":
        """Return the dosages of a file that is being written."""
        found = cls(Path(stored.file.filename), stored.name, (len(stored), int(stored.attrs["n_loci"])))
        found.__dict__["_stored"] = stored
        return found

    def packed(self, rows: Rows = None, columns: slice = slice(None)) -> NDArray[np.uint8]:
        """Return the packed bytes of some rows; every tile of the file that holds one of them is read once.

        Raises
        ------
        StoreError
            The file has gone or is damaged.
        """
        return self._read(rows, columns)


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
