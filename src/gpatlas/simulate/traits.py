"""Traits on a founder population: drawn, then scaled so that the founders have the wanted mean and variance.

AlphaSimR R/Class-SimParam.R, addTraitA / AD / AE / ADE, and AG / ADG / AEG / ADEG (see `reaction_norms`):

    s = √var / √pv(bv)   if useVarA (always for types A and AG)        s = √var / √pv(gv)   otherwise
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
from gpatlas.simulate.reaction_norms import scaled_norms


@dataclass(frozen=True)
class FounderTraits:
    """Scaled traits, which follow the population: they hold for whoever descends from the founders.

    Parameters
    ----------
    groups
        What `genetic_values(population, groups)` and its like take, for any population on the founders' loci.
    values
        What they give in the founders.
    """

    groups: tuple[TraitGroup, ...]
    values: GeneticValues

    @property
    def n_traits(self) -> int:
        """Number of traits."""
        return self.values.gv.shape[1]

    @property
    def loci(self) -> NDArray[np.intp]:
        """Ascending indices of the loci that are a QTL of any trait."""
        return np.unique(np.concatenate([group.loci for group in self.groups]))

    @property
    def var_a(self) -> NDArray[np.float64]:
        """Additive variance of the founders, `(n_traits,)`, which h2 refers to."""
        return self.values.bv.var(axis=0)

    @property
    def var_g(self) -> NDArray[np.float64]:
        """Genetic variance of the founders, `(n_traits,)`, which h2_broad refers to."""
        return self.values.gv.var(axis=0)


def add_traits(
    population: Population,
    specs: tuple[TraitSpec, ...],
    rng: np.random.Generator,
    eligible: NDArray[np.bool_] | None = None,
) -> FounderTraits:
    """Draw and scale the traits of several `addTrait…` calls, each with its own QTL.

    Parameters
    ----------
    population
        The founders, which set the scale.
    specs
        One entry per call.
    rng
        Source of randomness.
    eligible
        bool `(n_loci,)`, which loci may become QTL (`SiteRoles.qtl`); all of them when left out.

    Raises
    ------
    DataError
        Too few loci may become QTL, or the founders show no variance to scale (every QTL is monomorphic), where
        AlphaSimR would divide by zero.
    """
    chromosomes = np.unique(population.chromosome)
    open_to = np.ones(population.n_loci, dtype=bool) if eligible is None else eligible
    candidates = [np.flatnonzero(open_to & (population.chromosome == c)) for c in chromosomes]
    drawn = [draw_trait_groups(spec, candidates, rng, population.copies) for spec in specs]
    raw = genetic_values(population, [group for groups in drawn for group in groups])
    factor, intercept, start = np.empty(raw.gv.shape[1]), np.empty(raw.gv.shape[1]), 0
    for spec in specs:
        traits = slice(start, start := start + spec.n_traits)
        factor[traits], intercept[traits] = _scaling(spec, raw.gv[:, traits], raw.bv[:, traits])
    start, groups = 0, []
    for spec, of_call in zip(specs, drawn, strict=True):
        first = start
        for group in of_call:
            traits = slice(start, start := start + group.n_traits)
            group = group.scaled(factor[traits], intercept[traits])
            if group.norms is not None:
                group = scaled_norms(population, group, spec, slice(traits.start - first, traits.stop - first))
            groups.append(group)
    # everything is linear in the effects, so the scaled values need no second pass
    values = replace(raw, gv=raw.gv * factor + intercept, bv=raw.bv * factor, dd=raw.dd * factor)
    return FounderTraits(tuple(groups), values)


def _scaling(spec: TraitSpec, gv: NDArray, bv: NDArray) -> tuple[NDArray, NDArray]:
    scaled_by = bv if spec.use_var_a or spec.type in ("A", "AG") else gv
    spread = scaled_by.std(axis=0)
    if not (spread > 0).all():
        raise DataError(
            f"trait {np.flatnonzero(spread == 0)[0] + 1} of a call has no genetic variance among "
            f"{len(gv)} founders, so it cannot be scaled to var = {spec.var}; use more founders or more QTL"
        )
    factor = np.sqrt(spec.vector("var")) / spread
    return factor, spec.vector("mean") - gv.mean(axis=0) * factor
