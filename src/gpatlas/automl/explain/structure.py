"""Population structure: principal components of standardised genotypes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

Array = NDArray[np.float64]

LARGEST_EXACT = 4000  # rows of the smaller Gram matrix that is decomposed; beyond, the leading part is approximated


@dataclass(frozen=True)
class Components:
    """Leading principal components.

    Parameters
    ----------
    scores
        `(n_samples, n_components)`, largest variance first; the entry of largest magnitude is positive.
    shares
        `(n_components,)` of the genotypes' total variance.
    n_loci
        Loci that vary, which are those used.
    """

    scores: Array
    shares: Array
    n_loci: int


def principal_components(dosage: NDArray, n_components: int = 10, seed: int = 0) -> Components:
    """Decompose genotypes whose loci have mean 0 and variance 1 (Price et al. 2006, Nature Genetics 38:904).

    Parameters
    ----------
    dosage
        `(n_samples, n_loci)`, NaN where missing, which becomes the locus' mean.
    n_components
        How many are wanted; there are fewer where samples or varying loci are fewer.
    seed
        Of the randomised decomposition (Halko, Martinsson & Tropp 2011) that is used where both samples and loci are
        more than `LARGEST_EXACT`; else the decomposition is exact and nothing is random.
    """
    z = standardised(dosage)
    n, p = z.shape
    k = min(n_components, n - 1, p)
    if k < 1:
        return Components(np.empty((n, 0)), np.empty(0), p)
    if min(n, p) > LARGEST_EXACT:
        from sklearn.utils.extmath import randomized_svd

        left, singular, _ = randomized_svd(z, k, random_state=seed % 2**32)
        scores, variance = left * singular, np.asarray(singular, dtype=np.float64) ** 2
    elif n <= p:
        variance, left = _leading(z @ z.T, k)
        scores = left * np.sqrt(variance)
    else:
        variance, right = _leading(z.T @ z, k)
        scores = z @ right
    sign = np.sign(scores[np.abs(scores).argmax(axis=0), np.arange(k)])
    return Components(scores * np.where(sign == 0, 1, sign), variance / (n * p), p)


def standardised(dosage: NDArray) -> Array:
    """Return the loci that vary with mean 0 and variance 1 (divisor n); missing becomes 0."""
    x = filled(dosage)
    x -= x.mean(axis=0)
    sd = x.std(axis=0)
    varies = sd > 1e-6
    return x[:, varies] / sd[varies]


def filled(dosage: NDArray) -> Array:
    """Return a float64 copy in which a missing value is its column's mean, and 0 where all are missing."""
    x = np.array(dosage, dtype=np.float64)
    missing = np.isnan(x)
    if missing.any():
        known = np.maximum((~missing).sum(axis=0), 1)
        x[missing] = 0.0
        x += missing * (x.sum(axis=0) / known)
    return x


def _leading(gram: Array, k: int) -> tuple[Array, Array]:
    """Return the k largest eigenvalues, descending, and their vectors."""
    values, vectors = eigh(gram, subset_by_index=(len(gram) - k, len(gram) - 1))
    return np.maximum(values[::-1], 0.0), vectors[:, ::-1]
