"""Variance components of several kernels by REML, for the cost of one eigendecomposition.

    y = 1μ + Σ_k F_k u_k + g + e,    u_k ~ N(0, σ²_k I),  g ~ N(0, σ²_g K),  e ~ N(0, σ²_e I)

with few features F_k (loci) and one kernel K of many (their pairs), all centred. K = U diag(d) U' turns everything into
the basis [U, U⊥], where V₀ = σ²_g K + σ²_e I is diagonal: v = σ²_g d + σ²_e inside, σ²_e outside. There U'F and U'y are
needed, and only the cross products S of what is outside; whether U comes from K (n×n) or from the pairs' own cross
products does not matter. With Σ = diag(σ²_k) and one f×f matrix (Henderson's mixed model equations, absorbed by
Woodbury's identity; all traits share the eigendecomposition):

    M = F'V₀⁻¹F,  b = F'V₀⁻¹y,  C = I + Σ^½ M Σ^½,  T = Σ^½ C⁻¹ Σ^½,  û = T b
    V⁻¹ = V₀⁻¹ - V₀⁻¹F T F'V₀⁻¹
    -2ℓ = Σ log v + (n-1-r) log σ²_e + log|C| + y'V₀⁻¹y - b'û

which is the restricted likelihood, the mean being gone with centring (Patterson & Thompson 1971), up to log n.

It is maximised by average information (Gilmour, Thompson & Cullis 1995, Biometrics 51:1440): with q_i = K_i V⁻¹y,

    gradient_i = tr(V⁻¹K_i) - y'V⁻¹q_i        information_ij = q_i' V⁻¹ q_j

from the best points of a coarse grid of variance shares whose scale is profiled out (as Kang et al. 2008). Steps are
projected on σ² ≥ 0 and halved until the likelihood rises. A component whose gradient points below zero stays there, and
is let go when the gradient turns: no component ends at zero unless the likelihood is highest there.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, lapack, solve_triangular

from gpatlas.models.ridge import H2_BOUNDS, Spectrum

Array = NDArray[np.float64]
_GRID_H2 = (0.02, 0.1, 0.3, 0.6, 0.9, 0.99, 0.999, 1 - 1e-5)
_RIVAL = 12.0  # how much higher -2ℓ may be at a start that is tried beside the best
_DOMINANT_SHARES = (0.8, 0.999)  # of one component of the genetic variance, at the grid's outer points
_HALVINGS = 30


@dataclass(frozen=True)
class MixedModel:
    """Kernels and traits in the basis of the kernel; see the module's head.

    Parameters
    ----------
    n
        Samples.
    d
        `(r,)` eigenvalues of K; none where the model has no kernel.
    linear, z
        U'F `(r, f)` and U'y `(r, n_traits)`.
    outside_ff, outside_fy, outside_yy
        Cross products outside K's column space, `(f, f)`, `(f, n_traits)`, `(n_traits,)`.
    groups
        Columns of F that share a variance.
    """

    n: int
    d: Array
    linear: Array
    z: Array
    outside_ff: Array
    outside_fy: Array
    outside_yy: Array
    groups: tuple[slice, ...]

    @classmethod
    def of(cls, spectrum: Spectrum, scale: float, features: Array, y: Array, groups: tuple[slice, ...]) -> "MixedModel":
        """Build it from the spectrum of K · `scale` and of the centred columns `[features, y]`, in this order."""
        f = features.shape[1]
        linear, z = spectrum.z[:, :f], spectrum.z[:, f:]
        whole = len(spectrum.d) == spectrum.n - 1  # then outside is nothing but rounding

        def outside(a: Array, inside: Array) -> Array:
            return np.zeros_like(inside) if whole else a - inside

        return cls(
            spectrum.n,
            spectrum.d / scale,
            linear,
            z,
            outside(features.T @ features, linear.T @ linear),
            outside(features.T @ y, linear.T @ z),
            np.maximum(outside((y**2).sum(axis=0), (z**2).sum(axis=0)), 0.0),
            groups,
        )

    @property
    def yy(self) -> Array:
        """Sums of squares of the traits, `(n_traits,)`."""
        return (self.z**2).sum(axis=0) + self.outside_yy

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which of the components (groups, kernel, error) have any variance to explain with."""
        traces = [np.square(self.linear[:, g]).sum() + np.trace(self.outside_ff[g, g]) for g in self.groups]
        return np.array([*(trace > 0 for trace in traces), len(self.d) > 0, True])


