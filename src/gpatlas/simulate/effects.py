"""Sampling QTL, effects and pairings (AlphaSimR R/Class-SimParam.R: .pickLoci, sampAddEff, sampDomEff, sampEpiEff).

    T(R) = V diag(√λ) V'                                  # R = V diag(λ) V', AlphaSimR transMat
    A = Z T(corA)                                         # Z iid N(0, 1), (n_qtl, n_traits)
    gamma trait: u = 2Φ(A) - 1;  a = sign(u)·Q_gamma(|u|; shape, rate 1)
    D = |A| ∘ (meanDD + √varDD · Z' T(corDD))             # dominance degree d/|a| ~ N(meanDD, varDD)
    E = Z'' T(corAA) [the same gamma transform] · √(4·relAA)
    pairing = one uniformly random perfect matching of the QTL

Deviation from AlphaSimR: it accepts corAA and uses corA in its place; here corAA is honoured, and
`cor_aa="as_cor_a"` (the default) gives AlphaSimR's behaviour.
"""

import numpy as np
from numpy.typing import NDArray

from gpatlas.config.simulation import TraitSpec
from gpatlas.simulate.genetics import TraitGroup


def draw_trait_groups(
    spec: TraitSpec, candidates: list[NDArray[np.intp]], rng: np.random.Generator
) -> list[TraitGroup]:
    """Draw the unscaled traits of one `addTrait…` call.

    Parameters
    ----------
    spec
        What to draw.
    candidates
        Per chromosome, the loci that may become QTL.
    rng
        Source of randomness.

    Returns
    -------
    list of TraitGroup
        One group when traits share their pairing, else one group per trait. Intercepts are 0.
    """
    loci = _pick_loci(spec.n_qtl_on(len(candidates)), candidates, rng)
    n_qtl, t = len(loci), spec.n_traits
    normal = rng.standard_normal((n_qtl, t)) @ symmetric_root(spec.correlation("a"))
    additive = _gamma_transform(normal, spec)
    dominance = np.zeros_like(additive)
    if spec.has_dominance:
        degree = rng.standard_normal((n_qtl, t)) @ symmetric_root(spec.correlation("dd"))
        degree = spec.vector("mean_dd") + np.sqrt(spec.vector("var_dd")) * degree
        dominance = np.abs(additive) * degree
    if not spec.has_epistasis:
        pairs, epistatic = np.empty((0, 2), dtype=np.intp), np.empty((t, 0))
        return [TraitGroup(loci, additive.T, dominance.T, pairs, epistatic, np.zeros(t))]
    pair_normal = rng.standard_normal((n_qtl // 2, t)) @ symmetric_root(spec.correlation("aa"))
    epistatic = (_gamma_transform(pair_normal, spec) * np.sqrt(4 * spec.vector("rel_aa"))).T
    shared = spec.pairing == "shared"
    groups = []
    for traits in [slice(0, t)] if shared else [slice(k, k + 1) for k in range(t)]:
        pairs = rng.permutation(n_qtl).reshape(2, -1).T
        size = traits.stop - traits.start
        groups.append(
            TraitGroup(loci, additive.T[traits], dominance.T[traits], pairs, epistatic[traits], np.zeros(size))
        )
    return groups


def symmetric_root(correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return T(R), the symmetric square root of a correlation matrix (AlphaSimR transMat)."""
    values, vectors = np.linalg.eigh(correlation)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def _pick_loci(n_qtl: list[int], candidates: list[NDArray[np.intp]], rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw QTL on every chromosome without replacement, ascending; all of them when all are asked for."""
    chosen = [
        eligible if count == len(eligible) else np.sort(rng.choice(eligible, count, replace=False))
        for count, eligible in zip(n_qtl, candidates, strict=True)
    ]
    return np.concatenate(chosen)


def _gamma_transform(normal: NDArray[np.float64], spec: TraitSpec) -> NDArray[np.float64]:
    gamma = spec.vector("gamma").astype(bool)
    if not gamma.any():
        return normal
    from scipy.special import gammaincinv, ndtr  # a third of a second to import, and few traits are gamma

    u = 2 * ndtr(normal) - 1
    return np.where(gamma, np.sign(u) * gammaincinv(spec.vector("shape"), np.abs(u)), normal)
