"""Error variances and phenotypes (AlphaSimR R/phenotypes.R: setPheno, calcPheno, addError).

    h2:  varE = varA/h2 - varG        H2:  varE = varG·(1/H2 - 1)        or varE as given
    Σ  = √D corE √D,  D = diag(varE)
    phenotype = gv + slope·w + ε/√reps,  ε ~ N(0, Σ)            slope·w: see `reaction_norms`

varA and varG are those of the founders at the time the trait was made. Deviation from AlphaSimR: a singular Σ (for
example H2 = 1 with corE) keeps its zero variances, where AlphaSimR turns it into a correlation matrix.
"""

import numpy as np
from numpy.typing import NDArray

from gpatlas.config.simulation import PhenotypeSpec, correlation_matrix
from gpatlas.errors import ConfigError
from gpatlas.simulate.effects import symmetric_root
from gpatlas.simulate.genetics import genetic_values
from gpatlas.simulate.population import Population
from gpatlas.simulate.reaction_norms import environment_deviations
from gpatlas.simulate.traits import FounderTraits


def set_phenotypes(
    population: Population, traits: FounderTraits, spec: PhenotypeSpec, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Phenotype a population in one environment (AlphaSimR setPheno).

    Parameters
    ----------
    population
        The founders or any of their descendants.
    traits
        From `add_traits`. Heritabilities refer to the founders, whoever is phenotyped.
    spec
        Error variance, its correlation among traits, replications and environment.
    rng
        Source of randomness.

    Returns
    -------
    ndarray of float64
        `(n_individuals, n_traits)`.

    Raises
    ------
    ConfigError
        The heritability cannot be had.
    """
    values = genetic_values(population, traits.groups).gv
    values += environment_deviations(population, traits.groups, spec.p, rng)
    return draw_phenotypes(values, error_variances(spec, traits.var_a, traits.var_g), spec, rng)


def error_variances(spec: PhenotypeSpec, var_a: NDArray, var_g: NDArray) -> NDArray[np.float64]:
    """Return varE `(n_traits,)` from the founders' additive and total genetic variances `(n_traits,)`.

    Raises
    ------
    ConfigError
        A narrow-sense heritability is larger than varA/varG allows.
    """
    if spec.var_e is not None:
        return np.broadcast_to(np.asarray(spec.var_e, dtype=np.float64), var_g.shape).copy()
    if spec.h2_broad is not None:
        return var_g * (1 / np.broadcast_to(spec.h2_broad, var_g.shape) - 1)
    h2 = np.broadcast_to(np.asarray(spec.h2, dtype=np.float64), var_g.shape)
    var_e = var_a / h2 - var_g
    for trait in np.flatnonzero(var_e < 0):
        raise ConfigError(
            f"phenotypes.h2: trait {trait + 1} cannot have h2 = {h2[trait]:g}, because its additive variance is "
            f"only {var_a[trait] / var_g[trait]:.3g} of its genetic variance; lower h2 or give h2_broad"
        )
    return var_e


def draw_phenotypes(
    genetic_values: NDArray[np.float64], var_e: NDArray, spec: PhenotypeSpec, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Add errors to genetic values `(n_individuals, n_traits)`; returns the same shape."""
    errors = rng.standard_normal(genetic_values.shape)
    if spec.cor_e is not None:
        errors = errors @ symmetric_root(correlation_matrix(spec.cor_e, len(var_e)))
    return genetic_values + errors * np.sqrt(var_e / spec.reps)
