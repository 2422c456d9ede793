"""Prediction intervals from the errors on samples that were left out."""

import math

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import DataError


def half_width(residuals: NDArray[np.float64], coverage: float) -> float:
    """Return the half width of intervals that hold a new phenotype with a given chance.

    It is the ⌈(n + 1)·coverage⌉-th smallest absolute residual: split-conformal prediction, whose residuals are of
    samples that the model was not fitted to. Ours come from cross-validation, so that the model itself is fitted to
    a few more samples than those that made them: the "jackknife" intervals of Barber et al. (2021) Ann. Stat. 49:486,
    which cover as they say where leaving out a fold hardly changes the model.

    Parameters
    ----------
    residuals
        Absolute, `(n,)`, phenotype units.
    coverage
        In (0, 1).

    Raises
    ------
    DataError
        Too few residuals for this coverage.
    """
    rank = math.ceil((len(residuals) + 1) * coverage)
    if rank > len(residuals):
        raise DataError(
            f"intervals of coverage {coverage:g} cannot be had from {len(residuals)} residuals; "
            f"at most {len(residuals) / (len(residuals) + 1):.3g}"
        )
    return float(np.partition(residuals, rank - 1)[rank - 1])
