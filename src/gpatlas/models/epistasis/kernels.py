"""Loops that numba compiles: the test of a tile's pairs, and a visit to every effect. Plain Python where it is absent.

Compiled when first called (and kept on disk), so that models which never come here import no numba.
"""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np


def is_compiling() -> bool:
    """Whether numba is there."""
    return find_spec("numba") is not None


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function compiled, or itself."""
    if not is_compiling():
        return function
    from numba import njit

    made: Callable[..., Any] = njit(nogil=True, cache=True, error_model="numpy")(function)
    return made


def write_hits(
    ab: Any, aab: Any, abb: Any, aabb: Any, abr: Any, a_total: Any, a_square: Any, a_trait: Any, b_total: Any,
    b_square: Any, b_trait: Any, unit: float, trait_mean: float, n: int, rr: float, least: float, cut: float,
    first: Any, second: Any, value: Any, triangle: bool,
) -> int:  # fmt: skip
    """Write the pairs of a tile beyond `cut` to `first`, `second`, `value`; return how many. See `statistic`."""
    found = 0
    width = ab.shape[1]
    row = np.empty(width)
    for i in range(ab.shape[0]):
        at, aa, ar = a_total[i], a_square[i], a_trait[i]
        for j in range(width):
            s = float(ab[i, j])
            c = s - at * b_total[j] / n
            ww = aabb[i, j] - s * s / n
            wa = aab[i, j] - s * at / n
            wb = abb[i, j] - s * b_total[j] / n
            bb, br = b_square[j], b_trait[j]
            main = aa * bb - c * c
            product = ww * main - (wa * wa * bb - 2.0 * wa * wb * c + wb * wb * aa)
            joint = (abr[i, j] * unit - s * trait_mean) * main - (wa * (ar * bb - br * c) + wb * (br * aa - ar * c))
            rest = rr * main - (ar * ar * bb - 2.0 * ar * br * c + br * br * aa)
            tested = (main > 1e-8 * aa * bb) & (product > 1e-8 * ww * main) & (rest > 0.0) & (product > least * main)
            row[j] = joint * abs(joint) / (product * rest) if tested else 0.0
        for j in range(i + 1 if triangle else 0, width):
            if abs(row[j]) > cut:
                first[found], second[found], value[found] = i, j, row[j]
                found += 1
    return found


def visit_effects(
    features: Any, residual: Any, squares: Any, mean: Any, inclusion: Any, variance: Any, noise: float, slab: float,
    log_odds: float, order: Any, total: float,
) -> None:  # fmt: skip
    """Update the posterior of every effect of a group once, given the others; the residual follows. See `posterior`."""
    for k in order:
        if squares[k] <= 0.0:
            continue
        row = features[k]
        precision = squares[k] + noise / slab
        spread = noise / precision
        centre = (np.dot(row, residual) + squares[k] * mean[k]) / precision
        odds = log_odds + 0.5 * np.log(spread / slab) + 0.5 * centre * centre / spread
        share = 1.0 / (1.0 + np.exp(-min(max(odds, -700.0), 700.0)))
        new = share * centre
        change = new - mean[k]
        mean[k], inclusion[k], variance[k] = new, share, share * (spread + centre * centre) - new * new
        if change * change * squares[k] > 1e-14 * total:
            residual -= np.float32(change) * row
