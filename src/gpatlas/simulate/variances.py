"""Variances of a population's traits: realised, and genic (AlphaSimR genParam, src/calcGenParam.cpp).

Realised variances are those of bv, dd, aa and gv over the individuals (divisor n), so linkage disequilibrium and
departures from Hardy-Weinberg proportions are in them. Genic variances are what unlinked loci in Hardy-Weinberg
proportions with the same allele frequencies p would give; with f° = Binomial(P, p):

    genic varA  = Σ α°² var°(x)                      α° from f°, var°(x) = P p (1 - p)
    genic varD  = Σ d² [var°(xd) - β°² var°(x)]
    genic varAA = Σ_terms e² Σ_S Π_{i∈S} var°(xa_i) Π_{j∉S} c°_j²      S: subsets of two loci or more of the term

which is Σ_pairs e² var°(xa_i) var°(xa_j) for pairs. Triples that share no pair are assumed: our engine's are disjoint.

AlphaSimR 2.x gives the second locus of a pair the first one's α°; that bug (absent in 1.4.2) is not reproduced.
"""

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from gpatlas.simulate.genetics import (
    GeneticValues,
    LocusMoments,
    TraitGroup,
    average_effects,
    population_covariance,
)
from gpatlas.simulate.population import Population


def realised_variances(values: GeneticValues) -> dict[str, NDArray[np.float64]]:
    """Return `var_a`, `var_d`, `var_aa`, `var_g`, covariance matrices over traits `(n_traits, n_traits)`."""
    return {
        "var_a": population_covariance(values.bv),
        "var_d": population_covariance(values.dd),
        "var_aa": population_covariance(values.aa),
        "var_g": population_covariance(values.gv),
    }


def genic_variances(population: Population, groups: Sequence[TraitGroup]) -> dict[str, NDArray[np.float64]]:
    """Return `genic_var_a`, `genic_var_d`, `genic_var_aa` and their sum `genic_var_g`, each `(n_traits,)`."""
    parts = [_genic(population, group) for group in groups]
    genic = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    return genic | {"genic_var_g": sum(genic.values(), start=np.zeros(1))}


def _genic(population: Population, group: TraitGroup) -> dict[str, NDArray[np.float64]]:
    ploidy = population.ploidy
    frequencies = population.genotype_counts(group.loci) / population.n_individuals
    p = np.arange(ploidy + 1) @ frequencies / ploidy
    x = np.arange(ploidy + 1)[:, None]
    ways = np.array([[math.comb(ploidy, k)] for k in range(ploidy + 1)])
    moments = LocusMoments.of(ways * p**x * (1 - p) ** (ploidy - x))  # Hardy-Weinberg proportions
    alpha = average_effects(group, moments, ploidy)
    residual_xd = moments.var_xd - moments.slope_xd**2 * moments.var_x
    var_xa = moments.var_x * (2 / ploidy) ** 2
    return {
        "genic_var_a": alpha**2 @ moments.var_x,
        "genic_var_d": group.dominance**2 @ residual_xd,
        "genic_var_aa": group.epistatic**2 @ _interaction_variance(group.terms, var_xa, moments.mean_xa),
    }


def _interaction_variance(terms: NDArray[np.intp], var_xa: NDArray, mean_xa: NDArray) -> NDArray[np.float64]:
    """Variance of each term's product beyond its additive parts, with unlinked loci, `(n_terms,)`."""
    order = terms.shape[1]
    subsets = (list(s) for size in range(2, order + 1) for s in combinations(range(order), size))
    return sum(
        (
            var_xa[terms[:, inside]].prod(axis=1) * (mean_xa[np.delete(terms, inside, axis=1)] ** 2).prod(axis=1)
            for inside in subsets
        ),
        start=np.zeros(len(terms)),
    )
