"""Simulated populations with AlphaSimR's semantics: founders, traits, crosses, selection, and ways out.

A program of recurrent selection among doubled haploids, whose chip does not hold the QTL:

    import numpy as np
    from gpatlas.config.simulation import PhenotypeSpec, TraitSpec
    from gpatlas.io import write_dataset
    from gpatlas.simulate import *

    rng = np.random.default_rng(1)
    founders = coalescent(50, 10, rng, demography=GENERIC, loci_per_chromosome=300)
    chip, roles = add_snp_chip(founders, 100, rng, min_frequency=0.05)
    traits = add_traits(founders, (TraitSpec(type="A", qtl_per_chromosome=20),), rng, roles.qtl)
    parents = founders
    for cycle in range(5):
        lines = make_dh(rand_cross(parents, 20, rng), rng, n_dh=10)
        phenotypes = set_phenotypes(lines, traits, PhenotypeSpec(h2=0.5), rng)
        parents = lines.take(select_individuals(lines, phenotypes[:, 0], 10))
        print(cycle, genetic_values(lines, traits.groups).gv.mean())
    write_dataset(to_dataset(lines, traits=traits, phenotypes=phenotypes, chip=chip), "lines.h5")

Every function that draws takes a `numpy.random.Generator`; the same seed gives the same bytes.
"""

from gpatlas.simulate.chips import SiteRoles, SnpChip, add_snp_chip, restrict_sites
from gpatlas.simulate.coalescent import coalescent
from gpatlas.simulate.crossing import backcross, make_cross, make_cross2, self_pollinate
from gpatlas.simulate.datasets import from_dataset, phased_haplotypes, to_dataset
from gpatlas.simulate.demography import CATTLE, GENERIC, MAIZE, WHEAT, Demography
from gpatlas.simulate.founders import even_map, from_haplotypes, quick_haplo, random_map
from gpatlas.simulate.genetic_map import GeneticMap
from gpatlas.simulate.genetics import GeneticValues, TraitGroup, genetic_values
from gpatlas.simulate.meiosis import Meiosis
from gpatlas.simulate.mosaic import mosaic, mosaic_of
from gpatlas.simulate.native import simulate
from gpatlas.simulate.pedigree import Pedigree, family_codes
from gpatlas.simulate.phenotypes import set_phenotypes
from gpatlas.simulate.ploidy import double_genome, make_dh, merge_genome, reduce_genome
from gpatlas.simulate.population import FEMALE, MALE, Population, concatenate
from gpatlas.simulate.pull import pull_genotypes, pull_haplotypes
from gpatlas.simulate.random_crosses import open_pollinate, rand_cross, rand_cross2
from gpatlas.simulate.reaction_norms import environment_slopes
from gpatlas.simulate.recombinations import Recombinations
from gpatlas.simulate.selection import select_families, select_individuals, select_within_family, smith_hazel
from gpatlas.simulate.traits import add_traits
from gpatlas.simulate.tree_sequences import to_tskit
from gpatlas.simulate.variances import genic_variances, realised_variances

__all__ = [
    "CATTLE",
    "FEMALE",
    "GENERIC",
    "MAIZE",
    "MALE",
    "WHEAT",
    "Demography",
    "GeneticMap",
    "GeneticValues",
    "Meiosis",
    "Pedigree",
    "Population",
    "Recombinations",
    "SiteRoles",
    "SnpChip",
    "TraitGroup",
    "add_snp_chip",
    "add_traits",
    "backcross",
    "coalescent",
    "concatenate",
    "double_genome",
    "environment_slopes",
    "even_map",
    "family_codes",
    "from_dataset",
    "from_haplotypes",
    "genetic_values",
    "genic_variances",
    "make_cross",
    "make_cross2",
    "make_dh",
    "merge_genome",
    "mosaic",
    "mosaic_of",
    "open_pollinate",
    "phased_haplotypes",
    "pull_genotypes",
    "pull_haplotypes",
    "quick_haplo",
    "rand_cross",
    "rand_cross2",
    "random_map",
    "realised_variances",
    "reduce_genome",
    "restrict_sites",
    "select_families",
    "select_individuals",
    "select_within_family",
    "self_pollinate",
    "set_phenotypes",
    "simulate",
    "smith_hazel",
    "to_dataset",
    "to_tskit",
]
