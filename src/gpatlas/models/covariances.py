"""Genetic and residual covariances of several traits by REML, for the cost of a few t×t problems per iteration.

With U'X = √D V' the centred genotypes' decomposition, δ = d / mean diagonal of XX' and z_i the rows of U'Y,

    z_i ~ N(0, δ_i G + R)  for i = 1…r,     S = Y'Y - Z'Z ~ Wishart(R, m)  outside X's column space, m = n-1-r
    -2ℓ(G, R) = Σ_i [log|δ_i G + R| + z_i'(δ_i G + R)⁻¹z_i] + m log|R| + tr(R⁻¹S)

which is the restricted likelihood of Y = 1μ' + XU + E but for a constant (Thompson 1973; Meyer 1985). At any
(G, R) there are *canonical traits* YW with W'(G+R)W = I and W'GW = diag(h) (Hayes & Hill 1980): there all covariances
are diagonal, w_ia = 1/(δ_i h_a + 1 - h_a), and the expected information of -2ℓ about the elements ab falls apart into
one 2×2 block for each pair of traits (Meyer 1985):

    gradient      g_G = diag(Σ_i δ_i w_i) - Σ_i δ_i (w_i∘z_i)(w_i∘z_i)'
                  g_R = diag(Σ_i w_i + m ω) - Σ_i (w_i∘z_i)(w_i∘z_i)' - ω∘S∘ω',       ω_a = 1/(1-h_a)
    information   GG Σ_i δ_i² w_ia w_ib     GR Σ_i δ_i w_ia w_ib     RR Σ_i w_ia w_ib + m ω_a ω_b

so that Fisher's scoring solves t(t+1)/2 systems of two equations, O(r t²) per iteration and a handful of iterations.
Steps are halved until the likelihood rises, thus it never falls. h stays in `H2_BOUNDS`, as for one trait: every
linear combination of traits has its heritability there, which no invertible map of the traits changes. These bounds
(b, 1-b) say that γ = G - b(G+R) and ρ = R - b(G+R) are positive semi-definite; steps are taken in γ and ρ, that is in

    G = γ + κ(γ+ρ),   R = ρ + κ(γ+ρ),   κ = b/(1-2b),   with diagonals h - b and 1 - b - h.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, eigh, svd

from gpatlas.models.ridge import H2_BOUNDS, Spectrum, reml_penalties, variance_components

_SMALLEST_SHARE = 1e-5  # of the largest principal component's standard deviation; what is below is rounding
_SMALLEST_SIZE = 1e-12  # of a canonical trait's γ or ρ; keeps one that is on its bound there until the gradient turns
_HALVINGS = 40
_KAPPA = H2_BOUNDS[0] / (1 - 2 * H2_BOUNDS[0])


@dataclass(frozen=True)
class CanonicalTraits:
    """Where both covariance matrices are diagonal, at the restricted likelihood's maximum.

    Parameters
    ----------
    weights
        W `(n_traits, n_traits)`: the canonical traits are YW; W'(G + R)W = I.
    heritability
        `(n_traits,)` diagonal h of W'GW.
    deviance
        -2ℓ as in the module's head; NaN where there is nothing to estimate.
    n_iter
        Iterations.
    converged
        Whether the last iteration changed the deviance by less than the tolerance.
    """

    weights: NDArray[np.float64]
    heritability: NDArray[np.float64]
    deviance: float
    n_iter: int
    converged: bool


def uncorrelated_traits(y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Write centred traits as independent ones: `y = c @ loadings`, `c'c = (n-1) I`.

    Traits that are constant or linear combinations of others would make the likelihood infinite; here they add no
    column to `c`, and follow exactly from the loadings.

    Parameters
    ----------
    y
        Centred traits `(n_samples, n_traits)`.

    Returns
    -------
    c, loadings
        `(n_samples, rank)` and `(rank, n_traits)`.
    """
    unit = np.sqrt(len(y) - 1)
    scale = np.sqrt((y**2).sum(axis=0)) / unit
    u, sd, axes = svd(y / np.where(scale > 0, scale, 1.0), full_matrices=False)
    kept = sd > sd[0] * _SMALLEST_SHARE
    return u[:, kept] * unit, sd[kept, None] / unit * axes[kept] * scale


def estimate_covariances(spectrum: Spectrum, max_iter: int, tol: float) -> CanonicalTraits:
    """Maximise the restricted likelihood of traits with `y'y = (n-1) I`.

    It starts from single-trait REML of the axes that differ most in what genotypes explain, which are nearly the
    canonical traits.

    Parameters
    ----------
    spectrum
        Genotypes and uncorrelated traits, see `uncorrelated_traits`.
    max_iter
        Largest number of iterations.
    tol
        Change of -2ℓ below which an iteration is the last.
    """
    (r, n_traits), n = spectrum.z.shape, spectrum.n
    if r == 0 or n_traits == 0:  # nothing explains, or nothing to explain
        return CanonicalTraits(np.eye(n_traits), np.zeros(n_traits), np.nan, 0, True)
    delta = spectrum.d * ((n - 1) / spectrum.d.sum())
    outside = (n - 1) * np.eye(n_traits) - spectrum.z.T @ spectrum.z
    likelihood = _Likelihood(delta, spectrum.z, outside, n - 1 - r)
    weights, h = _start(spectrum, delta)
    deviance = likelihood.deviance(weights, h)
    for iteration in range(1, max_iter + 1):
        weights, step_g, step_r = likelihood.step(weights, h)
        size = 1.0
        for _ in range(_HALVINGS):
            new_weights, new_h = _moved(weights, h, size * step_g, size * step_r)
            new = likelihood.deviance(new_weights, new_h)
            if size == 1 and abs(new - deviance) < tol:
                return CanonicalTraits(new_weights, new_h, new, iteration, True)
            if new < deviance:
                break
            size /= 2
        else:
            return CanonicalTraits(weights, h, deviance, iteration, False)
        weights, h, deviance = new_weights, new_h, new
    return CanonicalTraits(weights, h, deviance, max_iter, False)


