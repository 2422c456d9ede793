"""Screening all pairs of loci: matrix products of blocks of loci, and the test of every pair in them.

For a tile of loci a (rows) and b (columns) the five sums of products that the statistic takes are entries of matrix
products: AB', A²B', AB²', A²B²' and (A∘r)B'; with dosages 0 and 1 the first four are one. In int8 they are exact for
dosages, and the trait is rounded to 255 levels; hits are tested again, exactly, by who asks for them.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gpatlas.models.epistasis.panel import Panel
from gpatlas.models.epistasis.statistic import LocusSums, Moments, tile_hits
from gpatlas.models.pairs import n_pairs

Engine = Literal["auto", "float32", "int8", "cuda"]
Progress = Callable[[int, int], None]
TILE = 512
STACKS_HELD = 1 << 29  # bytes, beyond which the rows of a tile are prepared anew for every tile
WORTH_INT8 = 3e10  # multiplications, below which float32 is done before torch is imported


@dataclass(frozen=True)
class Hits:
    """Pairs beyond a cut-off, the strongest first: `pairs` `(n_hits, 2)`, first locus < second, and their t."""

    pairs: NDArray[np.intp]
    t: NDArray[np.float64]


def screen(
    panel: Panel,
    trait: NDArray[np.float64],
    cut: float,
    *,
    n_covariates: int = 3,
    least: float = 0.0,
    limit: int | None = None,
    engine: Engine = "auto",
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> Hits:
    """Test the product of every pair of loci, given both main effects.

    Parameters
    ----------
    panel
        Genotypes.
    trait
        `(n_samples,)`, the phenotype, or what a model has left of it.
    cut
        Pairs with |t| above it are returned; 0 returns all.
    n_covariates
        Columns of the model that the trait is the residual of, the mean and both main effects among them. A product
        is taken to have lost as large a share of its variance to the others as a random column would.
    least
        Pairs whose product keeps less variance (summed over samples, squared dosage units) are not tested.
    limit
        Return no more than so many, the strongest.
    engine
        "float32", "int8" (torch), "cuda", or "auto": int8 where dosages are whole and the screen is large.
    n_jobs
        Threads; None is 1, -1 all cores.
    progress
        Called with (pairs done, pairs in all).
    """
    n, p = panel.n_samples, panel.n_loci
    centred = trait - trait.mean()
    rest = (n - n_covariates) / (n - 3)
    squared = cut**2 / (cut**2 + n - n_covariates - 1) * rest
    products = make_products(panel, centred, engine)
    found = _Found(squared, limit)
    found.add(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0))
    rows = [slice(start, min(start + TILE, p)) for start in range(0, p, TILE)]
    rr = float(products.trait @ products.trait)
    done = 0

    def screen_row(k: int) -> None:
        nonlocal done
        first = rows[k]
        left = products.left(first)
        for second in rows[k:]:
            hits = products.hits(left, first, second, rr, least, found.cut)
            found.add(hits[0] + first.start, hits[1] + second.start, hits[2])
        if progress is not None:
            with found.lock:
                width = first.stop - first.start
                done += width * (width - 1) // 2 + width * (p - first.stop)
                progress(done, n_pairs(p))

    jobs = (os.cpu_count() or 1) if n_jobs == -1 else (n_jobs or 1)
    if jobs == 1:
        for k in range(len(rows)):
            screen_row(k)
    else:
        with products.side_by_side(), ThreadPoolExecutor(jobs) as pool:
            list(pool.map(screen_row, range(len(rows))))
    i, j, square = found.strongest()
    share = np.minimum(np.abs(square) / rest, 1 - 1e-12)
    t = np.sign(square) * np.sqrt(share * (n - n_covariates - 1) / (1 - share))
    return Hits(np.column_stack([i, j]), t)


class _Found:
    """Hits of all threads; with a limit, the weakest are dropped as better ones come, and the cut-off rises."""

    def __init__(self, cut: float, limit: int | None):
        self.cut, self.limit, self.lock = cut, limit, Lock()
        self._parts: list[tuple[NDArray, NDArray, NDArray]] = []
        self._size = 0

    def add(self, i: NDArray[np.intp], j: NDArray[np.intp], square: NDArray[np.float64]) -> None:
        with self.lock:
            self._parts.append((i, j, square))
            self._size += len(i)
            if self.limit is not None and self._size > 2 * self.limit + 10_000:
                kept = self.strongest()
                self._parts, self._size = [kept], len(kept[0])
                self.cut = max(self.cut, float(np.abs(kept[2][-1])))

    def strongest(self) -> tuple[NDArray, NDArray, NDArray]:
        """Return hits by falling strength; ties by locus, so that the order of threads does not show."""
        i, j, square = (np.concatenate(column) for column in zip(*self._parts, strict=True))
        order = np.lexsort((j, i, -np.abs(square)))[: self.limit]
        return i[order], j[order], square[order]


class Products(Protocol):
    """Sums of products of tiles; `trait` is the trait as the products see it, centred."""

    trait: NDArray[np.float64]

    def side_by_side(self) -> AbstractContextManager[Any]:
        """Return a context in which threads that multiply tiles side by side do not share their work further."""

    def left(self, rows: slice) -> Any:
        """Prepare the loci of a tile's rows."""

    def hits(
        self, left: Any, rows: slice, columns: slice, rr: float, least: float, cut: float
    ) -> tuple[NDArray, NDArray, NDArray]:
        """Return rows, columns and signed squared partial correlations of pairs beyond a cut-off."""


