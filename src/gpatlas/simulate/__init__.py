"""Simulated populations with AlphaSimR's semantics."""

from gpatlas.simulate.chips import SiteRoles, SnpChip, add_snp_chip, restrict_sites
from gpatlas.simulate.founders import even_map, from_haplotypes, quick_haplo, random_map
from gpatlas.simulate.genetics import GeneticValues, TraitGroup, genetic_values
from gpatlas.simulate.mosaic import mosaic
from gpatlas.simulate.native import simulate
from gpatlas.simulate.phenotypes import set_phenotypes
from gpatlas.simulate.population import Population
from gpatlas.simulate.reaction_norms import environment_slopes
from gpatlas.simulate.traits import add_traits
from gpatlas.simulate.variances import genic_variances, realised_variances

__all__ = [
    "GeneticValues",
    "Population",
    "SiteRoles",
    "SnpChip",
    "TraitGroup",
    "add_snp_chip",
    "add_traits",
    "environment_slopes",
    "even_map",
    "from_haplotypes",
    "genetic_values",
    "genic_variances",
    "mosaic",
    "quick_haplo",
    "random_map",
    "realised_variances",
    "restrict_sites",
    "set_phenotypes",
    "simulate",
]
