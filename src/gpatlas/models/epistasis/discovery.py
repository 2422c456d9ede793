"""One trait from start to end: cascade, posterior, the check on samples held out, and the cascade again."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gpatlas.models.epistasis.cascade import Progress, Rules, cascade
from gpatlas.models.epistasis.joint import MOST_TERMS, Estimates, JointModel
from gpatlas.models.epistasis.panel import Panel
from gpatlas.models.epistasis.posterior import Posterior
from gpatlas.models.epistasis.shrunken import (
    Candidates,
    Effects,
    beyond_chance,
    least_squares_effects,
    posterior_fits,
    shrunken_effects,
)

_HELD_OUT = 0.2
_ROUNDS = 5


Estimator = Literal["posterior", "least_squares"]


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
    estimated_by
        How `effects` were estimated: least squares where those were asked for, or the posterior's features too many.
    """

    loci: NDArray[np.intp]
    pairs: NDArray[np.intp]
    of_loci: NDArray[np.float64]
    of_pairs: NDArray[np.float64]
    probability: NDArray[np.float64]
    effects: Effects
    estimated_by: Estimator


def discover(
    panel: Panel,
    trait: NDArray[np.float64],
    rules: Rules,
    *,
    predict_with: Estimator = "posterior",
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
        See `InteractionScreening`; a posterior whose features are too many gives way to least squares.
    progress
        Called with a line about every stage.

    Raises
    ------
    ValueError
        All loci are wanted in the model, but they are too many for the samples.
    """
    if additive == "all" and panel.n_loci > MOST_TERMS * panel.n_samples:
        raise ValueError(
            f"additive='all' takes at most {MOST_TERMS:g} loci per sample, there are {panel.n_loci:,} loci and "
            f"{panel.n_samples:,} samples; use additive='selected' or 'auto'"
        )
    enough = panel.n_samples >= 2 * panel.n_loci
    everything = additive == "all" or (additive == "auto" and enough)
    model = JointModel(panel, trait, None if everything else np.empty(0, dtype=np.intp))
    too_many = everything and not posterior_fits(panel.n_samples, panel.n_loci)
    if predict_with == "least_squares" or too_many:
        fitted = cascade(model, rules, progress)
        return _declared(model, fitted, least_squares_effects(model, fitted))
    rules = replace(rules, alpha=rules.alpha / 2)
    fitted = cascade(model, rules, progress)
    settings: dict[str, Any] = {"engine": rules.engine, "n_jobs": rules.n_jobs, "seed": seed}
    effects, candidates, posterior = shrunken_effects(panel, trait, model, fitted, **settings)
    for _ in range(_ROUNDS):
        loci, pairs = likely_terms(model, candidates, posterior)
        if not len(pairs) or not _predicts(panel, trait, model, rules, seed):
            break
        if progress is not None:
            progress(f"posterior: likely loci {len(loci)}, pairs {len(pairs)}, to be tested jointly")
        before, n_before = _terms(model), len(model.pairs)
        model.add(loci, pairs)
        fitted = cascade(model, rules, progress)
        if _terms(model) == before:
            break
        effects, candidates, posterior = shrunken_effects(panel, trait, model, fitted, **settings)
        if len(model.pairs) <= n_before:
            break
    probability = {
        tuple(pair): float(p) for pair, p in zip(candidates.pairs.tolist(), posterior.inclusion, strict=True)
    }
    return _declared(model, fitted, effects, probability, "posterior")


def likely_terms(
    model: JointModel, candidates: Candidates, posterior: Posterior
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return loci and pairs that are more likely in than out and not in the model: the likeliest it has room for.

    Loci come first, for they are noise to pairs that are tested jointly.
    """
    known = set(map(tuple, model.pairs.tolist()))
    new_loci = ~np.isin(candidates.loci, model.loci) & (not model.holds_all_loci)
    new_pairs = np.array([tuple(pair) not in known for pair in candidates.pairs.tolist()], dtype=bool)
    loci = _likeliest(np.where(new_loci, posterior.locus_inclusion, 0), model.room)
    pairs = _likeliest(np.where(new_pairs, posterior.inclusion, 0), model.room - len(loci))
    return candidates.loci[loci], candidates.pairs[pairs]


def _likeliest(inclusion: NDArray[np.float64], room: int) -> NDArray[np.intp]:
    """Return the places of the highest probabilities above a half, no more than there is room for, in order."""
    order = np.argsort(-inclusion, kind="stable")[: max(0, room)]
    return np.sort(order[inclusion[order] > 0.5])


def _terms(model: JointModel) -> tuple[set[int], set[tuple[int, ...]]]:
    return set(model.loci.tolist()), set(map(tuple, model.pairs.tolist()))


def _predicts(panel: Panel, trait: NDArray[np.float64], model: JointModel, rules: Rules, seed: int) -> bool:
    """Whether pairs found without some of the samples predict these beyond additive effects."""
    n = panel.n_samples
    held_out = np.zeros(n, dtype=bool)
    held_out[np.random.default_rng(seed).permutation(n)[: max(2, round(_HELD_OUT * n))]] = True
    inner, outer = panel.of_samples(~held_out), panel.of_samples(held_out)
    inner_model = JointModel(inner, trait[~held_out], None if model.holds_all_loci else model.loci)
    additive = inner_model.fit()
    without = least_squares_effects(inner_model, additive)
    found, _, _ = shrunken_effects(
        inner, trait[~held_out], inner_model, additive, engine=rules.engine, n_jobs=rules.n_jobs, seed=seed
    )
    x = outer.dosage(slice(None)).T + outer.shift
    return beyond_chance(found.predict(x), without.predict(x), trait[held_out]) <= rules.alpha


def _declared(
    model: JointModel,
    fitted: Estimates,
    effects: Effects,
    probability: dict[tuple, float] | None = None,
    estimated_by: Estimator = "least_squares",
) -> Discovery:
    n_loci = len(model.loci)
    table = np.stack([fitted.effects, fitted.standard_errors, fitted.t])
    of_pairs = table[:, n_loci:]
    order = np.argsort(-np.abs(of_pairs[2]), kind="stable")
    pairs = model.pairs[order]
    likely = np.array([(probability or {}).get(tuple(pair), np.nan) for pair in pairs.tolist()])
    return Discovery(model.loci, pairs, table[:, :n_loci], of_pairs[:, order], likely, effects, estimated_by)
