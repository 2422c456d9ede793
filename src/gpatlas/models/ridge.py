"""Exact ridge regression / GBLUP from one eigendecomposition, for all traits and all penalties.

With centred genotypes X = U √D V' and centred trait y, z = U'y:

    effects(λ)   V (D + λ)^-1 V'X'y  =  X'U (D + λ)^-1 z
    RSS(λ)       y'y - Σ z² + Σ z² (λ/(d+λ))²
    df(λ)        1 + Σ d/(d+λ)                                         (1 for the mean)
    GCV(λ)       n RSS / (n - df)²                                     Golub, Heath & Wahba (1979), eq. 2.3
    LOO(λ)       mean [e_i / (1 - h_i)]²,  h_i = 1/n + Σ U_ik² d/(d+λ)
    REML(λ)      -2ℓ = (n-1) log Q + Σ log(d+λ) + (n-1-r) log λ,   Q = Σ z²/(d+λ) + (y'y - Σ z²)/λ

REML is that of y = 1μ + Xu + e with u ~ N(0, σ²_u I), λ = σ²_e/σ²_u, σ²_u profiled as Q/(n-1) (Kang et al. 2008,
eq. 7, for this design). The eigendecomposition is of X'X when there are fewer loci than samples, else of XX'.

With covariates (`gpatlas.models.fixed_effects`) X and y are projected instead of centred, and their rank with the
intercept stands for the 1 in n-1 and df, their leverage for 1/n.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.optimize import minimize_scalar

from gpatlas.models.fixed_effects import FixedEffects
from gpatlas.models.products import Genotypes, centred_kernel, column_sums, gram, row_blocks, transposed_times
from gpatlas.packed import Bits

Criterion = Literal["reml", "loo", "gcv"]
PUBLISHED_PENALTIES = np.logspace(-5, 5, 100)
H2_BOUNDS = (1e-6, 1 - 1e-6)


@dataclass(frozen=True)
class Moments:
    """First and second moments of genotypes `(n, p)` and traits `(n, t)`; they add and subtract over samples."""

    n: int
    sum_x: NDArray[np.float64]
    sum_y: NDArray[np.float64]
    xx: NDArray[np.float64]
    xy: NDArray[np.float64]
    yy: NDArray[np.float64]

    @classmethod
    def of(cls, x: Genotypes, y: NDArray[np.float64]) -> "Moments":
        """Compute moments; those of dosages alone are exact."""
        xx, xy = gram(x), transposed_times(x, y)
        # a bit is its own square, so X'X holds the sums already
        sum_x = np.diag(xx).copy() if isinstance(x, Bits) else x.sum(axis=0, dtype=np.float64)
        return cls(len(x), sum_x, y.sum(axis=0), xx, xy, (y**2).sum(axis=0))

    def of_traits(self, traits: NDArray[np.intp]) -> "Moments":
        """Return the moments of some of the traits."""
        return Moments(self.n, self.sum_x, self.sum_y[traits], self.xx, self.xy[:, traits], self.yy[traits])

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.n + other.n, *(getattr(self, k) + getattr(other, k) for k in _SUMS))

    def __sub__(self, other: "Moments") -> "Moments":
        return Moments(self.n - other.n, *(getattr(self, k) - getattr(other, k) for k in _SUMS))


_SUMS = ("sum_x", "sum_y", "xx", "xy", "yy")


@dataclass(frozen=True)
class Spectrum:
    """A centred ridge problem in its eigenbasis.

    Parameters
    ----------
    n
        Samples.
    d
        `(r,)` non-zero eigenvalues of X'X.
    z
        `(r, n_traits)` projections U'y.
    yy
        `(n_traits,)` y'y after centring.
    basis
        V `(n_loci, r)` (primal) or U `(n, r)` (dual).
    primal
        Which of the two `basis` is.
    mean_x, mean_y
        What was subtracted.
    fixed
        Covariates by which genotypes and traits were projected.
    """

    n: int
    d: NDArray[np.float64]
    z: NDArray[np.float64]
    yy: NDArray[np.float64]
    basis: NDArray[np.float64]
    primal: bool
    mean_x: NDArray[np.float64]
    mean_y: NDArray[np.float64]
    fixed: FixedEffects | None = None

    @property
    def n_contrasts(self) -> int:
        """Samples less the fixed effects, of which the mean is one."""
        return self.n - (1 if self.fixed is None else self.fixed.rank)

    @property
    def rss_outside(self) -> NDArray[np.float64]:
        """Sum of squares of y outside the column space of X, `(n_traits,)`."""
        return np.maximum(self.yy - (self.z**2).sum(axis=0), 0.0)

    def effects(self, penalty: NDArray[np.float64], x: Genotypes | None = None) -> NDArray[np.float64]:
        """Return marker effects `(n_loci, n_traits)` at each trait's penalty (dual: from the genotypes `x`)."""
        shrunk = self.z / (self.d[:, None] + penalty)
        if self.primal:
            return self.basis @ (shrunk * np.sqrt(self.d)[:, None])
        assert x is not None
        weights = self.basis @ shrunk
        return transposed_times(x, weights) - np.outer(self.mean_x, weights.sum(axis=0))


