"""LASSO paths over many subsets of the same samples, from one set of cross products.

For centred loci scaled to standard deviation 1 (both over the samples at hand) and a centred trait, a path minimises

    ½/n ‖y - Σ x_j b_j‖² + λ Σ |b_j|                              Tibshirani (1996) eq. 1, in its Lagrangian form

over a falling grid of λ. Cross-validation and subsampling solve it for many overlapping subsets. All that a subset
needs of the genotypes are sums over its samples, so the samples are cut into groups, X'X is formed once per group, and
a subset adds up its groups. A held-out group's squared error follows from its cross products, too:

    ‖y - Xb‖² = y'y - 2 b'X'y + b'X'X b

With many loci, only the columns of X'X that some path has needed are formed: a locus enters the working set when its
correlation with a residual comes near λ, and every solution is checked over all loci (Karush-Kuhn-Tucker; the working
set method of Friedman, Hastie & Tibshirani 2010, section 2.5), so that none is missed. The coordinate descent on the
working set is scikit-learn's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import lasso_path
from sklearn.utils._testing import ignore_warnings

from gpatlas.models.ridge import row_blocks

DENSE_LOCI = 2500  # up to here all of X'X is formed at once
TOLERANCE = 1e-4  # duality gap of a solution, relative to y'y (scikit-learn's `tol`)
_AHEAD = 2  # steps of λ that the working set looks ahead
_LEAST_GROWTH = 256  # loci that enter the working set at a time: every entry reads all genotypes once
_EXACT_IN_FLOAT32 = 1 << 24


class CrossProducts:
    """X'X, X'y and sums of groups of samples; columns of X'X are formed when asked for.

    Parameters
    ----------
    x
        `(n_samples, n_loci)`, integers or floats, nothing missing.
    y
        `(n_samples, n_traits)`, nothing missing.
    groups
        Indices of the samples of each group; disjoint.
    dense_loci
        All of X'X is formed at once for up to so many loci.
    """

    def __init__(
        self,
        x: NDArray,
        y: NDArray[np.float64],
        groups: Sequence[NDArray[np.intp]],
        dense_loci: int = DENSE_LOCI,
    ):
        self._parts = [np.ascontiguousarray(x[rows]) for rows in groups]
        ys = [y[rows] for rows in groups]
        self.n = np.array([len(rows) for rows in groups])
        top = max(1, int(np.abs(x).max(initial=0))) if x.dtype.kind in "iub" else np.inf
        exact = x.dtype.kind in "iub" and self.n.max() * top**2 < _EXACT_IN_FLOAT32
        self._type = np.float32 if exact else np.float64
        n_groups, n_loci, n_traits = len(groups), x.shape[1], y.shape[1]
        self.sum_x, self.squares = np.zeros((2, n_groups, n_loci))
        self.xy = np.zeros((n_groups, n_loci, n_traits))
        for g, rows, block in self._blocks(np.float64):
            self.sum_x[g] += block.sum(axis=0)
            self.squares[g] += np.einsum("ij,ij->j", block, block)
            self.xy[g] += block.T @ ys[g][rows]
        self.sum_y = np.array([part.sum(axis=0) for part in ys])
        self.yy = np.array([(part**2).sum(axis=0) for part in ys])
        self.loci = np.empty(0, dtype=np.intp)
        # rows of X'X, (n_groups, rows, n_loci) each, in the order of `loci`
        self._chunks: list[NDArray] = []
        if n_loci <= dense_loci:
            self.include(np.arange(n_loci))

    @property
    def n_loci(self) -> int:
        """Number of loci."""
        return self.sum_x.shape[1]

    @property
    def complete(self) -> bool:
        """Whether all of X'X is there."""
        return len(self.loci) == self.n_loci

    def include(self, loci: NDArray[np.intp]) -> None:
        """Form the rows of X'X of these loci, which must be new."""
        chunk = np.zeros((len(self.n), len(loci), self.n_loci), dtype=self._type)
        for g, _, block in self._blocks(self._type):
            chunk[g] += block[:, loci].T @ block
        self._chunks.append(chunk)
        self.loci = np.concatenate([self.loci, loci])

    def weighted(self, groups: Sequence[int], rows: NDArray[np.intp], weights: NDArray) -> NDArray[np.float64]:
        """Return Σ weights · rows of X'X over groups, `(n_loci,)`; `rows` are ascending positions in `loci`."""
        total, start = np.zeros(self.n_loci), 0
        weights = weights.astype(self._type)
        for chunk in self._chunks:
            first, last = np.searchsorted(rows, [start, start + chunk.shape[1]])
            for g in groups:
                total += weights[first:last] @ chunk[g, rows[first:last] - start]
            start += chunk.shape[1]
        return total

    def square(self, groups: Sequence[int], rows: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
        """Return X'X summed over groups among the included loci, or among those at some positions in `loci`."""
        rows = np.arange(len(self.loci)) if rows is None else rows
        columns, start, parts = self.loci[rows], 0, []
        for chunk in self._chunks:
            first, last = np.searchsorted(rows, [start, start + chunk.shape[1]])
            mine = (rows[first:last] - start)[:, None]
            parts.append(sum(chunk[g][mine, columns].astype(np.float64) for g in groups))
            start += chunk.shape[1]
        return np.concatenate(parts) if parts else np.empty((0, 0))

    def _blocks(self, kind: type) -> Iterator[tuple[int, slice, NDArray]]:
        for g, part in enumerate(self._parts):
            for rows in row_blocks(part):
                yield g, rows, part[rows].astype(kind, copy=False)


@dataclass
class LassoPath:
    """LASSO solutions of one trait over one subset of the samples, from large penalties to small.

    Parameters
    ----------
    products
        Cross products of all groups.
    trait
        Index of the trait.
    groups
        The groups that make up the subset.
    """

    products: CrossProducts
    trait: int
    groups: tuple[int, ...]

    def __post_init__(self) -> None:
        products, groups = self.products, list(self.groups)
        self.n = int(products.n[groups].sum())
        self.mean_x = products.sum_x[groups].sum(axis=0) / self.n
        self.mean_y = float(products.sum_y[groups, self.trait].sum() / self.n)
        self._yy = float(products.yy[groups, self.trait].sum() - self.n * self.mean_y**2)
        variance = products.squares[groups].sum(axis=0) / self.n - self.mean_x**2
        varies = variance > 1e-10 * np.maximum(self.mean_x**2, 1e-300)
        self.inverse_sd = np.where(varies, 1 / np.sqrt(np.where(varies, variance, 1.0)), 0.0)
        xy = products.xy[groups, :, self.trait].sum(axis=0) - self.n * self.mean_x * self.mean_y
        self.xy = xy * self.inverse_sd
        self.coefficients: list[tuple[NDArray[np.intp], NDArray[np.float64]]] = []  # of scaled loci, one per penalty
        self._now = np.zeros(0)
        self._gram = np.empty((0, 0))

    @property
    def largest_penalty(self) -> float:
        """The smallest λ at which every coefficient is zero."""
        return float(np.abs(self.xy).max(initial=0.0) / self.n)

    def solve(self, penalty: float) -> None:
        """Minimise over the working set, starting from the last solution."""
        loci = self.products.loci
        if len(self._gram) != len(loci):
            self._gram = self._standardised_gram()
            self._now = np.pad(self._now, (0, len(loci) - len(self._now)))
        with ignore_warnings(category=ConvergenceWarning):  # the check over all loci has the last word
            _, found, _ = lasso_path(
                np.broadcast_to(0.0, (self.n, len(loci))),  # only its shape is read
                self._trait_norm,
                alphas=[penalty],
                precompute=self._gram,
                Xy=self.xy[loci],
                coef_init=self._now,
                check_input=False,
                tol=TOLERANCE,
                max_iter=10_000,
            )
        self._now = found[:, 0]

    def keep(self) -> None:
        """Note the present solution as that of the next penalty of the grid."""
        active = np.flatnonzero(self._now)
        self.coefficients.append((self.products.loci[active], self._now[active]))

    def gradient(self) -> NDArray[np.float64]:
        """Return x_j'(y - Xb)/n of every locus `(n_loci,)`, from the present solution."""
        loci, products = self.products.loci, self.products
        active = np.flatnonzero(self._now)
        b = self._now[active] * self.inverse_sd[loci[active]]
        fitted = products.weighted(self.groups, active, b)
        fitted -= self.n * self.mean_x * (b @ self.mean_x[loci[active]])
        return (self.xy - fitted * self.inverse_sd) / self.n

    def squared_error(self, group: int) -> float:
        """Return the sum of squared errors of the present solution in a group that was held out."""
        products, loci = self.products, self.products.loci
        active = np.flatnonzero(self._now)
        chosen = loci[active]
        b = self._now[active] * self.inverse_sd[chosen]
        intercept = self.mean_y - b @ self.mean_x[chosen]
        xx = products.square([group], active)
        n, sum_y = products.n[group], products.sum_y[group, self.trait]
        quadratic = b @ xx @ b + n * intercept**2 + 2 * intercept * (b @ products.sum_x[group, chosen])
        return float(
            products.yy[group, self.trait]
            - 2 * (b @ products.xy[group, chosen, self.trait] + intercept * sum_y)
            + quadratic
        )

    @cached_property
    def _trait_norm(self) -> NDArray[np.float64]:
        """A vector of the trait's length: the solver reads nothing else of it."""
        vector = np.zeros(self.n)
        vector[0] = np.sqrt(max(self._yy, 0.0))
        return vector

    def _standardised_gram(self) -> NDArray[np.float64]:
        loci, products = self.products.loci, self.products
        gram = products.square(self.groups)
        gram -= self.n * np.outer(self.mean_x[loci], self.mean_x[loci])
        scale = self.inverse_sd[loci]
        gram *= scale[:, None]
        gram *= scale
        return gram


def advance(paths: Sequence[LassoPath], penalties: NDArray[np.float64], step: int) -> None:
    """Solve all paths at `penalties[step]`, growing the working set until no locus outside belongs into a solution."""
    products = paths[0].products
    penalty = float(penalties[step])
    ahead = float(penalties[min(step + _AHEAD, len(penalties) - 1)])
    if not len(products.loci):
        correlation = np.max([np.abs(path.xy) / path.n for path in paths], axis=0)
        products.include(_strongest(correlation, ahead, _LEAST_GROWTH))
    pending = list(paths)
    while True:
        for path in pending:
            path.solve(penalty)
        if products.complete:
            break
        outside = np.ones(products.n_loci, dtype=bool)
        outside[products.loci] = False
        correlation = np.zeros(products.n_loci)
        violated = []
        for path in pending:
            gradient = np.where(outside, np.abs(path.gradient()), 0.0)
            correlation = np.maximum(correlation, gradient)
            if (gradient > penalty * (1 + 1e-6)).any():
                violated.append(path)
        if not violated:
            break
        products.include(_strongest(correlation, ahead, _LEAST_GROWTH))
        pending = violated
    for path in paths:
        path.keep()


def _strongest(correlation: NDArray[np.float64], cutoff: float, least: int) -> NDArray[np.intp]:
    """Loci above a cutoff, and at least so many; a correlation of 0 marks those that are there already."""
    order = np.argsort(-correlation, kind="stable")
    count = max(int((correlation >= cutoff).sum()), least)
    order = order[: min(count, int((correlation > 0).sum()))]
    return np.sort(order)
