"""Simulated populations with AlphaSimR's semantics."""

from gpatlas.simulate.founders import from_haplotypes, quick_haplo
from gpatlas.simulate.genetics import GeneticValues, TraitGroup, genetic_values
from gpatlas.simulate.native import simulate
from gpatlas.simulate.population import Population
from gpatlas.simulate.traits import add_traits
from gpatlas.simulate.variances import genic_variances, realised_variances

__all__ = [
    "GeneticValues",
    "Population",
    "TraitGroup",
    "add_traits",
    "from_haplotypes",
    "genetic_values",
    "genic_variances",
    "quick_haplo",
    "realised_variances",
    "simulate",
]