def make_products(panel: Panel, centred: NDArray[np.float64], engine: Engine) -> Products:
    """Choose how products are computed.

    Raises
    ------
    ValueError
        int8 where dosages are not whole (or above 11), or a GPU that is not there.
    """
    if engine == "auto":
        work = 2.5 * panel.n_loci**2 * panel.n_samples
        engine = "int8" if panel.exact and work > WORTH_INT8 else "float32"
    if engine == "float32":
        return FloatProducts(panel, centred)
    if not panel.exact:
        raise ValueError(f"engine {engine} needs whole dosages from 0 to 11, none missing; use engine float32")
    from gpatlas.models.epistasis.integers import IntegerProducts

    return IntegerProducts(panel, centred, "cuda" if engine == "cuda" else "cpu")


class FloatProducts:
    """Products in float32 by NumPy: the portable engine. Sums of dosages are exact, those with the trait rounded."""

    def __init__(self, panel: Panel, centred: NDArray[np.float64]):
        self.panel, self.trait = panel, centred
        self._weights = np.zeros(panel.width, dtype=np.float32)
        self._weights[: panel.n_samples] = centred
        self.sums = locus_sums(panel, centred)

    def side_by_side(self) -> AbstractContextManager[Any]:
        """Keep the linear algebra library to one thread in each of ours."""
        return threadpool_limits(1)

    def left(self, rows: slice) -> list[NDArray[np.float32] | None]:
        """Stack A, A∘r and, unless dosages are 0 and 1, A², for every block of samples."""
        return held_stacks(self.panel, rows, self._stack, 4)

    def _stack(self, rows: slice, block: slice) -> NDArray[np.float32]:
        a = self.panel.padded(rows, block).astype(np.float32)
        parts = [a, a * self._weights[block]]
        return np.concatenate(parts if self.panel.two_valued else [*parts, a * a])

    def hits(
        self, left: list[NDArray | None], rows: slice, columns: slice, rr: float, least: float, cut: float
    ) -> tuple[NDArray, NDArray, NDArray]:
        """Multiply a tile and test its pairs."""
        height, width = rows.stop - rows.start, columns.stop - columns.start
        two_valued = self.panel.two_valued
        once = np.zeros(((2 if two_valued else 3) * height, width))
        twice = None if two_valued else np.zeros((2 * height, width))
        for held, block in zip(left, self.panel.sample_blocks(), strict=True):
            stack = self._stack(rows, block) if held is None else held
            b = self.panel.padded(columns, block).astype(np.float32)
            once += stack @ b.T
            if twice is not None:
                b *= b  # rows of A and A²: the middle third, A∘r, is left out
                twice[:height] += stack[:height] @ b.T
                twice[height:] += stack[2 * height :] @ b.T
        m = moments_of(once, twice, height)
        return tile_hits(
            m, self.sums[rows], self.sums[columns], self.panel.n_samples, rr, least, cut, rows.start == columns.start
        )


def held_stacks(panel: Panel, rows: slice, stack: Callable[[slice, slice], Any], item_bytes: int) -> list[Any]:
    """Return the stacks of a row of tiles for every block of samples, or None each where they would take too much."""
    size = 3.0 * (rows.stop - rows.start) * panel.width * item_bytes
    return [stack(rows, block) if size <= STACKS_HELD else None for block in panel.sample_blocks()]


def moments_of(
    once: NDArray, twice: NDArray | None, height: int, unit: float = 1.0, trait_mean: float = 0.0
) -> Moments:
    """Name the parts of [A; A∘r; A²]B' and [A; A²]B²'."""
    ab, abr = once[:height], once[height : 2 * height]
    if twice is None:
        return Moments(ab, ab, ab, ab, abr, unit, trait_mean)
    return Moments(ab, once[2 * height :], twice[:height], twice[height:], abr, unit, trait_mean)


def locus_sums(panel: Panel, centred: NDArray[np.float64]) -> LocusSums:
    """Sums of each locus over samples."""
    n, p = panel.n_samples, panel.n_loci
    total, square, trait = np.zeros((3, p))
    for loci in panel.locus_blocks():
        a = panel.dosage(loci).astype(np.float32)
        total[loci] = a.sum(axis=1, dtype=np.float64)
        square[loci] = np.einsum("ij,ij->i", a, a, dtype=np.float64) - total[loci] ** 2 / n
        trait[loci] = a.astype(np.float64) @ centred
    return LocusSums(total, square, trait)