def primal_spectrum(
    moments: Moments, fixed: FixedEffects | None = None, ax: NDArray[np.float64] | None = None
) -> Spectrum:
    """Decompose X'X; for fewer loci than samples. With covariates, traits are projected already, and `ax` is A'X."""
    n = moments.n
    mean_x, mean_y = moments.sum_x / n, moments.sum_y / n
    centred = np.outer(mean_x, -n * mean_x) if ax is None else -ax.T @ ax
    centred += moments.xx
    d, v = eigh(centred, driver="evd", overwrite_a=True)  # of a symmetric matrix, whose memory takes the vectors
    xy = moments.xy - n * np.outer(mean_x, mean_y)
    kept = _numerically_positive(d)
    d, v = d[kept], v if kept.all() else v[:, kept]
    z = (v.T @ xy) / np.sqrt(d)[:, None]
    return Spectrum(n, d, z, np.maximum(moments.yy - n * mean_y**2, 0.0), v, True, mean_x, mean_y, fixed)


def dual_spectrum(x: Genotypes, y: NDArray[np.float64], fixed: FixedEffects | None = None) -> Spectrum:
    """Decompose XX'; for fewer samples than loci."""
    mean_x = column_sums(x) / len(x)
    return replace(kernel_spectrum(centred_kernel(x, mean_x), y, fixed), mean_x=mean_x)


def kernel_spectrum(kernel: NDArray[np.float64], y: NDArray[np.float64], fixed: FixedEffects | None = None) -> Spectrum:
    """Decompose the kernel `(n, n)` of centred features, in its own memory; it is overwritten.

    With covariates the kernel is projected here, and traits are projected already.
    """
    if fixed is not None:
        kernel = fixed.project_kernel(kernel)
    d, u = eigh(kernel.T, driver="evd", overwrite_a=True, check_finite=False)  # .T is the order LAPACK works in
    kept = _numerically_positive(d)
    if not kept.all():  # ascending: what is kept is at the end
        d, u = d[kept], u[:, kept.argmax() :] if kept.any() else u[:, :0]
    mean_y = y.mean(axis=0)
    centred = y - mean_y
    return Spectrum(len(y), d, u.T @ centred, (centred**2).sum(axis=0), u, False, np.empty(0), mean_y, fixed)


