"""Covariates as fixed effects: unpenalised, with the intercept, beside random effects of loci.

    y = [1, W] b + g + e,     g ~ N(0, G),   e ~ N(0, σ²_e I)

With the orthonormal basis A of [1, W] and M = I - AA', the restricted likelihood is that of My (the error contrasts;
Patterson & Thompson 1971), whose covariance is MGM + σ²_e M: everything random is projected by M, and n - rank[1, W]
contrasts are left. Henderson's (1975) first line gives what is fixed: [1, W] b̂ = AA'(y - ĝ). Without covariates all
of this is centring, which has code of its own that it shares no rounding with.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import svd

Array = NDArray[np.float64]
_SMALLEST_SHARE = 1e-9  # of the largest singular value of standardised covariates; what is below is rounding


@dataclass(frozen=True)
class FixedEffects:
    """The space of intercept and covariates over some samples.

    Parameters
    ----------
    mean
        `(q,)` means of the covariates.
    basis
        A `(n, rank)`, orthonormal; its first column is constant.
    back
        `(q, rank - 1)`: coordinates on A's other columns → effects of covariates, of least length where covariates
        say the same.
    """

    mean: Array
    basis: Array
    back: Array

    @classmethod
    def of(cls, covariates: NDArray) -> "FixedEffects":
        """Decompose covariates `(n, q)`, which are complete; constant ones have no effect.

        Raises
        ------
        ValueError
            They leave nothing for what is random.
        """
        w = np.asarray(covariates, dtype=np.float64)
        n, mean = len(w), w.mean(axis=0)
        sd = w.std(axis=0)
        inverse = np.where(sd > 1e-7 * np.abs(mean), 1 / np.where(sd > 0, sd, 1.0), 0.0)
        u, s, vt = svd((w - mean) * inverse, full_matrices=False)
        kept = s > _SMALLEST_SHARE * max(s.max(initial=0.0), 1e-300)
        rank = 1 + int(kept.sum())
        if rank >= n:
            raise ValueError(
                f"intercept and {w.shape[1]} covariates explain {n} samples completely; leave covariates out"
            )
        basis = np.hstack([np.full((n, 1), n**-0.5), u[:, kept]])
        return cls(mean, basis, inverse[:, None] * vt[kept].T / s[kept])

    @property
    def rank(self) -> int:
        """Dimensions of [1, W]."""
        return self.basis.shape[1]

    @property
    def leverage(self) -> Array:
        """Diagonal of AA', `(n,)`."""
        return np.einsum("ij,ij->i", self.basis, self.basis)

    def project(self, columns: Array) -> Array:
        """Return M · columns, `(n, c)`; a column that is fixed altogether becomes exactly 0."""
        left = columns - self.basis @ (self.basis.T @ columns)
        return np.where(np.abs(left).max(axis=0) <= 1e-12 * np.abs(columns).max(axis=0), 0.0, left)

    def project_kernel(self, kernel: Array) -> Array:
        """Return M K M, `(n, n)`."""
        half = kernel - self.basis @ (self.basis.T @ kernel)
        half -= (half @ self.basis) @ self.basis.T
        return (half + half.T) / 2

    def estimate(self, rest: Array) -> tuple[Array, Array]:
        """Return the intercept at covariates of 0 `(t,)` and effects `(q, t)` from y less random values `(n, t)`."""
        effects = self.back @ (self.basis[:, 1:].T @ rest)
        return rest.mean(axis=0) - self.mean @ effects, effects