@dataclass(frozen=True)
class _Likelihood:
    """The data: δ `(r,)`, z `(r, t)`, S `(t, t)` and its degrees of freedom m; see the module's head."""

    delta: NDArray[np.float64]
    z: NDArray[np.float64]
    outside: NDArray[np.float64]
    m: int

    def deviance(self, weights: NDArray[np.float64], h: NDArray[np.float64]) -> float:
        """-2ℓ at the covariances whose canonical traits are given; infinite where there are none."""
        if not np.isfinite(weights).all():
            return np.inf
        variance = np.multiply.outer(self.delta, h) + (1 - h)
        value = np.log(variance).sum() + ((self.z @ weights) ** 2 / variance).sum()
        if self.m:
            value += self.m * np.log1p(-h).sum() + (((self.outside @ weights) * weights).sum(axis=0) / (1 - h)).sum()
        return float(value - 2 * (len(self.delta) + self.m) * np.linalg.slogdet(weights)[1])

    def step(
        self, weights: NDArray[np.float64], h: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return canonical weights and Fisher's scoring step of G and R on their scale, all `(t, t)`.

        The weights differ from those given only where several h lie on one bound and any rotation of these traits
        is canonical; the one is taken in which the gradient says for each by itself whether to leave.
        """
        delta, omega, m = self.delta, 1 / (1 - h), self.m
        w = 1 / (np.multiply.outer(delta, h) + (1 - h))
        dw = delta[:, None] * w
        wz = w * (self.z @ weights)
        g_g = np.diag(dw.sum(axis=0)) - wz.T @ (delta[:, None] * wz)
        g_r = np.diag(w.sum(axis=0) + m * omega) - wz.T @ wz
        g_r -= omega[:, None] * (weights.T @ self.outside @ weights) * omega
        g_g, g_r = g_g + _KAPPA * (g_g + g_r), g_r + _KAPPA * (g_g + g_r)  # from here on about γ and ρ
        for bound, gradient in zip(H2_BOUNDS, (g_g, g_r), strict=True):
            here = np.flatnonzero(h == bound)
            if len(here) > 1:
                turn = np.eye(len(h))
                turn[np.ix_(here, here)] = eigh(gradient[np.ix_(here, here)])[1]
                weights, g_g, g_r = weights @ turn, turn.T @ g_g @ turn, turn.T @ g_r @ turn
        gg, gr, rr = dw.T @ dw, dw.T @ w, w.T @ w + m * np.multiply.outer(omega, omega)
        gr = (gr + gr.T) / 2
        total = gg + 2 * gr + rr
        gg, gr, rr = (
            gg + 2 * _KAPPA * (gg + gr) + _KAPPA**2 * total + _curvature(g_g, h - H2_BOUNDS[0]),
            gr + _KAPPA * (gg + 2 * gr + rr) + _KAPPA**2 * total,
            rr + 2 * _KAPPA * (gr + rr) + _KAPPA**2 * total + _curvature(g_r, H2_BOUNDS[1] - h),
        )
        determinant = np.maximum(gg * rr - gr**2, 1e-12 * gg * rr)
        gamma, rho = (gr * g_r - rr * g_g) / determinant, (gr * g_g - gg * g_r) / determinant
        return weights, gamma + _KAPPA * (gamma + rho), rho + _KAPPA * (gamma + rho)


def _curvature(gradient: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.float64]:
    """Curvature `(t, t)` from keeping a covariance matrix with diagonal `size` positive definite.

    A step Δ = KA + AK' of the matrix A has the second-order companion KAK', with K_ab = Δ_ab A_b/(A_a² + A_b²) the
    smallest such K; it adds gradient_aa (KAK')_aa. Only where the gradient points out of the cone, as it does at
    a maximum with a singular matrix: there steps would otherwise never fit.
    """
    push = np.maximum(np.diag(gradient), 0.0)
    size = np.maximum(size, _SMALLEST_SIZE)
    a, b = size[:, None], size[None, :]
    added = push[:, None] * b**3 / (a**2 + b**2) ** 2
    return added + added.T


def _start(spectrum: Spectrum, delta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    _, axes = eigh(spectrum.z.T @ (delta[:, None] * spectrum.z))
    rotated = replace(spectrum, z=spectrum.z @ axes)
    var_u, var_e, h2 = variance_components(rotated, reml_penalties(rotated))
    total = var_u * (spectrum.d.sum() / (spectrum.n - 1)) + var_e
    return axes / np.sqrt(total), np.clip(h2, *H2_BOUNDS)


def _moved(
    weights: NDArray[np.float64], h: NDArray[np.float64], step_g: NDArray[np.float64], step_r: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Canonical traits after a step; NaN weights where G + R is not positive definite."""
    genetic = np.diag(h) + step_g
    try:
        new_h, turn = eigh(genetic, np.eye(len(h)) + step_g + step_r)
    except LinAlgError:
        return np.full_like(weights, np.nan), h
    return weights @ turn, np.clip(new_h, *H2_BOUNDS)
