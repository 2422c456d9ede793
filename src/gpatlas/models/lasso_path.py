"""LASSO paths over many subsets of the same samples, from one set of cross products.

For centred loci scaled to standard deviation 1 (both over the samples at hand) and a centred trait, a path minimises

    ½/n ‖y - Σ x_j b_j‖² + λ Σ |b_j|                              Tibshirani (1996) eq. 1, in its Lagrangian form

over a falling grid of λ; or, as an elastic net, with ½ λ (1/α - 1) Σ b_j² added, which keeps loci together that say the
same (Zou & Hastie 2005; α is scikit-learn's `l1_ratio`, and λ its `alpha` times that). Cross-validation and
subsampling solve it for many overlapping subsets. All that a subset needs of the genotypes are sums over its samples,
so the samples are cut into groups, X'X is formed once per group, and a subset adds up its groups. A held-out group's
squared error follows from its cross products, too:

    ‖y - Xb‖² = y'y - 2 b'X'y + b'X'X b

With many loci, X'X is formed only among those that some path has needed: a locus enters the working set when its
correlation with a residual comes near λ, and every solution is checked over all loci (Karush-Kuhn-Tucker; the working
set method of Friedman, Hastie & Tibshirani 2010, section 2.5), so that none is missed. The coordinate descent on the
working set is scikit-learn's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import enet_path

from gpatlas.models.products import row_blocks

DENSE_LOCI = 2500  # up to here all of X'X is formed at once
TOLERANCE = 1e-4  # duality gap of a solution, relative to y'y (scikit-learn's `tol`)
_AHEAD = 2  # steps of λ that the working set looks ahead
_LEAST_GROWTH = 256  # loci that enter the working set at a time: every entry reads all genotypes once
_SLACK = 1e-4  # of λ, that a correlation may exceed it by: sums of products in float32
_EXACT_IN_FLOAT32 = 1 << 24


class CrossProducts:
    """X'X, X'y and sums of groups of samples; X'X among the loci that were asked for.

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
        self.n = np.array([len(rows) for rows in groups])
        self.n_loci = x.shape[1]
        top = max(1, int(np.abs(x).max(initial=0))) if x.dtype.kind in "iub" else np.inf
        exact = self.n.max() * top**2 < _EXACT_IN_FLOAT32
        self._x = [x[rows].astype(np.float32 if exact else np.float64) for rows in groups]
        self.y = [y[rows] for rows in groups]
        self.sum_x, self.squares = np.zeros((2, len(groups), self.n_loci))
        self.xy = np.zeros((len(groups), self.n_loci, y.shape[1]))
        for g, part in enumerate(self._x):
            for rows in row_blocks(part):
                block = part[rows].astype(np.float64, copy=False)
                self.sum_x[g] += block.sum(axis=0)
                self.squares[g] += np.einsum("ij,ij->j", block, block)
                self.xy[g] += block.T @ self.y[g][rows]
        self.sum_y = np.array([part.sum(axis=0) for part in self.y])
        self.yy = np.array([(part**2).sum(axis=0) for part in self.y])
        self.loci = np.empty(0, dtype=np.intp)  # the working set, in the order of entry
        self._columns: list[NDArray] = [part[:, :0] for part in self._x]
        self._xx: list[NDArray] = [part[:0, :0] for part in self._x]
        self._sum_xx = np.empty((0, 0))
        if self.n_loci <= dense_loci:
            self.include(np.arange(self.n_loci))

    @property
    def complete(self) -> bool:
        """Whether all loci are in the working set."""
        return len(self.loci) == self.n_loci

    def include(self, loci: NDArray[np.intp]) -> None:
        """Take loci into the working set, which must be new to it."""
        before, after = len(self.loci), len(self.loci) + len(loci)
        for g, part in enumerate(self._x):
            new = part[:, loci]
            self._columns[g] = np.concatenate([self._columns[g], new], axis=1)
            grown = np.empty((after, after), dtype=part.dtype)
            grown[:before, :before] = self._xx[g]
            grown[before:] = new.T @ self._columns[g]
            grown[:before, before:] = grown[before:, :before].T
            self._xx[g] = grown
        self._sum_xx = np.zeros((after, after))
        for squares in self._xx:
            self._sum_xx += squares
        self.loci = np.concatenate([self.loci, loci])

    def xx(self, groups: Sequence[int]) -> NDArray[np.float64]:
        """X'X of the working set over some groups, `(len(loci), len(loci))`."""
        left_out = [g for g in range(len(self.n)) if g not in groups]
        total = self._sum_xx.copy()
        for g in left_out:
            total -= self._xx[g].astype(np.float64)
        return total

    def xx_among(self, group: int, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """X'X of a group among some of the working set, given by their positions in it."""
        return self._xx[group][np.ix_(rows, rows)].astype(np.float64)

    def correlations(self, paths: "Sequence[LassoPath]") -> NDArray[np.float64]:
        """Return x_j'(y - Xb) of every locus, from the present solutions, `(n_paths, n_loci)`."""
        total = np.zeros((self.n_loci, len(paths)))
        slopes = np.column_stack([path.slopes for path in paths])
        intercepts = [path.intercept for path in paths]
        for g, part in enumerate(self._x):
            residual = np.column_stack([self.y[g][:, path.trait] for path in paths])
            residual -= self._columns[g] @ slopes.astype(part.dtype) + intercepts
            residual *= [g in path.groups for path in paths]
            total += (part.T @ residual.astype(part.dtype)).astype(np.float64)
        return total.T


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
    l1_ratio
        α of the module's head; 1 is the LASSO.
    """

    products: CrossProducts
    trait: int
    groups: tuple[int, ...]
    l1_ratio: float = 1.0

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
        _, found, _ = enet_path(
            np.broadcast_to(0.0, (self.n, len(loci))),  # only its shape is read
            self._trait_norm,
            l1_ratio=self.l1_ratio,
            alphas=[penalty / self.l1_ratio],
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

    @property
    def slopes(self) -> NDArray[np.float64]:
        """Effects per unit of x at the present solution, of the working set as it was solved."""
        return self._now * self.inverse_sd[self.products.loci[: len(self._now)]]

    @property
    def intercept(self) -> float:
        """Prediction at x = 0, at the present solution."""
        return float(self.mean_y - self.slopes @ self.mean_x[self.products.loci[: len(self._now)]])

    def squared_error(self, group: int) -> float:
        """Return the sum of squared errors of the present solution in a group that was held out."""
        products, active = self.products, np.flatnonzero(self._now)
        loci, b, intercept = products.loci[active], self.slopes[active], self.intercept
        n, sum_y = products.n[group], products.sum_y[group, self.trait]
        fitted = b @ products.xx_among(group, active) @ b + 2 * intercept * (b @ products.sum_x[group, loci])
        return float(
            products.yy[group, self.trait]
            - 2 * (b @ products.xy[group, loci, self.trait] + intercept * sum_y)
            + fitted
            + n * intercept**2
        )

    @cached_property
    def _trait_norm(self) -> NDArray[np.float64]:
        """A vector of the trait's length: the solver reads nothing else of it."""
        vector = np.zeros(self.n)
        vector[0] = np.sqrt(max(self._yy, 0.0))
        return vector

    def _standardised_gram(self) -> NDArray[np.float64]:
        loci, products = self.products.loci, self.products
        gram = products.xx(self.groups)
        gram -= (self.n * self.mean_x[loci])[:, None] * self.mean_x[loci]
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
        found = np.abs(products.correlations(pending)) / np.array([[path.n] for path in pending])
        found *= [path.inverse_sd for path in pending]
        found[:, products.loci] = 0.0
        violated = [path for path, own in zip(pending, found, strict=True) if own.max() > penalty * (1 + _SLACK)]
        if not violated:
            break
        products.include(_strongest(found.max(axis=0), ahead, _LEAST_GROWTH))
        pending = violated
    for path in paths:
        path.keep()


def _strongest(correlation: NDArray[np.float64], cutoff: float, least: int) -> NDArray[np.intp]:
    """Loci above a cutoff, and at least so many; a correlation of 0 marks those that are there already."""
    order = np.argsort(-correlation, kind="stable")
    count = max(int((correlation >= cutoff).sum()), least)
    order = order[: min(count, int((correlation > 0).sum()))]
    return np.sort(order)
