"""`StoredBits`: packed genotypes that stay in their file and are read some rows at a time."""

from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import StoreError
from gpatlas.packed import Bits, n_bytes


class StoredBits(Bits):
    """Packed genotypes in a dataset file.

    The file stays open from the first reading on, so that replacing it (files of ours are replaced, never changed)
    does not mix two populations. Reading ahead is left to the operating system: at a million samples by 6 326 loci
    reading takes half a second of a fit of minutes.

    Parameters
    ----------
    path, name
        File, and the dataset in it: uint8 `(n_rows, ceil(n_loci / 8))` in chunks of whole rows.
    shape
        `(n_rows, n_loci)`.
    """

    def __init__(self, path: Path, name: str, shape: tuple[int, int]):
        self.path, self.name, self._shape = path, name, shape

    @property
    def shape(self) -> tuple[int, int]:
        """`(n_rows, n_loci)`."""
        return self._shape

    @cached_property
    def _stored(self) -> h5py.Dataset:
        return h5py.File(self.path, "r")[self.name]

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if key != "_stored"}  # an open file is of one process

    def packed(self, rows: slice | NDArray | None = None) -> NDArray[np.uint8]:
        """Return the packed bytes of some rows; every chunk of the file that holds one of them is read once.

        Raises
        ------
        StoreError
            The file has gone or is damaged.
        """
        try:
            if rows is None or isinstance(rows, slice):
                return self._stored[slice(None) if rows is None else rows]
            return self._gather(np.arange(len(self))[rows] if rows.dtype == bool else rows)
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be read as HDF5 ({' '.join(str(error).split())})") from None

    def _gather(self, rows: NDArray) -> NDArray[np.uint8]:
        """Read rows by their indices, in any order and as often as asked for."""
        found = np.empty((len(rows), n_bytes(self.shape[1])), dtype=np.uint8)
        height = self._stored.chunks[0]
        order = np.argsort(rows, kind="stable")
        chunk = rows[order] // height
        for part in np.split(order, np.flatnonzero(np.diff(chunk)) + 1) if len(rows) else []:
            first, last = rows[part[0]], rows[part[-1]]
            found[part] = self._stored[first : last + 1][rows[part] - first]
        return found
