"""The native engine: one simulated population with its truth, with AlphaSimR's meaning and none of its text."""

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

import gpatlas
from gpatlas.config.simulation import SimulationSpec
from gpatlas.dataset import Dataset, Effects, Pairs, Triples, Truth
from gpatlas.simulate.folds import assign_folds
from gpatlas.simulate.founders import quick_haplo
from gpatlas.simulate.genetics import GeneticValues, TraitGroup
from gpatlas.simulate.phenotypes import draw_phenotypes, error_variances
from gpatlas.simulate.population import Population
from gpatlas.simulate.reaction_norms import environment_deviations, environment_slopes
from gpatlas.simulate.traits import add_traits
from gpatlas.simulate.variances import genic_variances, realised_variances


@threadpool_limits.wrap(limits=1)  # sums of floats depend on how threads share them
def simulate(spec: SimulationSpec, seed: int) -> Dataset:
    """Simulate founders, traits, phenotypes and folds.

    Founders, traits, errors and folds have random streams of their own, so that two specs which differ only in
    heritability share genotypes, effects and the direction of every error.

    Parameters
    ----------
    spec
        What to simulate.
    seed
        Any non-negative integer; the same seed gives the same bytes, whatever the number of cores.

    Returns
    -------
    Dataset
        With `truth`.

    Raises
    ------
    ConfigError
        The heritability cannot be had.
    DataError
        No genetic variance to scale, or an empty fold.
    """
    streams = [np.random.Generator(np.random.SFC64(s)) for s in np.random.SeedSequence(seed).spawn(4)]
    founder_stream, trait_stream, error_stream, fold_stream = streams
    founders = spec.founders
    population = quick_haplo(
        founders.n_individuals,
        founders.sites,
        founder_stream,
        genetic_length=founders.genetic_length,
        ploidy=founders.ploidy,
        inbred=founders.inbred,
    )
    traits = add_traits(population, spec.traits, trait_stream)
    truth = make_truth(population, traits.groups, traits.values)
    var_e = error_variances(spec.phenotypes, truth.traits["var_a"], truth.traits["var_g"])
    truth.traits["var_e"] = var_e
    in_environment = environment_deviations(population, traits.groups, spec.phenotypes.p, error_stream)
    return Dataset(
        genotypes=population.genotypes(),
        phenotypes=draw_phenotypes(traits.values.gv + in_environment, var_e, spec.phenotypes, error_stream),
        sample_id=np.arange(1, founders.n_individuals + 1).astype("S"),
        locus_id=population.locus_id,
        trait_id=trait_names(spec.n_traits),
        ploidy=founders.ploidy,
        fold=assign_folds(founders.n_individuals, spec.folds, fold_stream),
        chromosome=population.chromosome.astype("S"),
        position=population.position,
        truth=truth,
        provenance={
            "gpatlas": gpatlas.__version__,
            "engine": {"name": "native", "version": gpatlas.__version__},
            "simulation": spec.model_dump(mode="json"),
            "seed": str(seed),
        },
    )


def make_truth(population: Population, groups: tuple[TraitGroup, ...], values: GeneticValues) -> Truth:
    """Record traits as flat tables, with their realised and genic variances."""
    effects: list[list[NDArray]] = [[], [], [], []]
    terms: dict[int, list[list[NDArray]]] = {2: [[], [], [], []], 3: [[], [], [], [], []]}
    trait = 0
    for group in groups:
        ends = group.loci[group.terms].T
        for k in range(group.n_traits):
            columns = (np.full(len(group.loci), trait), group.loci, group.additive[k], group.dominance[k])
            for column, value in zip(effects, columns, strict=True):
                column.append(value)
            if group.epistatic[k].any():
                columns = (np.full(len(group.terms), trait), *ends, group.epistatic[k])
                for column, value in zip(terms[len(ends)], columns, strict=True):
                    column.append(value)
            trait += 1
    variances = {key: np.diag(matrix).copy() for key, matrix in realised_variances(values).items()}
    intercept = np.concatenate([group.intercept for group in groups])
    if any(group.norms is not None for group in groups):
        env_variance = [np.zeros(g.n_traits) if g.norms is None else g.norms.env_variance for g in groups]
        variances["var_gxe"] = environment_slopes(population, groups).var(axis=0) * np.concatenate(env_variance)
    return Truth(
        genetic_values=values.gv,
        breeding_values=values.bv,
        effects=Effects(*_table(effects, (np.int32, np.int32, np.float64, np.float64))),
        pairs=Pairs(*_table(terms[2], (np.int32, np.int32, np.int32, np.float64))),
        triples=Triples(*_table(terms[3], (np.int32, np.int32, np.int32, np.int32, np.float64))),
        traits={"intercept": intercept, **variances, **genic_variances(population, groups)},
    )


def trait_names(n_traits: int) -> NDArray[np.str_]:
    """AlphaSimR's trait names, Trait1, Trait2, …"""
    return np.array([f"Trait{k}" for k in range(1, n_traits + 1)])


def _table(columns: list[list[NDArray]], types: tuple) -> list[NDArray]:
    return [
        np.concatenate(column).astype(kind) if column else np.empty(0, dtype=kind)
        for column, kind in zip(columns, types, strict=True)
    ]
