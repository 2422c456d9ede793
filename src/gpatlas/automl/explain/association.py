"""Single-marker association: each locus alone, beside covariates and principal components as fixed effects.

    y = W γ + x_j β_j + e,    W = [1, covariates, components],  e ~ N(0, σ² I)

By Frisch & Waugh (1933) and Lovell (1963) β_j is the slope of y on x_j when both are residuals from W:

    β_j = x̃_j'ỹ / x̃_j'x̃_j,   se² = (ỹ'ỹ - β_j² x̃_j'x̃_j) / (ν x̃_j'x̃_j),   β_j/se ~ t with ν = n - rank(W) - 1

which is exact under the model. For a 0/1 trait β is a difference in risk. With more than two classes the test is
whether any class has another mean dosage (F with k-1 and n - rank(W) - (k-1) degrees of freedom); its effect is the
share of the locus' variance between classes, which has no sign and no standard error.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from gpatlas.automl.explain.structure import filled

Array = NDArray[np.float64]

MEDIAN_CHI2 = float(stats.chi2.ppf(0.5, 1))
_LOCI_AT_ONCE = 4096


@dataclass(frozen=True)
class Association:
    """What single markers show, each array `(n_loci,)`; NaN where a locus does not vary beside the fixed effects."""

    effect: Array
    se: Array
    p: Array

    @property
    def inflation(self) -> float:
        """Genomic control λ: median χ² of the tests over that expected by chance (Devlin & Roeder 1999); 1 is right."""
        known = self.p[np.isfinite(self.p)]
        return float(np.median(stats.chi2.isf(known, 1)) / MEDIAN_CHI2) if len(known) else np.nan


def associate(dosage: NDArray, y: Array, fixed: Array, n_classes: int = 0) -> Association:
    """Test every locus.

    Parameters
    ----------
    dosage
        `(n_samples, n_loci)`, NaN where missing, which becomes the locus' mean.
    y
        `(n_samples,)`: the trait, or codes of classes.
    fixed
        `(n_samples, n_fixed)` covariates and components, without the intercept; may be collinear.
    n_classes
        Of y where it holds more than two classes, else 0.
    """
    n, n_loci = dosage.shape
    basis = _orthonormal(np.column_stack([np.ones(n), filled(fixed)]))
    traits = np.eye(n_classes)[y.astype(int)][:, 1:] if n_classes > 2 else y[:, None]
    residual = traits - basis @ (basis.T @ traits)
    residual[:, (residual**2).sum(axis=0) <= 1e-18 * (traits**2).sum(axis=0)] = 0.0  # explained already
    directions = _orthonormal(residual)  # of one trait: ỹ / |ỹ|
    n_directions = directions.shape[1]
    freedom = n - basis.shape[1] - n_directions
    explained, squares, slope = np.zeros(n_loci), np.zeros(n_loci), np.zeros(n_loci)
    for start in range(0, n_loci, _LOCI_AT_ONCE):
        loci = slice(start, start + _LOCI_AT_ONCE)
        x = filled(dosage[:, loci])
        total = ((x - x.mean(axis=0)) ** 2).sum(axis=0)
        x -= basis @ (basis.T @ x)
        left = (x**2).sum(axis=0)
        squares[loci] = np.where(left > 1e-9 * total + 1e-12, left, np.nan)
        explained[loci] = ((directions.T @ x) ** 2).sum(axis=0)
        slope[loci] = x.T @ residual[:, 0]
    nothing = np.full(n_loci, np.nan)
    if freedom < 1 or not n_directions:
        return Association(nothing, nothing.copy(), nothing.copy())
    share = np.minimum(explained / squares, 1.0)
    with np.errstate(divide="ignore"):
        f = (share / n_directions) / ((1 - share) / freedom)
    p = stats.f.sf(f, n_directions, freedom)
    if n_classes > 2:
        return Association(share, nothing, p)
    total_y = (residual**2).sum()
    return Association(slope / squares, np.sqrt(total_y * (1 - share) / freedom / squares), p)


def _orthonormal(columns: Array) -> Array:
    """Return an orthonormal basis of what columns span, `(n_samples, rank)`."""
    scale = np.sqrt((columns**2).sum(axis=0))
    columns = columns[:, scale > 1e-9 * max(scale.max(initial=0.0), 1e-300)]
    if not columns.shape[1]:
        return columns
    left, singular, _ = np.linalg.svd(columns / np.sqrt((columns**2).sum(axis=0)), full_matrices=False)
    return left[:, singular > 1e-9 * singular[0]]
