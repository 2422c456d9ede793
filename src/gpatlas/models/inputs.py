"""What every estimator does with its inputs before it computes: shapes, missing genotypes, missing phenotypes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array, check_consistent_length, validate_data

from gpatlas.models.products import Genotypes, rows_of
from gpatlas.packed import Bits


def validated_genotypes(estimator: Any, X: ArrayLike | Bits, *, reset: bool, minimum: int = 1) -> Any:
    """Check dosages, or bits (which are numbers, complete and finite by what they are) where an estimator streams.

    Raises
    ------
    ValueError
        Not numbers, infinite, fewer than `minimum` samples, or other loci than the estimator was fitted to.
    """
    if not (isinstance(X, Bits) and estimator.streams):
        least = {"ensure_min_samples": minimum} if reset else {}
        return validate_data(estimator, X, dtype="numeric", ensure_all_finite="allow-nan", reset=reset, **least)
    if reset:
        if len(X) < minimum:
            raise ValueError(f"X has {len(X)} samples, but {type(estimator).__name__} needs at least {minimum}")
        estimator.n_features_in_ = X.shape[1]
    elif X.shape[1] != estimator.n_features_in_:
        raise ValueError(
            f"X has {X.shape[1]} loci, but {type(estimator).__name__} was fitted to {estimator.n_features_in_}"
        )
    return X


def validated_phenotypes(X: Genotypes, y: ArrayLike, minimum: int) -> NDArray[np.float64]:
    """Return phenotypes as float64 `(n_samples, n_traits)` with NaN for missing.

    Raises
    ------
    ValueError
        Not numbers, infinite, of another length than X, or a trait with fewer than `minimum` values.
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    Y = check_array(y, dtype=np.float64, ensure_2d=False, ensure_all_finite="allow-nan", input_name="y")
    check_consistent_length(X, Y)
    Y = Y.reshape(len(Y), -1)
    known = (~np.isnan(Y)).sum(axis=0)
    if (known < minimum).any():
        trait = int(np.argmax(known < minimum))
        raise ValueError(
            f"trait {trait} has {known[trait]} phenotyped samples, but at least {minimum} are needed to fit"
        )
    return Y


def complete_parts(X: Genotypes, Y: NDArray[np.float64]) -> Iterator[tuple[Any, NDArray[np.float64], NDArray[np.intp]]]:
    """Group traits that are missing in the same samples: yields `(x, y, traits)` of the samples that have them."""
    known = ~np.isnan(Y)
    if known.all():
        yield X, Y, np.arange(Y.shape[1])
        return
    patterns, member = np.unique(known, axis=1, return_inverse=True)
    for k in range(patterns.shape[1]):
        rows, traits = np.flatnonzero(patterns[:, k]), np.flatnonzero(member == k)
        yield (X if len(rows) == len(Y) else rows_of(X, rows)), Y[np.ix_(rows, traits)], traits


def fill_missing(X: NDArray, means: NDArray | None = None) -> tuple[NDArray, NDArray | None]:
    """Replace NaN by the locus' mean: the one given, or that of X (0 where nothing is known)."""
    if X.dtype.kind != "f":
        return X, means
    missing = np.isnan(X)
    if not missing.any():
        return X, means
    if means is None:
        means = locus_means(X)
    return np.where(missing, means, X), means


def locus_means(X: Genotypes) -> NDArray[np.float64]:
    """Mean of every locus over the calls that are there, `(n_loci,)`; 0 where none is."""
    if isinstance(X, Bits):
        return X.count_ones() / len(X)
    if X.dtype.kind != "f":
        return X.mean(axis=0, dtype=np.float64)
    known = (~np.isnan(X)).sum(axis=0)
    return np.nansum(X, axis=0, dtype=np.float64) / np.maximum(known, 1)
