"""One trait from start to end: cascade, posterior, the check on samples held out, and the cascade again."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gpatlas.models.epistasis.cascade import Progress, Rules, cascade
from gpatlas.models.epistasis.joint import Estimates, JointModel
from gpatlas.models.epistasis.panel import Panel
from gpatlas.models.epistasis.shrunken import Effects, beyond_chance, least_squares_effects, shrunken_effects

_HELD_OUT = 0.2
_ROUNDS = 5


@dataclass(frozen=True)
class Discovery:
    """What was found for one trait.

    Parameters
    ----------
    loci, pairs
        Terms declared; pairs by falling |t|.
    of_loci, of_pairs
        `(3, n_terms)`: least-squares effects, standard errors, t.
    probability
        `(n_pairs,)`, that a declared pair's effect is not 0; NaN without a posterior.
    effects
        What predicts.
    """

    loci: NDArray[np.intp]
    pairs: NDArray[np.intp]
    of_loci: NDArray[np.float64]
    of_pairs: NDArray[np.float64]
    probability: NDArray[np.float64]
    effects: Effects


def discover(
    panel: Panel,
    trait: NDArray[np.float64],
    rules: Rules,
    *,
    predict_with: Literal["posterior", "least_squares"] = "posterior",
    additive: Literal["auto", "all", "selected"] = "auto",
    seed: int = 0,
    progress: Progress | None = None,
) -> Discovery:
    """Find interacting pairs of one trait.

    Parameters
    ----------
    panel, trait
        Genotypes and `(n_samples,)` phenotypes.
    rules
        Control of what is declared; with a posterior, half of `alpha` is for what the cascade finds.
    predict_with, additive, seed
        See `InteractionScreening`.
    progress
        Called with a line about every stage.
    """
    enough = panel.n_samples >= 4 * panel.n_loci
    everything = additive == "all" or (additive == "auto" and enough)
    model = JointModel(panel, trait, np.arange(panel.n_loci if everything else 0))
    if predict_with == "least_squares":
        fitted = cascade(model, rules, progress)
        return _declared(model, fitted, least_squares_effects(model, fitted), {})
    rules = replace(rules, alpha=rules.alpha / 2)
    fitted = cascade(model, rules, progress)
    for _ in range(_ROUNDS):
        effects, pairs, posterior = shrunken_effects(
            panel, trait, model, fitted, engine=rules.engine, n_jobs=rules.n_jobs, seed=seed
        )
        known = set(map(tuple, model.pairs.tolist()))
        likely = [pair for pair in pairs[posterior.inclusion > 0.5].tolist() if tuple(pair) not in known]
        before = len(model.pairs)
        if not likely or not _predicts(panel, trait, model, rules, seed):
            break
        if progress is not None:
            progress(f"posterior: {len(likely)} more pairs are likely; they are tested jointly")
        model.add(model.loci[:0], np.array(likely, dtype=np.intp))
        fitted = cascade(model, rules, progress)
        if len(model.pairs) <= before:
            break
    probability = {tuple(pair): float(p) for pair, p in zip(pairs.tolist(), posterior.inclusion, strict=True)}
    return _declared(model, fitted, effects, probability)


def _predicts(panel: Panel, trait: NDArray[np.float64], model: JointModel, rules: Rules, seed: int) -> bool:
    """Whether pairs found without some of the samples predict these beyond additive effects."""
    n = panel.n_samples
    held_out = np.zeros(n, dtype=bool)
    held_out[np.random.default_rng(seed).permutation(n)[: max(2, round(_HELD_OUT * n))]] = True
    inner, outer = panel.of_samples(~held_out), panel.of_samples(held_out)
    everything = len(model.loci) == panel.n_loci
    inner_model = JointModel(inner, trait[~held_out], model.loci if not everything else np.arange(panel.n_loci))
    additive = inner_model.fit()
    without = least_squares_effects(inner_model, additive)
    found, _, _ = shrunken_effects(
        inner, trait[~held_out], inner_model, additive, engine=rules.engine, n_jobs=rules.n_jobs, seed=seed
    )
    x = outer.values[:, : outer.n_samples].T + outer.shift
    return beyond_chance(found.predict(x), without.predict(x), trait[held_out]) <= rules.alpha


def _declared(model: JointModel, fitted: Estimates, effects: Effects, probability: dict[tuple, float]) -> Discovery:
    n_loci = len(model.loci)
    table = np.stack([fitted.effects, fitted.standard_errors, fitted.t])
    of_pairs = table[:, n_loci:]
    order = np.argsort(-np.abs(of_pairs[2]), kind="stable")
    pairs = model.pairs[order]
    likely = np.array([probability.get(tuple(pair), np.nan) for pair in pairs.tolist()])
    return Discovery(model.loci, pairs, table[:, :n_loci], of_pairs[:, order], likely, effects)
