"""Genotype by environment: every genotype answers an environment along a line, whose slope is a trait of its own.

AlphaSimR R/Class-SimParam.R, addTraitAG … ADEG, and R/phenotypes.R, calcPheno:

    slope_i    = intercept + Σ g xa_i                     g: effects on the trait's own QTL, always normal
    pheno_i    = gv_i + slope_i · w + error               w = Φ⁻¹(p) √varEnv, the environment

Scaled in the founders: with varEnv > 0, pv(slope) = varGxE/varEnv and mean(slope) = 1, so that w is the
environment's own effect; with varEnv = 0, pv(slope) = varGxE and mean(slope) = 0 at environments of variance 1, so
that an environment changes no mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gpatlas.config.simulation import TraitSpec
from gpatlas.encoding import additive_coding
from gpatlas.errors import DataError
from gpatlas.simulate.population import Population

if TYPE_CHECKING:
    from gpatlas.simulate.genetics import TraitGroup


@dataclass(frozen=True)
class ReactionNorms:
    """Slopes of the traits of one group.

    Parameters
    ----------
    effects
        `(n_traits, n_qtl)` effects g of the group's QTL on the slope.
    intercept
        `(n_traits,)`, slope of the genotype whose xa are all 0.
    env_variance
        `(n_traits,)`, variance of environments.
    """

    effects: NDArray[np.float64]
    intercept: NDArray[np.float64]
    env_variance: NDArray[np.float64]


def environment_slopes(population: Population, groups: Sequence[TraitGroup]) -> NDArray[np.float64]:
    """Return every individual's slope of every trait, `(n_individuals, n_traits)`; 0 of traits without G×E."""
    slopes = np.zeros((population.n_individuals, sum(group.n_traits for group in groups)))
    start = 0
    for group in groups:
        traits = slice(start, start := start + group.n_traits)
        if group.norms is None:
            continue
        for block in population.blocks(len(group.loci)):
            xa = additive_coding(population.dosage(block, group.loci), population.ploidy)
            slopes[block, traits] = group.norms.intercept + xa @ group.norms.effects.T
    return slopes


def environment_deviations(
    population: Population,
    groups: Sequence[TraitGroup],
    p: float | tuple[float, ...] | None,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return what one environment adds to genetic values, `(n_individuals, n_traits)`.

    `p` is the environment's quantile, one number or one per trait; None draws one that all traits share. Without
    reaction norms nothing is drawn, and nothing added.
    """
    if all(group.norms is None for group in groups):
        return np.zeros((population.n_individuals, sum(group.n_traits for group in groups)))
    from scipy.special import ndtri

    variance = [np.zeros(g.n_traits) if g.norms is None else g.norms.env_variance for g in groups]
    quantile = rng.random() if p is None else np.asarray(p, dtype=np.float64)
    return environment_slopes(population, groups) * (ndtri(quantile) * np.sqrt(np.concatenate(variance)))


def scaled_norms(population: Population, group: TraitGroup, spec: TraitSpec, traits: slice) -> TraitGroup:
    """Scale a group's raw reaction norms to `var_gxe` in the founders; `traits` are the group's within its call.

    Raises
    ------
    DataError
        The slopes do not vary among the founders.
    """
    assert group.norms is not None
    raw = environment_slopes(population, [group])
    var_gxe, var_env = spec.vector("var_gxe")[traits], spec.vector("var_env")[traits]
    spread = raw.std(axis=0)
    if not (spread > 0).all():
        raise DataError(f"slopes on the environment do not vary among {len(raw)} founders, so var_gxe cannot be had")
    given = var_env > 0
    env_variance = np.where(given, var_env, 1.0)
    factor = np.sqrt(var_gxe / env_variance) / spread
    norms = ReactionNorms(group.norms.effects * factor[:, None], given - raw.mean(axis=0) * factor, env_variance)
    return replace(group, norms=norms)