def best_penalty(
    spectrum: Spectrum,
    criterion: Criterion,
    penalties: NDArray[np.float64],
    x: Genotypes,
    y: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return each trait's penalty `(n_traits,)`: on the grid by GCV or LOO, anywhere by REML."""
    if criterion == "reml":
        return reml_penalties(spectrum)
    score = gcv(spectrum, penalties) if criterion == "gcv" else loo(spectrum, penalties, x, y)
    return penalties[score.argmin(axis=0)]


def reml_penalties(spectrum: Spectrum) -> NDArray[np.float64]:
    """Return each trait's penalty by REML, `(n_traits,)`."""
    return np.array([_reml_penalty(spectrum, trait) for trait in range(len(spectrum.yy))])


def reml_deviance(spectrum: Spectrum, penalty: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return -2ℓ of the module's head at each trait's penalty, `(n_traits,)`."""
    outside = spectrum.rss_outside
    return np.array([_deviance(spectrum, spectrum.z[:, k] ** 2, outside[k], penalty[k]) for k in range(len(outside))])


def gcv(spectrum: Spectrum, penalties: NDArray[np.float64]) -> NDArray[np.float64]:
    """Generalised cross-validation, `(n_penalties, n_traits)`."""
    shrink = penalties[:, None] / (spectrum.d + penalties[:, None])  # λ/(d+λ)
    rss = spectrum.rss_outside + shrink**2 @ spectrum.z**2
    df = spectrum.n - spectrum.n_contrasts + (1 - shrink).sum(axis=1)
    return spectrum.n * rss / (spectrum.n - df)[:, None] ** 2


def loo(
    spectrum: Spectrum, penalties: NDArray[np.float64], x: Genotypes, y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean squared leave-one-out error, exact, `(n_penalties, n_traits)`; every sample's leverage costs a product."""
    total = np.zeros((len(penalties), y.shape[1]))
    keep = spectrum.d[:, None] / (spectrum.d[:, None] + penalties)  # d/(d+λ)
    for rows, u, own in _left_vectors(spectrum, x):
        scale = 1 / (1 - own - u**2 @ keep)
        for trait in range(y.shape[1]):
            fitted = u @ (keep * spectrum.z[:, trait, None])
            residual = (y[rows, trait] - spectrum.mean_y[trait])[:, None] - fitted
            total[:, trait] += ((residual * scale) ** 2).sum(axis=0)
    return total / spectrum.n


def left_out_errors(
    spectrum: Spectrum, penalty: NDArray[np.float64], x: Genotypes, y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return each sample's error when it is left out, at each trait's penalty, exact, `(n, n_traits)`."""
    errors = np.empty_like(y)
    keep = spectrum.d[:, None] / (spectrum.d[:, None] + penalty)
    for rows, u, own in _left_vectors(spectrum, x):
        errors[rows] = (y[rows] - spectrum.mean_y - u @ (keep * spectrum.z)) / (1 - own - u**2 @ keep)
    return errors


def _left_vectors(spectrum: Spectrum, x: Genotypes) -> Iterator[tuple[slice, NDArray, Any]]:
    """Yield `(rows, U[rows], leverage of what is fixed)`, of the genotypes that were decomposed."""
    fixed = spectrum.fixed
    if spectrum.primal:
        shift = (
            spectrum.mean_x @ spectrum.basis if fixed is None else transposed_times(x, fixed.basis).T @ spectrum.basis
        )
    for rows in row_blocks(x):
        own = 1 / spectrum.n if fixed is None else fixed.leverage[rows, None]
        if spectrum.primal:
            dosage = x.unpack(rows) if isinstance(x, Bits) else x[rows]
            mean = shift if fixed is None else fixed.basis[rows] @ shift
            yield rows, (dosage @ spectrum.basis - mean) / np.sqrt(spectrum.d), own
        else:
            yield rows, spectrum.basis[rows], own


def variance_components(
    spectrum: Spectrum, penalty: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return `(var_u, var_e, h2)`, each `(n_traits,)`, at given penalties.

    var_u is per marker effect; h2 is the genomic heritability var_g/(var_g + var_e), var_g = var_u · mean diagonal
    of XX' (n - 1 in the denominator). With covariates all of it is about what they leave.
    """
    explained = (spectrum.z**2 / (spectrum.d[:, None] + penalty)).sum(axis=0)
    var_u = (explained + spectrum.rss_outside / penalty) / spectrum.n_contrasts
    per_sample = spectrum.d.sum() / spectrum.n_contrasts
    var_e = penalty * var_u
    h2 = np.where(spectrum.yy > 0, per_sample / (per_sample + penalty), 0.0)
    return var_u, var_e, h2


def _reml_penalty(spectrum: Spectrum, trait: int) -> float:
    """Maximise the restricted likelihood over heritability in `H2_BOUNDS`."""
    per_sample = spectrum.d.sum() / spectrum.n_contrasts
    z2, outside = spectrum.z[:, trait] ** 2, spectrum.rss_outside[trait]
    if not spectrum.yy[trait] > 0 or per_sample == 0:  # nothing to explain, or nothing to explain it with
        return max(per_sample, 1.0) * (1 / H2_BOUNDS[0] - 1)

    def deviance(logit_h2: float) -> float:
        return _deviance(spectrum, z2, outside, per_sample * np.exp(-logit_h2))

    # the likelihood may have two maxima (usually one at no heritability): every valley of the grid is gone down
    low, high = (float(np.log(h2 / (1 - h2))) for h2 in H2_BOUNDS)
    grid = np.linspace(low, high, 57)
    values = np.pad([deviance(point) for point in grid], 1, constant_values=np.inf)
    valleys = np.flatnonzero((values[1:-1] <= values[:-2]) & (values[1:-1] <= values[2:])).tolist()
    found = [
        minimize_scalar(
            deviance,
            bounds=(grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)]),
            method="bounded",
            options={"xatol": 1e-9},
        )
        for k in valleys
    ]
    best = min(found, key=lambda minimum: minimum.fun).x
    return float(per_sample * np.exp(-best))


def _deviance(spectrum: Spectrum, z2: NDArray[np.float64], outside: float, penalty: float) -> float:
    n, d = spectrum.n_contrasts, spectrum.d
    q = (z2 / (d + penalty)).sum() + outside / penalty
    return n * np.log(q) + np.log(d + penalty).sum() + (n - len(d)) * np.log(penalty)


def centre_traits(y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Subtract trait means, so that moments lose no digits; a constant trait becomes exactly 0."""
    mean = y.mean(axis=0)
    centred = y - mean
    return np.where(np.abs(centred).max(axis=0) <= 1e-12 * np.abs(mean), 0.0, centred), mean


def _numerically_positive(d: NDArray[np.float64]) -> NDArray[np.bool_]:
    return d > max(d.max(initial=0.0), 0.0) * len(d) * np.finfo(np.float64).eps
