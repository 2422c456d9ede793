"""The restricted likelihood of several kernels, for the cost of one eigendecomposition.

    y = 1μ + Σ_k F_k u_k + g + e,    u_k ~ N(0, σ²_k I),  g ~ N(0, σ²_g K),  e ~ N(0, σ²_e I)

with few features F_k (loci) and one kernel K of many (their pairs), all centred. K = U diag(d) U' turns everything into
the basis [U, U⊥], where V₀ = σ²_g K + σ²_e I is diagonal: v = σ²_g d + σ²_e inside, σ²_e outside. There U'F and U'y are
needed, and only the cross products S of what is outside; whether U comes from K (n×n) or from the pairs' own cross
products does not matter. With Σ = diag(σ²_k) and one f×f matrix (Henderson's mixed model equations, absorbed by
Woodbury's identity; all traits share the eigendecomposition):

    M = F'V₀⁻¹F,  b = F'V₀⁻¹y,  C = I + Σ^½ M Σ^½,  T = Σ^½ C⁻¹ Σ^½,  û = T b
    V⁻¹ = V₀⁻¹ - V₀⁻¹F T F'V₀⁻¹
    -2ℓ = Σ log v + (n-1-r) log σ²_e + log|C| + y'V₀⁻¹y - b'û

which is the restricted likelihood, the mean being gone with centring (Patterson & Thompson 1971), up to log n. With
covariates all columns and K are projected instead, and n less their rank with the mean stands for n-1.

Its derivatives by the variances, and the average information (Gilmour, Thompson & Cullis 1995, Biometrics 51:1440),
are, with q_i = K_i V⁻¹y,

    gradient_i = tr(V⁻¹K_i) - y'V⁻¹q_i        information_ij = q_i' V⁻¹ q_j
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from gpatlas.models.ridge import Spectrum

Array = NDArray[np.float64]


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
    n_contrasts
        Samples less what is fixed: n - 1, or fewer with covariates.
    """

    n: int
    d: Array
    linear: Array
    z: Array
    outside_ff: Array
    outside_fy: Array
    outside_yy: Array
    groups: tuple[slice, ...]
    n_contrasts: int

    @classmethod
    def of(cls, spectrum: Spectrum, scale: float, features: Array, y: Array, groups: tuple[slice, ...]) -> "MixedModel":
        """Build it from the spectrum of K · `scale` and of the centred (projected) columns `[features, y]`."""
        f = features.shape[1]
        linear, z = spectrum.z[:, :f], spectrum.z[:, f:]
        whole = len(spectrum.d) == spectrum.n_contrasts  # then outside is nothing but rounding

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
            spectrum.n_contrasts,
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
        whitened, z = model.linear / np.sqrt(self.v)[:, None], model.z[:, traits]
        self.m = whitened.T @ whitened + model.outside_ff / self.var_e
        self.b = whitened.T @ (z / np.sqrt(self.v)[:, None]) + model.outside_fy[:, traits] / self.var_e
        c = root[:, None] * self.m * root
        c[np.diag_indices_from(c)] += 1.0
        self._root, self._cholesky, self._whitened = root, np.linalg.cholesky(c), whitened
        self.u = self._half(self._half(self.b), transposed=True)
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
        n_outside = self.model.n_contrasts - len(self.v)  # 0 where K has full rank
        inside = np.log(self.v).sum() + 2 * np.log(np.diag(self._cholesky)).sum()
        return float(inside + n_outside * np.log(self.var_e))

    @property
    def deviance(self) -> Array:
        """-2ℓ, `(n_traits,)`."""
        return self.log_determinant + self.quadratic

    def _half(self, columns: Array, transposed: bool = False) -> Array:
        """Return L⁻¹ Σ^½ · columns, of which the squares are those of T; or its transpose's."""
        if not transposed:
            return solve_triangular(self._cholesky, self._root[:, None] * columns, lower=True, check_finite=False)
        return self._root[:, None] * solve_triangular(
            self._cholesky, columns, lower=True, trans="T", check_finite=False
        )

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
        return plain - (self._half(to_linear.T) ** 2).sum(axis=0)

    def left_out_errors(self, basis: Array, features: Array, y: Array, leverage: Array) -> Array:
        """Return each sample's error when it is left out, (Py)_i / P_ii, at these variances, `(n, n_traits)`.

        Parameters
        ----------
        basis, features, y
            U `(n, r)`, F `(n, f)` and the traits `(n, n_traits)`, all centred (projected).
        leverage
            `(n,)`, 1/n or that of the covariates.
        """
        outside = features - basis @ self.model.linear
        whitened = (basis / self.v) @ self.model.linear + outside / self.var_e  # V₀⁻¹F
        beyond = y - basis @ self.model.z[:, self.traits] - outside @ self.u
        py = basis @ self.inside + beyond / self.var_e
        p = (basis**2 / self.v).sum(axis=1) + (1 - leverage - (basis**2).sum(axis=1)) / self.var_e
        return py / (p - (self._half(whitened.T) ** 2).sum(axis=0))[:, None]

    def gradient_and_information(self) -> tuple[Array, Array]:
        """Derivatives of -2ℓ of the one trait by the variances and the average information, `(k,)` and `(k, k)`."""
        model, groups, k = self.model, self.model.groups, len(self.variances)
        linear, py, u, b = model.linear, self.inside[:, 0], self.u[:, 0], self.b[:, 0]
        traces = np.zeros(k)
        leverage = np.diag(self.m) - (self._half(self.m) ** 2).sum(axis=0)
        traces[:-2] = [leverage[group].sum() for group in groups]
        traces[-2] = (model.d / self.v * (1 - (self._half(self._whitened.T) ** 2).sum(axis=0))).sum()
        traces[-1] = (model.n_contrasts - self.variances[:-1] @ traces[:-1]) / self.var_e  # Σ σ²_i tr(V⁻¹K_i)
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
        information = inside.T @ (inside / self.v[:, None]) + combined.T @ carried
        half = self._half(to_linear)
        information -= half.T @ half
        fitted = np.array([*((fpy[group] ** 2).sum() for group in groups), (model.d * py**2).sum(), 0.0])
        fitted[-1] = (py**2).sum() + combined[:, -1] @ (outside @ combined[:, -1])
        return traces - fitted, information
