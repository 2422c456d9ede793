"""Genomic breeding values of the samples with their reliabilities, by GBLUP with covariates as fixed effects."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.automl.explain.structure import filled

Array = NDArray[np.float64]

LARGEST = 6000  # samples or loci, whichever are fewer, of which reliabilities are computed


@dataclass(frozen=True)
class BreedingValues:
    """GEBVs of several traits (one, or an indicator of each class), each array `(n_samples, n_traits)`.

    Parameters
    ----------
    gebv
        Deviations from the samples' mean, in trait units.
    reliability
        1 - PEV / prior variance.
    se
        √PEV, in trait units.
    h2
        `(n_traits,)` genomic heritabilities.
    """

    gebv: Array
    reliability: Array
    se: Array
    h2: Array


def breeding_values(X: NDArray, Y: Array, n_covariates: int) -> BreedingValues:
    """Estimate breeding values from a sample's own phenotype and those of its relatives.

    Parameters
    ----------
    X
        `(n_samples, n_loci + n_covariates)`: dosage, then covariates, which are fixed effects; NaN where missing.
    Y
        `(n_samples, n_traits)`.
    n_covariates
        Number of covariates.
    """
    from gpatlas.models import make

    x = filled(X)
    model = make("rrblup", n_covariates=n_covariates, reliability=True).fit(x, Y)
    _, reliability = model.predict(x, return_reliability=True)
    dosage = x[:, : x.shape[1] - n_covariates]
    dosage -= dosage.mean(axis=0)
    prior = (dosage**2).sum(axis=1)[:, None] * model.var_u_
    return BreedingValues(dosage @ model.marker_effects_, reliability, np.sqrt((1 - reliability) * prior), model.h2_)
