"""Filters of loci that look at dosages alone: rare alleles, and loci that others explain."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval

from gpatlas.munge.transformers.base import LocusSelector, filled, known_means

COLLINEAR = 1e-10  # less than this share of a column's sum of squares is left when earlier ones are taken off


class FrequencyFilter(LocusSelector):
    """Keep loci whose minor allele is frequent enough among the training samples.

    Parameters
    ----------
    minimum : float, default=0.01
        Smallest minor allele frequency to keep; loci that do not vary are never kept.
    ploidy : int, default=2
        Chromosome sets.
    n_covariates : int, default=0
        Columns at the end that are covariates; they are kept.

    Attributes
    ----------
    kept_ : ndarray of bool of shape (n_loci,)
    minor_allele_frequency_ : ndarray of shape (n_loci,)
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "minimum": [Interval(Real, 0, 0.5, closed="both")],
        "ploidy": [Interval(Integral, 1, None, closed="left")],
        "n_covariates": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, minimum: float = 0.01, ploidy: int = 2, n_covariates: int = 0):
        self.minimum = minimum
        self.ploidy = ploidy
        self.n_covariates = n_covariates

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> "FrequencyFilter":
        """Count alleles; `y` is not looked at."""
        x = self._fitting(X)[:, : self._n_loci]
        frequency = known_means(x) / self.ploidy
        self.minor_allele_frequency_: NDArray = np.minimum(frequency, 1 - frequency)
        varies = np.fmax.reduce(x, axis=0) > np.fmin.reduce(x, axis=0)  # not where nothing is known
        self.kept_ = varies & (self.minor_allele_frequency_ >= self.minimum - 1e-12)
        return self


class VIFFilter(LocusSelector):
    """Drop loci that others in their chunk explain, the most explained first, until none exceeds a limit.

    The variance inflation factor of a locus is 1 / (1 - R²) of its regression on the others. Chunks are consecutive
    loci; when all are done, the survivors are cut into chunks anew, half a chunk further on, until two passes drop
    nothing. Loci that are never in one chunk, thus far apart, do not count for each other.

    Parameters
    ----------
    limit : float, default=10
        Largest variance inflation factor to keep.
    chunk : int, default=200
        Loci to a chunk; taken as half the training samples where that is less, as regressions need samples.
    n_covariates : int, default=0
        Columns at the end that are covariates; they are kept, and explain nothing here.

    Attributes
    ----------
    kept_ : ndarray of bool of shape (n_loci,)
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        "limit": [Interval(Real, 1, None, closed="left")],
        "chunk": [Interval(Integral, 2, None, closed="left")],
        "n_covariates": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, limit: float = 10.0, chunk: int = 200, n_covariates: int = 0):
        self.limit = limit
        self.chunk = chunk
        self.n_covariates = n_covariates

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> "VIFFilter":
        """Find the loci to keep; `y` is not looked at. A missing dosage counts as its locus' mean."""
        x = self._fitting(X)[:, : self._n_loci]
        means = known_means(x)
        kept = np.arange(self._n_loci)
        step = max(2, min(self.chunk, len(x) // 2))
        passes_without_loss, offset = 0, 0
        while passes_without_loss < 2:
            parts = np.split(kept, range(offset or step, len(kept), step))
            left = np.concatenate([part[low_inflation(filled(x[:, part], means[part]), self.limit)] for part in parts])
            passes_without_loss = passes_without_loss + 1 if len(left) == len(kept) else 0
            kept, offset = left, step // 2 - offset
        self.kept_ = np.zeros(self._n_loci, dtype=bool)
        self.kept_[kept] = True
        return self


def low_inflation(x: NDArray[np.float64], limit: float) -> NDArray[np.intp]:
    """Return the columns of x that stay when the one of largest inflation is dropped until none exceeds `limit`.

    Columns that do not vary have no inflation, and stay. Columns that earlier ones determine go first. Of equally
    inflated ones, as two that are left always are, the last goes, whatever rounding says.
    """
    deviation = x - x.mean(axis=0)
    length = np.sqrt((deviation**2).sum(axis=0))
    varies = length > 1e-10 * np.maximum(1, np.abs(x).max(axis=0, initial=0)) * np.sqrt(len(x))
    inside = np.flatnonzero(varies)
    z = deviation[:, inside] / length[inside]
    correlation = z.T @ z
    independent = _independent(correlation)
    kept, inverse = inside[independent], np.linalg.inv(correlation[np.ix_(independent, independent)])
    while len(kept) and (inflation := inverse.diagonal()).max() > limit:
        worst = np.flatnonzero(inflation > inflation.max() * (1 - 1e-9))[-1]
        # the inverse without a variable, from the inverse with it
        row = inverse[worst]
        inverse = inverse - np.outer(row, row) / row[worst]
        left = np.delete(np.arange(len(kept)), worst)
        kept, inverse = kept[left], inverse[np.ix_(left, left)]
    return np.sort(np.concatenate([kept, np.flatnonzero(~varies)]))


def _independent(correlation: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the columns that are no linear combination of earlier ones, by Gaussian elimination."""
    left, chosen = correlation.copy(), []
    for j in range(len(left)):
        if left[j, j] > COLLINEAR:
            chosen.append(j)
            left -= np.outer(left[j], left[j]) / left[j, j]
    return np.array(chosen, dtype=np.intp)
