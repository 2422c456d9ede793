"""Traits on a founder population: drawn, then scaled so that the founders have the wanted mean and variance.

AlphaSimR R/Class-SimParam.R, addTraitA / AD / AE / ADE:

    s = √var / √pv(bv)   if useVarA (always for type A)        s = √var / √pv(gv)   otherwise
    a, d, e are multiplied by s;  intercept = mean - mean(gv)
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gpatlas.config.simulation import TraitSpec
from gpatlas.errors import DataError
from gpatlas.simulate.effects import draw_trait_groups
from gpatlas.simulate.genetics import GeneticValues, TraitGroup, genetic_values
from gpatlas.simulate.population import Population


@dataclass(frozen=True)
class FounderTraits:
    """Scaled traits with what they give in the founders."""

    groups: tuple[TraitGroup, ...]
    values: GeneticValues


def add_traits(population: Population, specs: tuple[TraitSpec, ...], rng: np.random.Generator) -> FounderTraits:
    """Draw and scale the traits of several `addTrait…` calls, each with its own QTL.

    Parameters
    ----------
    population
        The founders, which set the scale.
    specs
        One entry per call.
    rng
        Source of randomness.

    Raises
    ------
    DataError
        The founders show no variance to scale (every QTL is monomorphic), where AlphaSimR would divide by zero.
    """
    chromosomes = np.unique(population.chromosome)
    candidates = [np.flatnonzero(population.chromosome == c) for c in chromosomes]
    drawn = [draw_trait_groups(spec, candidates, rng, population.copies) for spec in specs]
    raw = genetic_values(population, [group for groups in drawn for group in groups])
    factor, intercept, start = np.empty(raw.gv.shape[1]), np.empty(raw.gv.shape[1]), 0
    for spec in specs:
        traits = slice(start, start := start + spec.n_traits)
        factor[traits], intercept[traits] = _scaling(spec, raw.gv[:, traits], raw.bv[:, traits])
    start, groups = 0, []
    for group in (group for groups in drawn for group in groups):
        traits = slice(start, start := start + group.n_traits)
        groups.append(group.scaled(factor[traits], intercept[traits]))
    # everything is linear in the effects, so the scaled values need no second pass
    values = replace(raw, gv=raw.gv * factor + intercept, bv=raw.bv * factor, dd=raw.dd * factor)
    return FounderTraits(tuple(groups), values)


def _scaling(spec: TraitSpec, gv: NDArray, bv: NDArray) -> tuple[NDArray, NDArray]:
    scaled_by = bv if spec.use_var_a or spec.type == "A" else gv
    spread = scaled_by.std(axis=0)
    if not (spread > 0).all():
        raise DataError(
            f"trait {np.flatnonzero(spread == 0)[0] + 1} of a call has no genetic variance among "
            f"{len(gv)} founders, so it cannot be scaled to var = {spec.var}; use more founders or more QTL"
        )
    factor = np.sqrt(spec.vector("var")) / spread
    return factor, spec.vector("mean") - gv.mean(axis=0) * factor
