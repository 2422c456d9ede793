"""Which loci to keep: by cross-validated LASSO, or by stability selection, which bounds the false ones.

Stability selection (Meinshausen & Bühlmann 2010) fits the LASSO to many random halves of the samples and keeps what
most halves keep. In its complementary-pairs form (Shah & Samworth 2013, Theorem 2: unimodal selection proportions)

    E[false loci] ≤ C(τ, B) q² / p
    C = 1 / (2 (2τ - 1 - 1/(2B)))  for τ ≤ 3/4,     C = 4 (1 - τ + 1/(2B)) / (1 + 1/B)  above

with B pairs of halves, q loci kept in each half at most, and those kept that are in a share τ of the 2B halves; for
θ = q/p ≤ 1/√3, τ ≥ 1/2 + 1/B and, where τ ≤ 3/4, τ > min(1/2 + θ², 1/2 + 1/(2B) + 3θ²/4). Here the bound is the user's
and q follows.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gpatlas.models.lasso_path import CrossProducts, LassoPath, advance
from gpatlas.models.ridge import centre_traits

Rule = Literal["min", "1se"]
_GRID_SIZE, _GRID_END = 100, 1e-3


@dataclass(frozen=True)
class LassoFit:
    """Cross-validated LASSO of several traits.

    Parameters
    ----------
    effects
        `(n_loci, n_traits)`, per copy of allele "1", in trait units; exactly 0 where a locus is not kept.
    intercept
        `(n_traits,)`.
    penalty
        `(n_traits,)`, λ for loci of standard deviation 1, in trait units.
    strength
        `(n_loci, n_traits)`, |effect| of a standard deviation of the locus, in standard deviations of the trait.
    """

    effects: NDArray[np.float64]
    intercept: NDArray[np.float64]
    penalty: NDArray[np.float64]
    strength: NDArray[np.float64]


def cross_validated_lasso(
    x: NDArray,
    y: NDArray[np.float64],
    n_folds: int,
    n_penalties: int = _GRID_SIZE,
    smallest: float = _GRID_END,
    rule: Rule = "min",
    seed: int = 0,
    l1_ratio: float = 1.0,
) -> LassoFit:
    """Fit the LASSO at the penalty that cross-validation chooses, trait by trait.

    Parameters
    ----------
    x, y
        `(n_samples, n_loci)` and `(n_samples, n_traits)`, nothing missing.
    n_folds
        Random folds; loci and traits are standardised within the training part of each.
    n_penalties, smallest
        The grid: from the penalty at which no locus is left down to `smallest` times that, evenly on a log scale. It
        is gone down until the error has risen by a standard error above its minimum.
    rule
        "min" takes the least error, "1se" the largest penalty within one standard error of it.
    seed
        Of the folds.
    l1_ratio
        Share of the absolute values in an elastic net's penalty; 1 is the LASSO.
    """
    fold = np.random.default_rng(seed).permutation(len(x)) % n_folds
    shift = x.mean(axis=0) if x.dtype.kind == "f" else np.zeros(x.shape[1])
    # features that are no dosage may be far from 0, and their cross products would lose digits
    y, offset = centre_traits(y)
    products = CrossProducts(x - shift if shift.any() else x, y, [np.flatnonzero(fold == f) for f in range(n_folds)])
    everything = tuple(range(n_folds))
    effects, strength = np.zeros((2, x.shape[1], y.shape[1]))
    intercept, penalties = np.zeros((2, y.shape[1]))
    for trait in range(y.shape[1]):
        whole = LassoPath(products, trait, everything, l1_ratio)
        parts = [LassoPath(products, trait, everything[:f] + everything[f + 1 :], l1_ratio) for f in everything]
        grid = np.geomspace(1, smallest, n_penalties) * whole.largest_penalty
        best = _go_down([*parts, whole], grid, rule)
        loci, scaled = whole.coefficients[best]
        effects[loci, trait] = scaled * whole.inverse_sd[loci]
        intercept[trait] = offset[trait] + whole.mean_y - effects[:, trait] @ (whole.mean_x + shift)
        penalties[trait] = grid[best]
        strength[loci, trait] = np.abs(scaled) / y[:, trait].std() if len(loci) else 0.0
    return LassoFit(effects, intercept, penalties, strength)


def _go_down(paths: list[LassoPath], grid: NDArray[np.float64], rule: Rule) -> int:
    """Solve along the grid; the last path is that of all samples. Returns the index of the chosen penalty."""
    folds = paths[:-1]
    errors: list[list[float]] = []
    for step in range(len(grid)):
        advance(paths, grid, step)
        errors.append([path.squared_error(f) / max(path.products.n[f], 1) for f, path in enumerate(folds)])
        mean = np.mean(errors, axis=1)
        best = int(mean.argmin())
        limit = mean[best] + np.std(errors[best], ddof=1) / np.sqrt(len(folds))
        if mean[-1] > limit or grid[0] == 0:
            break
    return int(np.flatnonzero(mean <= limit)[0]) if rule == "1se" else best


def stability_selection(
    x: NDArray,
    y: NDArray[np.float64],
    max_false: float,
    threshold: float,
    n_pairs: int,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return how often each locus was kept, `(n_loci, n_traits)`, and 0 for loci below the threshold.

    Parameters
    ----------
    x, y
        `(n_samples, n_loci)` and `(n_samples, n_traits)`, nothing missing.
    max_false
        Bound on the expected number of false loci of a trait.
    threshold
        τ, the share of halves in which a locus must be kept.
    n_pairs
        B, pairs of complementary halves.
    seed
        Of the halves.

    Raises
    ------
    ValueError
        See `kept_per_half`.
    """
    allowed = kept_per_half(x.shape[1], max_false, threshold, n_pairs)
    y, _ = centre_traits(y)
    rng = np.random.default_rng(seed)
    count = np.zeros((x.shape[1], y.shape[1]))
    centred = x - x.mean(axis=0) if x.dtype.kind == "f" else x
    for _ in range(n_pairs):
        order, half = rng.permutation(len(x)), len(x) // 2
        halves = [np.sort(order[:half]), np.sort(order[half : 2 * half])]
        products = CrossProducts(centred, y, halves, dense_loci=0)
        for trait in range(y.shape[1]):
            for side in range(2):
                count[_first_loci(LassoPath(products, trait, (side,)), allowed), trait] += 1
    frequency = count / (2 * n_pairs)
    return np.where(frequency >= threshold - 1e-9, frequency, 0.0)


