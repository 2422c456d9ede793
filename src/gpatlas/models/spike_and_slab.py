"""Gibbs sampling of marker effects of which a share π is exactly zero (BayesCπ).

    y = Xβ + e,   e ~ N(0, σ²_e I),   β_j = 0 with probability π, else N(0, σ²_β)
    σ²_β ~ ν_β S_β / χ²(ν_β),   σ²_e ~ ν_e S_e / χ²(ν_e),   π ~ U(0, 1)

with the mean (and covariates) gone by projection. A sweep visits every locus; given all others, with r = x'(e + xβ_j),
c = x'x + λ and λ = σ²_e/σ²_β (Habier et al. 2011, BMC Bioinformatics 12:186, β_j integrated out),

    log odds of β_j ≠ 0   log((1-π)/π) + ½ log(λ/c) + r²/(2 c σ²_e)          β_j | ≠ 0 ~ N(r/c, σ²_e/c)

Means of effects and of inclusion are taken over these conditional expectations (Rao-Blackwell), not over the draws.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_compiled = njit(nogil=True, cache=True, error_model="numpy", fastmath={"reassoc", "contract"})


@_compiled
def sample(
    x: NDArray[np.float32],
    squares: NDArray[np.float64],
    y: NDArray[np.float64],
    n_contrasts: int,
    n_iter: int,
    burn_in: int,
    rng: Any,
    prior: NDArray[np.float64],
    start: NDArray[np.float64],
    known: NDArray[np.bool_],
    effects: NDArray[np.float64],
    inclusion: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Run one chain.

    Parameters
    ----------
    x
        `(n_loci, n_samples)` projected genotypes, a locus per row.
    squares
        `(n_loci,)` x'x; a locus of 0 is passed over.
    y
        `(n_samples,)` projected trait.
    n_contrasts
        Samples less what was projected away.
    n_iter, burn_in
        Sweeps, and those of them that are not kept.
    rng
        A `numpy.random.Generator`.
    prior
        ν_β, S_β, ν_e, S_e.
    start
        σ²_β, σ²_e and π, where the chain starts.
    known
        Which of the three stay as they are.
    effects, inclusion
        `(n_loci,)` to which the sums over the sweeps that are kept are added.

    Returns
    -------
    ndarray of shape (4, n_iter - burn_in)
        Σ(Xβ)²/n_contrasts, σ²_e, π and σ²_β of every sweep that is kept.
    """
    p, n = x.shape
    var_b, var_e, pi = start[0], start[1], start[2]
    residual, b = y.copy(), np.zeros(p)
    varying = 0
    for j in range(p):
        varying += squares[j] > 0
    traces = np.zeros((4, n_iter - burn_in))
    for iteration in range(n_iter):
        ratio = var_e / var_b
        odds = np.log((1 - pi) / pi) if pi > 0 else np.inf
        included, sum_squares = 0, 0.0
        for j in range(p):
            if squares[j] <= 0:
                continue
            r = 0.0
            for i in range(n):
                r += x[j, i] * residual[i]
            r += squares[j] * b[j]
            c = squares[j] + ratio
            log_odds = odds + 0.5 * np.log(ratio / c) + 0.5 * r * r / (c * var_e)
            share = 1.0 / (1.0 + np.exp(-log_odds))
            new = 0.0
            if rng.random() < share:
                new = r / c + np.sqrt(var_e / c) * rng.standard_normal()
                included += 1
                sum_squares += new * new
            if iteration >= burn_in:
                inclusion[j] += share
                effects[j] += share * r / c
            change = new - b[j]
            if change != 0.0:
                for i in range(n):
                    residual[i] -= x[j, i] * change
                b[j] = new
        rss, fitted = 0.0, 0.0
        for i in range(n):
            rss += residual[i] * residual[i]
            fitted += (y[i] - residual[i]) ** 2
        if not known[0]:
            var_b = (prior[0] * prior[1] + sum_squares) / (2 * rng.standard_gamma((prior[0] + included) / 2))
        if not known[1]:
            var_e = (prior[2] * prior[3] + rss) / (2 * rng.standard_gamma((prior[2] + n_contrasts) / 2))
        if not known[2]:
            zero = rng.standard_gamma(varying - included + 1.0)
            pi = zero / (zero + rng.standard_gamma(included + 1.0))
            pi = min(max(pi, 1e-12), 1 - 1e-12)
        if iteration >= burn_in:
            at = iteration - burn_in
            traces[0, at], traces[1, at], traces[2, at], traces[3, at] = fitted / n_contrasts, var_e, pi, var_b
    return traces