class Solved:
    """The model's equations solved at given variances, for some of the traits.

    Parameters
    ----------
    model
        Kernels and traits.
    variances
        `(n_groups + 2,)`: of the groups of features, of the kernel, of the error.
    traits
        Which traits, a slice.
    """

    def __init__(self, model: MixedModel, variances: Array, traits: slice = slice(None)):
        self.model, self.variances, self.traits = model, variances, traits
        self.var_e = float(variances[-1])
        self.v = variances[-2] * model.d + self.var_e
        root = np.zeros(model.linear.shape[1])
        for group, variance in zip(model.groups, variances[:-2], strict=True):
            root[group] = np.sqrt(variance)
        weighted = model.linear / self.v[:, None]
        self.m = weighted.T @ model.linear + model.outside_ff / self.var_e
        z = model.z[:, traits]
        self.b = weighted.T @ z + model.outside_fy[:, traits] / self.var_e
        c = root[:, None] * self.m * root
        c[np.diag_indices_from(c)] += 1.0
        self._root, self._cholesky = root, np.linalg.cholesky(c)
        self.u = root[:, None] * cho_solve((self._cholesky, True), root[:, None] * self.b, check_finite=False)
        self.inside = (z - model.linear @ self.u) / self.v[:, None]  # U'V⁻¹y

    @property
    def quadratic(self) -> Array:
        """y'V⁻¹y, `(n_traits,)`."""
        z, outside = self.model.z[:, self.traits], self.model.outside_yy[self.traits]
        total = (z**2 / self.v[:, None]).sum(axis=0) + outside / self.var_e
        return np.maximum(total - (self.b * self.u).sum(axis=0), 0.0)

    @property
    def log_determinant(self) -> float:
        """log|V| of contrasts."""
        n_outside = self.model.n - 1 - len(self.v)  # 0 where K has full rank
        inside = np.log(self.v).sum() + 2 * np.log(np.diag(self._cholesky)).sum()
        return float(inside + n_outside * np.log(self.var_e))

    @property
    def deviance(self) -> Array:
        """-2ℓ, `(n_traits,)`."""
        return self.log_determinant + self.quadratic

    @property
    def t(self) -> Array:
        """T `(f, f)`, which is the covariance of û - u given the kernel's variance."""
        inverse = lapack.dpotri(self._cholesky, lower=1)[0] if len(self._root) else self._cholesky
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        return self._root[:, None] * inverse * self._root

    def explained(self, inside: Array, linear: Array) -> Array:
        """Return c'V⁻¹c of new samples' covariances c with the training samples, `(n_new,)`.

        c = F_k σ²_k f_k summed over groups + U σ²_g p, of new samples' features f `(n_new, f)` = `linear` and
        projections p `(n_new, r)` = `inside` of their kernel on U.
        """
        model = self.model
        a = linear * self._root**2
        c = self.variances[-2] * inside + a @ model.linear.T
        weighted = c / self.v
        to_linear = weighted @ model.linear + a @ model.outside_ff / self.var_e
        plain = (c * weighted).sum(axis=1) + (a @ model.outside_ff * a).sum(axis=1) / self.var_e
        half = solve_triangular(self._cholesky, self._root[:, None] * to_linear.T, lower=True, check_finite=False)
        return plain - (half**2).sum(axis=0)

    def gradient_and_information(self) -> tuple[Array, Array]:
        """Derivatives of -2ℓ of the one trait by the variances and the average information, `(k,)` and `(k, k)`."""
        model, groups, k = self.model, self.model.groups, len(self.variances)
        linear, t, py = model.linear, self.t, self.inside[:, 0]
        u, b = self.u[:, 0], self.b[:, 0]
        at, mt = linear @ t, self.m @ t
        traces = np.zeros(k)
        leverage = np.diag(self.m) - (mt * self.m).sum(axis=1)
        traces[:-2] = [leverage[group].sum() for group in groups]
        traces[-2] = (model.d / self.v).sum() - (model.d / self.v**2 * (at * linear).sum(axis=1)).sum()
        traces[-1] = (model.n - 1 - self.variances[:-1] @ traces[:-1]) / self.var_e  # Σ σ²_i tr(V⁻¹K_i) = n - 1
        # q_i = K_i V⁻¹y: inside, and outside as combinations of the columns of [F, y]
        fpy = b - self.m @ u
        inside, combined = np.zeros((len(py), k)), np.zeros((len(u) + 1, k))
        for number, group in enumerate(groups):
            inside[:, number] = linear[:, group] @ fpy[group]
            combined[:-1, number][group] = fpy[group]
        inside[:, -2], inside[:, -1] = model.d * py, py
        combined[:, -1] = np.append(-u, 1.0) / self.var_e
        trait = self.traits
        fy = model.outside_fy[:, trait]
        outside = np.block([[model.outside_ff, fy], [fy.T, model.outside_yy[trait][:, None]]])
        carried = outside @ combined / self.var_e
        to_linear = linear.T @ (inside / self.v[:, None]) + carried[:-1]
        information = inside.T @ (inside / self.v[:, None]) + combined.T @ carried - to_linear.T @ (t @ to_linear)
        fitted = np.array([*((fpy[group] ** 2).sum() for group in groups), (model.d * py**2).sum(), 0.0])
        fitted[-1] = (py**2).sum() + combined[:, -1] @ (outside @ combined[:, -1])
        return traces - fitted, information


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
        Change of -2ℓ that an iteration promises, below which it has converged.
    """
    found = []
    for trait, starts in enumerate(_starts(model)):
        ends = [_maximise(model, trait, start, max_iter, tol) for start in starts]
        found.append(min(ends, key=lambda end: end.deviance))
    return found


def _starts(model: MixedModel) -> list[list[Array]]:
    """Return where to start for each trait: the grid's best point, and rivals where other components dominate.

    Every point has the scale that fits the trait best. The likelihood of few samples may have several maxima.
    """
    present, yy = model.present, model.yy
    genetic = np.flatnonzero(present[:-1])
    if not len(genetic) or not (yy > 0).any():
        return [[np.append(np.zeros(len(present) - 1), s)] for s in yy / (model.n - 1)]
    mixtures = _simplex(len(genetic))
    points = np.zeros((len(mixtures), len(_GRID_H2), len(present)))
    points[:, :, genetic] = np.multiply.outer(mixtures, _GRID_H2).transpose(0, 2, 1)
    points[:, :, -1] = 1 - np.array(_GRID_H2)
    scale, determinant = np.zeros((*points.shape[:2], len(yy))), np.zeros((*points.shape[:2], 1))
    for at in np.ndindex(*points.shape[:2]):
        solved = Solved(model, points[at])
        scale[at], determinant[at] = solved.quadratic / (model.n - 1), solved.log_determinant
    with np.errstate(divide="ignore"):
        deviance = determinant + (model.n - 1) * np.log(scale)
    starts = []
    for trait in range(len(yy)):
        best = deviance[:, :, trait].argmin(axis=1)
        lowest = deviance[range(len(mixtures)), best, trait]
        rivals = np.flatnonzero(lowest <= lowest.min() + _RIVAL) if yy[trait] > 0 else [0]
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


def _maximise(model: MixedModel, trait: int, start: Array, max_iter: int, tol: float) -> Estimate:
    """Go up from a start by projected average-information steps."""
    yy, here = model.yy[trait], slice(trait, trait + 1)
    if not yy > 0 or not model.present[:-1].any():  # nothing to explain, or nothing to explain it with
        return Estimate(start, np.nan, 0, True)
    lowest = np.zeros(len(start))
    lowest[-1] = H2_BOUNDS[0] * yy / (model.n - 1)
    variances = np.maximum(start, lowest)
    solved = Solved(model, variances, here)
    for iteration in range(1, max_iter + 1):
        gradient, information = solved.gradient_and_information()
        free = model.present & ~((variances <= lowest) & (gradient > 0))
        diagonal = np.diag(information)[free]
        step, unit = np.zeros(len(variances)), 1 / np.sqrt(np.maximum(diagonal, 1e-14 * diagonal.max()))
        system = unit[:, None] * information[np.ix_(free, free)] * unit
        # least squares of least length, for components that the data cannot tell apart
        step[free] = -unit * np.linalg.lstsq(system, unit * gradient[free], rcond=1e-12)[0]
        if -gradient @ step < tol:
            return Estimate(variances, float(solved.deviance[0]), iteration, True)
        for _ in range(_HALVINGS):
            moved = Solved(model, np.maximum(variances + step, lowest), here)
            if moved.deviance[0] < solved.deviance[0]:
                break
            step = step / 2
        else:  # rounding is all that is left
            return Estimate(variances, float(solved.deviance[0]), iteration, True)
        solved, variances = moved, moved.variances
    return Estimate(variances, float(solved.deviance[0]), max_iter, False)