def least_threshold(n_pairs: int) -> float:
    """Return the smallest τ for which the bound holds."""
    return 0.5 + 1 / n_pairs


def kept_per_half(n_loci: int, max_false: float, threshold: float, n_pairs: int) -> int:
    """Return q, the most loci that may be kept in a half so that the bound on false ones holds.

    Raises
    ------
    ValueError
        The bound is too low for even one.
    """
    tie = 1 / (2 * n_pairs)
    if threshold <= 0.75:
        factor = 1 / (2 * (2 * threshold - 1 - tie))
        share = np.sqrt(max(threshold - 0.5, 4 / 3 * (threshold - 0.5 - tie))) * (1 - 1e-9)
    else:
        factor, share = 4 * (1 - threshold + tie) / (1 + 1 / n_pairs), 1.0
    most = max(1.0, n_loci * min(share, 1 / np.sqrt(3)))
    kept = int(min(np.sqrt(max_false * n_loci / factor), most))
    if not kept:
        raise ValueError(
            f"max_false {max_false:g} cannot be had among {n_loci} loci with threshold {threshold:g}; "
            f"the least is {factor / n_loci:.3g}"
        )
    return kept


def _first_loci(path: LassoPath, allowed: int) -> NDArray[np.intp]:
    """Loci of the last solution on a path that keeps no more than allowed."""
    kept = np.empty(0, dtype=np.intp)
    grid = np.geomspace(1, _GRID_END, _GRID_SIZE) * path.largest_penalty
    for step in range(len(grid) if grid[0] > 0 else 0):
        advance([path], grid, step)
        loci, _ = path.coefficients[-1]
        if len(loci) > allowed:
            break
        kept = loci
    return kept


def strongest(strength: NDArray[np.float64], limit: int | None, joint: bool) -> NDArray[np.bool_]:
    """Return which loci are kept, `(n_loci, n_traits)`: those of positive strength, the strongest ones at most.

    Parameters
    ----------
    strength
        `(n_loci, n_traits)`.
    limit
        Number of loci at most, per trait or, if joint, for all; None keeps all.
    joint
        Whether a locus kept for one trait is kept for all; its strength is then its largest.
    """
    chosen = strength.max(axis=1, keepdims=True) if joint else strength
    kept = chosen > 0
    if limit is not None:
        rank = np.argsort(np.argsort(-chosen, axis=0, kind="stable"), axis=0, kind="stable")
        kept &= rank < limit
    return np.broadcast_to(kept, strength.shape).copy()
