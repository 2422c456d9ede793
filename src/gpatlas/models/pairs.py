"""All pairs of loci as one random effect: by samples (dual) or by pairs (primal), whichever are fewer.

With W the centred products of all pairs, `(n, m)`, and WW' = U diag(d) U': the dual form decomposes WW', made by the
pair kernel without W; the primal form decomposes W'W = V diag(d) V', so that U = W V d^-½. New samples' centred
products w have, with a trait's U'V⁻¹y = q,

    covariance on U      U'W w  =  U'k(w)  =  d^½ V'w
    value                σ² k(w)'U q  =  σ² w'V d^½ q
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gpatlas.models.fixed_effects import FixedEffects
from gpatlas.models.kernels import CentredKernel, Coding, PairKernel, pair_products
from gpatlas.models.products import row_blocks
from gpatlas.models.ridge import Moments, Spectrum, kernel_spectrum, primal_spectrum

Array = NDArray[np.float64]
_ROUNDING = 1e-12


class Pairs(Protocol):
    """What the model needs of pairs; the training samples' are decomposed with given columns in `spectrum.z`."""

    @property
    def spectrum(self) -> Spectrum:
        """Of the training samples."""
        ...

    @property
    def trace(self) -> float:
        """Of WW', before covariates."""
        ...

    def project(self, x: NDArray) -> tuple[Array, Array]:
        """Return new samples' covariances on U `(n_new, r)` and their own variances `(n_new,)`."""
        ...

    def predict(self, x: NDArray, on_basis: Array) -> Array:
        """Return U'k weighted by `on_basis` `(r, n_traits)`: `(n_new, n_traits)`."""
        ...


@dataclass(frozen=True)
class DualPairs:
    """Pairs by their kernel of samples."""

    spectrum: Spectrum
    kernel: CentredKernel
    trace: float

    @classmethod
    def of(cls, coding: Coding, x: NDArray, columns: Array, fixed: FixedEffects | None) -> "DualPairs":
        """Decompose the kernel of dosages x, and express centred columns `(n, c)` in its basis."""
        kernel, matrix = CentredKernel.of(PairKernel(), coding, x)
        if np.trace(matrix) < _ROUNDING * ((coding(x) ** 2).sum(axis=1) ** 2).sum():  # one locus varies, no pair
            matrix[:] = 0.0
        trace = float(np.trace(matrix))
        spectrum = kernel_spectrum(matrix, columns, fixed)
        return cls(spectrum, kernel, float(spectrum.d.sum()) if fixed is None else trace)

    def project(self, x: NDArray) -> tuple[Array, Array]:
        """Return covariances on U and own variances."""
        cross, own = self.kernel.between(x)
        return cross @ self.spectrum.basis, own

    def predict(self, x: NDArray, on_basis: Array) -> Array:
        """Return weighted covariances, in blocks of samples."""
        weights = self.spectrum.basis @ on_basis
        values = np.empty((len(x), weights.shape[1]))
        for rows in row_blocks(x, self.spectrum.n):
            values[rows] = self.kernel.between(x[rows])[0] @ weights
        return values


@dataclass(frozen=True)
class PrimalPairs:
    """Pairs by their products."""

    spectrum: Spectrum
    coding: Coding
    trace: float

    @classmethod
    def of(cls, coding: Coding, x: NDArray, columns: Array, fixed: FixedEffects | None) -> "PrimalPairs":
        """Decompose the products' moments of dosages x, and express centred columns `(n, c)` in their basis."""
        m = n_pairs(x.shape[1])
        sum_w, ww, wc = np.zeros(m), np.zeros((m, m)), np.zeros((m, columns.shape[1]))
        aw = np.zeros((0 if fixed is None else fixed.rank, m))
        for rows in row_blocks(x, m):
            w = pair_products(coding(x[rows]))
            sum_w += w.sum(axis=0)
            ww += w.T @ w
            wc += w.T @ columns[rows]
            if fixed is not None:
                aw += fixed.basis[rows].T @ w
        moments = Moments(len(x), sum_w, columns.sum(axis=0), ww, wc, (columns**2).sum(axis=0))
        trace = float(np.trace(ww) - (sum_w**2).sum() / len(x))
        spectrum = primal_spectrum(moments, fixed, None if fixed is None else aw)
        return cls(spectrum, coding, float(spectrum.d.sum()) if fixed is None else trace)

    def project(self, x: NDArray) -> tuple[Array, Array]:
        """Return covariances on U and own variances."""
        w = self._products(x)
        return w @ self.spectrum.basis * np.sqrt(self.spectrum.d), (w**2).sum(axis=1)

    def predict(self, x: NDArray, on_basis: Array) -> Array:
        """Return weighted covariances, in blocks of samples."""
        effects = self.spectrum.basis @ (np.sqrt(self.spectrum.d)[:, None] * on_basis)
        values = np.empty((len(x), effects.shape[1]))
        for rows in row_blocks(x, len(effects)):
            values[rows] = self._products(x[rows]) @ effects
        return values

    def _products(self, x: NDArray) -> Array:
        return pair_products(self.coding(x)) - self.spectrum.mean_x


def n_pairs(n_loci: int) -> int:
    """Number of pairs of different loci."""
    return n_loci * (n_loci - 1) // 2


def decompose_pairs(coding: Coding, x: NDArray, columns: Array, fixed: FixedEffects | None = None) -> Pairs:
    """Decompose by pairs or by samples, whichever are fewer; with covariates, columns are projected already."""
    if 0 < n_pairs(x.shape[1]) < len(x):
        return PrimalPairs.of(coding, x, columns, fixed)
    return DualPairs.of(coding, x, columns, fixed)
