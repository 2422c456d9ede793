"""Products of pairs in int8, on a CPU with byte-multiplying vector units or on a GPU: exact, and several times faster.

The trait is rounded to whole multiples of a unit, at most 127 of them over the largest |dosage|. The statistic is
that of the rounded trait; what rounding adds to its variance is some 1e-4.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gpatlas.models.epistasis.panel import Panel
from gpatlas.models.epistasis.screen import held_stacks, locus_sums, moments_of
from gpatlas.models.epistasis.statistic import LocusSums, squared_correlations, tile_hits


class IntegerProducts:
    """Products in int8 with int32 sums (`torch._int_mm`).

    Parameters
    ----------
    panel
        Whole dosages.
    centred
        The trait, `(n_samples,)`, mean 0.
    device
        "cpu" or "cuda".
    """

    def __init__(self, panel: Panel, centred: NDArray[np.float64], device: str):
        if device == "cuda" and not torch.cuda.is_available():
            raise ValueError("engine cuda is not available here: torch sees no CUDA device")
        self.panel, self.device = panel, torch.device(device)
        self.on_tensors = device == "cuda"  # the statistic is computed where the products are
        self.unit = float(np.abs(centred).max()) / (127 // panel.largest) or 1.0
        whole = np.zeros(panel.width, dtype=np.int8)
        whole[: panel.n_samples] = np.rint(centred / self.unit)
        rounded: NDArray[np.float64] = whole[: panel.n_samples].astype(np.float64) * self.unit
        self.mean = float(rounded.mean())
        self.trait: NDArray[np.float64] = rounded - self.mean
        self.sums = locus_sums(panel, self.trait)
        self._weights = torch.from_numpy(whole).to(self.device)

    @contextmanager
    def side_by_side(self) -> Iterator[None]:
        """Let every thread multiply by itself; torch's number of threads is as before in the end."""
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def left(self, rows: slice) -> list[torch.Tensor | None]:
        """Stack A, A∘r and, unless dosages are 0 and 1, A², for every block of samples."""
        return held_stacks(self.panel, rows, self._stack, 1)

    def _values(self, loci: slice, block: slice) -> torch.Tensor:
        return torch.from_numpy(self.panel.padded(loci, block)).to(self.device)

    def _stack(self, rows: slice, block: slice) -> torch.Tensor:
        a = self._values(rows, block)
        parts = [a, a * self._weights[block]]
        return torch.cat(parts if self.panel.two_valued else [*parts, a * a])

    def hits(
        self, left: list[torch.Tensor | None], rows: slice, columns: slice, rr: float, least: float, cut: float
    ) -> tuple[NDArray, NDArray, NDArray]:
        """Multiply a tile and test its pairs."""
        height = rows.stop - rows.start
        once: Any = 0
        twice: Any = None if self.panel.two_valued else 0
        for held, block in zip(left, self.panel.sample_blocks(), strict=True):
            stack = self._stack(rows, block) if held is None else held
            b = self._values(columns, block)
            once = once + _product(stack, b)
            if twice is not None:
                b = b * b
                twice = twice + torch.cat([_product(stack[:height], b), _product(stack[2 * height :], b)])
        on_diagonal = rows.start == columns.start
        first, second = self.sums[rows], self.sums[columns]
        n = self.panel.n_samples
        if not self.on_tensors:
            whole = moments_of(once.numpy(), None if twice is None else twice.numpy(), height, self.unit, self.mean)
            return tile_hits(whole, first, second, n, rr, least, cut, on_diagonal)
        m = moments_of(once.double(), None if twice is None else twice.double(), height, self.unit, self.mean)
        squares = squared_correlations(m, self._on_device(first, 1), self._on_device(second, 0), n, rr, least)
        if on_diagonal:
            squares = squares.triu(1)
        i, j = torch.nonzero(squares.abs() > cut, as_tuple=True)
        return i.cpu().numpy(), j.cpu().numpy(), squares[i, j].cpu().numpy()

    def _on_device(self, sums: LocusSums, axis: int) -> LocusSums:
        def shaped(values: NDArray) -> Any:
            return torch.from_numpy(values).to(self.device).unsqueeze(axis)

        return LocusSums(shaped(sums.total), shaped(sums.square), shaped(sums.trait))


def _product(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Return ab' in int32; a GPU's int8 units want more than 16 rows, a multiple of 8 columns."""
    rows, columns = len(a), len(b)
    if a.is_cuda and (rows <= 16 or columns % 8):
        a = torch.nn.functional.pad(a, (0, 0, 0, max(0, 17 - rows)))
        b = torch.nn.functional.pad(b, (0, 0, 0, -columns % 8))
        return torch._int_mm(a, b.T)[:rows, :columns]
    return torch._int_mm(a, b.T)
