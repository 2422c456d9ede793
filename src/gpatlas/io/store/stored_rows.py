"""Packed genotypes that stay in their file: what bits and dosages have in common."""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import StoreError


class StoredRows:
    """An uint8 dataset of a dataset file, in chunks or tiles, that is read some rows at a time.

    The file stays open from the first reading on, so that replacing it (files of ours are replaced, never changed)
    does not mix two populations. Reading ahead is left to the operating system: at a million samples by 6 326 loci
    reading takes half a second of a fit of minutes.

    Parameters
    ----------
    path, name
        File, and the dataset in it: uint8, a row for each sample.
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

    def _read(self, rows: slice | NDArray | None, columns: slice = slice(None)) -> NDArray[np.uint8]:
        """Read some rows, a slice or indices or a mask, and some bytes of each; every chunk is read once.

        Raises
        ------
        StoreError
            The file has gone or is damaged.
        """
        try:
            if rows is None or isinstance(rows, slice):
                return self._stored[slice(None) if rows is None else rows, columns]
            return self._read_chunks(np.arange(self._shape[0])[rows], columns)
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be read as HDF5 ({' '.join(str(error).split())})") from None

    def _read_chunks(self, rows: NDArray, columns: slice) -> NDArray[np.uint8]:
        """Read rows by their indices, in any order and as often as asked for."""
        width = len(range(*columns.indices(self._stored.shape[1])))
        found = np.empty((len(rows), width), dtype=np.uint8)
        for part in self._by_chunk(rows):
            first, last = rows[part[0]], rows[part[-1]]
            found[part] = self._stored[first : last + 1, columns][rows[part] - first]
        return found

    def _by_chunk(self, rows: NDArray) -> Iterator[NDArray[np.intp]]:
        """Yield places in `rows` whose rows lie in one chunk, ascending."""
        order = np.argsort(rows, kind="stable")
        chunk = rows[order] // self._stored.chunks[0]
        yield from np.split(order, np.flatnonzero(np.diff(chunk)) + 1) if len(rows) else ()
