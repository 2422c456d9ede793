"""The statistic of a pair: the test of the product of two loci given both main effects.

For loci a, b (dosages), their product w = ab and a trait r, everything centred, with C the sums of cross-products and
Δ = C_aa C_bb - C_ab² the determinant of the main effects,

    D  = C_ww - (C_wa² C_bb - 2 C_wa C_wb C_ab + C_wb² C_aa) / Δ         what main effects leave of the product
    N  = C_wr - (C_wa (C_ar C_bb - C_br C_ab) + C_wb (C_br C_aa - C_ar C_ab)) / Δ
    R  = C_rr - (C_ar² C_bb - 2 C_ar C_br C_ab + C_br² C_aa) / Δ         what they leave of the trait
    ρ² = N² / (D R),   t² = ρ² (n - 4) / (1 - ρ²)

so that t is Student's of the product's coefficient in the regression of r on 1, a, b, ab (Frisch, Waugh & Lovell;
PLINK 1.9's `--epistasis` for a quantitative trait), and ρ²(n - 3) the score test. Sums of products of dosages are
exact integers; all that is left is arithmetic on nine numbers, here multiplied by Δ so that one division remains.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.models.epistasis.kernels import compiled, is_compiling, write_hits

_COLLINEAR = 1e-8


@dataclass(frozen=True)
class LocusSums:
    """Sums over samples of loci, float64 `(n_loci,)`: total, centred square, and centred product with the trait."""

    total: NDArray[np.float64]
    square: NDArray[np.float64]
    trait: NDArray[np.float64]

    def __getitem__(self, loci: slice) -> "LocusSums":
        return LocusSums(self.total[loci], self.square[loci], self.trait[loci])


@dataclass(frozen=True)
class Moments:
    """Sums over samples of products of the loci of a tile, each `(n_rows, n_columns)`; a in rows, b in columns.

    `ab`, `aab`, `abb`, `aabb` of dosages (one array four times where dosages are 0 or 1), and `abr` with the trait,
    whose unit is `unit` and whose mean, in trait units, is `trait_mean` (int8 products want whole numbers).
    """

    ab: Any
    aab: Any
    abb: Any
    aabb: Any
    abr: Any
    unit: float = 1.0
    trait_mean: float = 0.0


def squared_correlations(m: Moments, a: Any, b: Any, n: int, trait_square: float, least: float) -> Any:
    """Return N |N| / (D R), the signed square of the partial correlation, of every pair of a tile.

    Parameters
    ----------
    m
        Sums of the tile, NumPy arrays or torch tensors.
    a, b
        `LocusSums` of its rows, shaped `(n_rows, 1)`, and of its columns `(1, n_columns)`.
    n
        Samples.
    trait_square
        Sum of squares of the centred trait.
    least
        Pairs with D below it are not tested (0 is returned): too few samples carry the rarest combination.

    Returns
    -------
    array of shape (n_rows, n_columns)
    """
    ab = m.ab - a.total * b.total / n
    ww = m.aabb - m.ab * m.ab / n
    wa = m.aab - m.ab * (a.total / n)
    wb = m.abb - m.ab * (b.total / n)
    wr = m.abr * m.unit - m.ab * m.trait_mean
    main = a.square * b.square - ab * ab
    product = ww * main - (wa * wa * b.square - 2 * wa * wb * ab + wb * wb * a.square)
    joint = wr * main - (wa * (a.trait * b.square - b.trait * ab) + wb * (b.trait * a.square - a.trait * ab))
    rest = trait_square * main - (a.trait**2 * b.square - 2 * a.trait * b.trait * ab + b.trait**2 * a.square)
    tested = (main > _COLLINEAR * a.square * b.square) & (product > _COLLINEAR * ww * main) & (rest > 0)
    tested = tested & (product > least * main)
    scale = product * rest * tested + (~tested)
    return tested * joint * abs(joint) / scale


def tile_hits(
    m: Moments,
    a: LocusSums,
    b: LocusSums,
    n: int,
    trait_square: float,
    least: float,
    cut: float,
    on_diagonal: bool,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
    """Return rows, columns and signed squared partial correlations of the pairs of a tile beyond `cut`.

    A tile on the diagonal counts pairs above it only.
    """
    if is_compiling():
        size = m.ab.size
        first, second = np.empty(size, np.int32), np.empty(size, np.int32)
        value = np.empty(size)
        found = compiled(write_hits)(
            *(m.ab, m.aab, m.abb, m.aabb, m.abr),
            *(a.total, a.square, a.trait, b.total, b.square, b.trait),
            *(m.unit, m.trait_mean, n, trait_square, least, cut, first, second, value, on_diagonal),
        )
        return first[:found].astype(np.intp), second[:found].astype(np.intp), value[:found].copy()
    rows = LocusSums(a.total[:, None], a.square[:, None], a.trait[:, None])
    ab, aab, abb, aabb, abr = (np.asarray(v, dtype=np.float64) for v in (m.ab, m.aab, m.abb, m.aabb, m.abr))
    whole = Moments(ab, aab, abb, aabb, abr, m.unit, m.trait_mean)
    squares = squared_correlations(whole, rows, b, n, trait_square, least)
    beyond = np.abs(squares) > cut
    if on_diagonal:
        beyond &= np.triu(np.ones_like(beyond), 1)
    i, j = np.nonzero(beyond)
    return i, j, squares[i, j]
