"""Windows of neighbouring markers: which marker lies in which window, and which windows attend to each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Windows:
    """The windows of a panel; none crosses from one chromosome to another.

    Parameters
    ----------
    number
        Chromosomes of the markers as numbers, `(n_loci,)`, ascending.
    size
        Markers of a window, at most; a chromosome's windows are as even as can be.
    flank
        Markers beyond each end of a window that it is shown, too.
    """

    number: NDArray[np.int64]
    size: int
    flank: int

    @cached_property
    def bounds(self) -> NDArray[np.int64]:
        """First marker of each window, the marker after its last, and its chromosome, `(n_windows, 3)`."""
        rows = []
        for start, end in _runs(self.number):
            cuts = np.linspace(start, end, -(-(end - start) // self.size) + 1).round().astype(np.int64)
            rows += [(a, b, self.number[start]) for a, b in pairwise(cuts)]
        return np.array(rows, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.bounds)

    @cached_property
    def shown(self) -> NDArray[np.int64]:
        """Markers that each window is shown, `(n_windows, size + 2 flank)`; n_loci where there is none."""
        first, last, chromosome = self.bounds.T
        at = first[:, None] + np.arange(-self.flank, self.size + self.flank)
        beyond = (at < 0) | (at >= (last + self.flank)[:, None]) | (at >= len(self.number))
        at[beyond] = 0
        beyond |= self.number[at] != chromosome[:, None]
        return np.where(beyond, len(self.number), at)

    @cached_property
    def slot(self) -> NDArray[np.int64]:
        """Place of every marker in a table of windows × size, read row by row, `(n_loci,)`."""
        window = np.repeat(np.arange(len(self)), np.diff(self.bounds[:, :2], axis=1).ravel())
        return window * self.size + np.arange(len(self.number)) - self.bounds[window, 0]

    def blocks(self, most: int, shifted: bool = False) -> NDArray[np.int64]:
        """Group the windows of each chromosome into even blocks of neighbours.

        Parameters
        ----------
        most
            Windows of a block, at most.
        shifted
            Whether blocks begin in the middle of those that are not shifted, where a chromosome has several.

        Returns
        -------
        ndarray of shape (n_blocks, windows of the largest)
            -1 where a block has fewer windows.
        """
        rows = []
        for start, end in _runs(self.bounds[:, 2]):
            n_blocks = -(-(end - start) // most)
            cuts = np.linspace(start, end, n_blocks + 1).round().astype(np.int64)
            if shifted and n_blocks > 1:
                cuts = np.unique(np.concatenate([cuts[:1], (cuts[:-1] + cuts[1:]) // 2, cuts[-1:]]))
            rows += [np.arange(a, b) for a, b in pairwise(cuts)]
        size = max(map(len, rows))
        return np.stack([np.append(row, np.full(size - len(row), -1)) for row in rows])


def _runs(values: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield where each run of equal values starts and ends."""
    return pairwise([0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)])
