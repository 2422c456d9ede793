"""Pruning by linkage disequilibrium: of loci that are correlated within a window, the rarer ones go.

The rule is that of PLINK 2's `--indep-pairwise`, and the loci that stay are the same ones. In every window, each locus
in turn is compared with those that follow it, as far as they have not been compared before. At the first r² above the
threshold one of the two goes: the one with the rarer minor allele, and the later one where they are equal. When a
whole turn removes nothing, the window moves on. Loci that do not vary go as well, except where they are alone in reach.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import ConfigError, DataError
from gpatlas.munge.planes import Planes


@dataclass(frozen=True)
class Window:
    """How far apart loci are compared.

    Parameters
    ----------
    size
        Loci, or kilobases where `kilobases`.
    step
        Loci that a window of loci moves on by; a window of kilobases moves on locus by locus.
    kilobases
        The unit of `size`.
    """

    size: float = 1000
    step: int = 50
    kilobases: bool = False

    def __post_init__(self) -> None:
        if self.size * (1000 if self.kilobases else 1) < 2:
            raise ConfigError(f"a window of {self} is too small; it must span at least two loci or 0.002 kb")
        if not self.kilobases and not 1 <= self.step <= self.size:
            raise ConfigError(f"a window of {self.size:g} loci moves on by {self.step}; allowed are 1 to {self.size:g}")

    def __str__(self) -> str:
        return f"{self.size:g} kb" if self.kilobases else f"{self.size:g} loci, step {self.step}"

    @classmethod
    def parse(cls, text: str, step: int) -> "Window":
        """Read "1000" (loci) or "250kb"."""
        number = text.strip().lower()
        kilobases = number.endswith("kb")
        try:
            size = float(number.removesuffix("kb"))
            if not np.isfinite(size) or (not kilobases and size != int(size)):
                raise ValueError
        except ValueError:
            raise ConfigError(f"'{text}' is no window; give loci, such as 1000, or kilobases, such as 250kb") from None
        return cls(size, step, kilobases)


def check_r2(r2: float) -> None:
    """Refuse a largest r² that would prune everything, nothing, or has no meaning.

    Raises
    ------
    ConfigError
        Below 0, or 1 and more.
    """
    if not 0 <= r2 < 1:
        raise ConfigError(f"the largest r² is {r2}, but must be at least 0 and below 1")


def prune(
    planes: Planes,
    counts: NDArray[np.int64],
    chromosome: NDArray,
    position: NDArray[np.float64],
    r2: float,
    window: Window,
    among: NDArray[np.bool_] | None = None,
) -> NDArray[np.bool_]:
    """Return which loci stay, bool `(n_loci,)`.

    Parameters
    ----------
    planes, counts
        Genotypes, and their counts by locus (`gpatlas.munge.quality.genotype_counts`).
    chromosome, position
        Where the loci lie, `(n_loci,)`; positions in base pairs. Loci are taken in this order within a chromosome.
    r2
        Largest squared correlation of dosages that two loci in a window may have.
    window
        How far apart they are compared.
    among
        Loci to look at; the others do not stay.

    Raises
    ------
    ConfigError, DataError
        A threshold outside [0, 1), or positions that are not finite where the window is one of kilobases.
    """
    from gpatlas.munge.kernels import TINY, prune_windows

    check_r2(r2)
    if window.kilobases and not np.isfinite(position).all():
        raise DataError(f"{(~np.isfinite(position)).sum()} loci have no position; prune by a number of loci instead")
    kept = np.ones(planes.n_loci, dtype=bool) if among is None else among.copy()
    _, code = np.unique(chromosome, return_inverse=True)
    order = np.lexsort((position, code))
    order = order[kept[order]]
    for part in np.split(order, np.flatnonzero(np.diff(code[order])) + 1):
        for loci in np.split(part, _gaps(position[part], window)):
            if len(loci) < 2:
                continue
            removed = np.zeros(len(loci), dtype=np.bool_)
            windows = _windows(position[loci], window)
            prune_windows(planes.words, counts, planes.n_samples, loci, windows, r2 * (1 + TINY), removed)
            kept[loci[removed]] = False
    return kept


def _gaps(position: NDArray[np.float64], window: Window) -> NDArray[np.intp]:
    """Return where no window of kilobases spans two neighbours."""
    if not window.kilobases:
        return np.empty(0, dtype=np.intp)
    return np.flatnonzero(np.diff(position) > _base_pairs(window)) + 1


def _windows(position: NDArray[np.float64], window: Window) -> NDArray[np.int64]:
    """Return (first, end) of every window over ascending loci of one chromosome."""
    if window.kilobases:
        from gpatlas.munge.kernels import windows_of_positions

        return windows_of_positions(position, _base_pairs(window))
    n, size = len(position), int(window.size)
    first = np.arange(0, max(1, n - size + window.step), window.step)
    return np.column_stack([first, np.minimum(first + size, n)])


def _base_pairs(window: Window) -> float:
    return float(int(window.size * 1000 * (1 + 2.0**-44)))
