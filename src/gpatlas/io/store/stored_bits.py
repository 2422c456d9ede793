"""`StoredBits`: packed genotypes that stay in their file and are read some rows at a time."""

import numpy as np
from numpy.typing import NDArray

from gpatlas.io.store.stored_rows import StoredRows
from gpatlas.packed import Bits


class StoredBits(StoredRows, Bits):
    """Packed genotypes in a dataset file: uint8 `(n_rows, ceil(n_loci / 8))` in chunks of whole rows."""

    def packed(self, rows: slice | NDArray | None = None) -> NDArray[np.uint8]:
        """Return the packed bytes of some rows; every chunk of the file that holds one of them is read once.

        Raises
        ------
        StoreError
            The file has gone or is damaged.
        """
        return self._read(rows)
