"""Variance components of several kernels where their restricted likelihood is highest.

From the best points of a coarse grid of variance shares, whose scale is profiled out as in Kang et al. (2008), steps by
average information (Gilmour, Thompson & Cullis 1995, Biometrics 51:1440) go up the likelihood of
`gpatlas.models.mixed`. They are projected on σ² ≥ 0 and halved until the likelihood rises. A component whose gradient
points below zero stays there, and is let go when the gradient turns: no component ends at zero unless the likelihood
is highest there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.models.mixed import MixedModel, Solved
from gpatlas.models.ridge import H2_BOUNDS

Array = NDArray[np.float64]
_GRID_H2 = (0.02, 0.1, 0.3, 0.6, 0.9, 0.99, 0.999, 1 - 1e-5)
_NEAR = 0.03  # share of all variance, by which variances on the slope of one maximum differ
_RIVAL = 12.0  # how much higher -2ℓ may be at a start that is tried beside the best
_DOMINANT_SHARES = (0.8, 0.999)  # of one component of the genetic variance, at the grid's outer points


@dataclass(frozen=True)
class Estimate:
    """Variances `(n_groups + 2,)` of a trait, -2ℓ there, iterations, and whether they sufficed."""

    variances: Array
    deviance: float
    n_iter: int
    converged: bool


def estimate_variances(model: MixedModel, max_iter: int, tol: float) -> list[Estimate]:
    """Maximise the restricted likelihood of every trait.

    Parameters
    ----------
    model
        Kernels of mean diagonal 1, and traits.
    max_iter
        Largest number of iterations for a trait.
    tol
        Fall of -2ℓ that a step promises, below which it has converged.
    """
    found = []
    for trait, starts in enumerate(_starts(model)):
        ends: list[Estimate] = []
        for start in starts:
            ends.append(_maximise(model, trait, start, ends, max_iter, tol))
        found.append(min(ends, key=lambda end: end.deviance))
    return found


def _starts(model: MixedModel) -> list[list[Array]]:
    """Return where to start for each trait: the grid's best point, and rivals where other components dominate.

    Every point has the scale that fits the trait best. The likelihood of few samples may have several maxima.
    """
    present, yy = model.present, model.yy
    genetic = np.flatnonzero(present[:-1])
    if not len(genetic) or not (yy > 0).any():
        return [[np.append(np.zeros(len(present) - 1), s)] for s in yy / (model.n_contrasts)]
    mixtures = _simplex(len(genetic))
    points = np.zeros((len(mixtures), len(_GRID_H2), len(present)))
    points[:, :, genetic] = np.multiply.outer(mixtures, _GRID_H2).transpose(0, 2, 1)
    points[:, :, -1] = 1 - np.array(_GRID_H2)
    scale, determinant = np.zeros((*points.shape[:2], len(yy))), np.zeros((*points.shape[:2], 1))
    for at in np.ndindex(*points.shape[:2]):
        solved = Solved(model, points[at])
        scale[at], determinant[at] = solved.quadratic / (model.n_contrasts), solved.log_determinant
    with np.errstate(divide="ignore"):
        deviance = determinant + (model.n_contrasts) * np.log(scale)
    starts = []
    for trait in range(len(yy)):
        best = deviance[:, :, trait].argmin(axis=1)
        lowest = deviance[range(len(mixtures)), best, trait]
        rivals = [k for k in lowest.argsort() if lowest[k] <= lowest.min() + _RIVAL] if yy[trait] > 0 else [0]
        starts.append([points[k, best[k]] * scale[k, best[k], trait] for k in rivals])
    return starts


def _simplex(n: int) -> list[Array]:
    """Shares of n components: all equal, and each in turn dominant."""
    shares = [np.full(n, 1 / n)]
    if n > 1:
        for most in _DOMINANT_SHARES:
            rest = (1 - most) / (n - 1)
            shares += list(rest + (most - rest) * np.eye(n))
    return shares


def _maximise(
    model: MixedModel, trait: int, start: Array, known: list[Estimate], max_iter: int, tol: float
) -> Estimate:
    """Go up from a start by projected average-information steps, or as far as the slope of a known maximum."""
    yy, here = model.yy[trait], slice(trait, trait + 1)
    if not yy > 0 or not model.present[:-1].any():  # nothing to explain, or nothing to explain it with
        return Estimate(start, np.nan, 0, True)
    lowest = np.zeros(len(start))
    lowest[-1] = H2_BOUNDS[0] * yy / (model.n_contrasts)
    variances = np.maximum(start, lowest)
    solved = Solved(model, variances, here)
    for iteration in range(1, max_iter + 1):
        for end in known:
            if np.abs(variances - end.variances).max() < _NEAR * variances.sum():
                return end
        gradient, information = solved.gradient_and_information()
        free = model.present & ~((variances <= lowest) & (gradient > 0))
        diagonal = np.diag(information)[free]
        step, unit = np.zeros(len(variances)), 1 / np.sqrt(np.maximum(diagonal, 1e-14 * diagonal.max()))
        system = unit[:, None] * information[np.ix_(free, free)] * unit
        # least squares of least length, for components that the data cannot tell apart
        step[free] = -unit * np.linalg.lstsq(system, unit * gradient[free], rcond=1e-12)[0]
        promised = -gradient @ step
        while promised >= tol:
            moved = Solved(model, np.maximum(variances + step, lowest), here)
            if moved.deviance[0] < solved.deviance[0]:
                break
            step, promised = step / 2, promised / 2
        else:
            return Estimate(variances, float(solved.deviance[0]), iteration, True)
        solved, variances = moved, moved.variances
    return Estimate(variances, float(solved.deviance[0]), max_iter, False)
