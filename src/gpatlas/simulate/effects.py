"""Sampling QTL, effects and pairings (AlphaSimR R/Class-SimParam.R: .pickLoci, sampAddEff, sampDomEff, sampEpiEff).

    T(R) = V diag(√λ) V'                                  # R = V diag(λ) V', AlphaSimR transMat
    A = Z T(corA)                                         # Z iid N(0, 1), (n_qtl, n_traits)
    gamma trait: u = 2Φ(A) - 1;  a = sign(u)·Q_gamma(|u|; shape, rate 1)
    D = |A| ∘ (meanDD + √varDD · Z' T(corDD))             # dominance degree d/|a| ~ N(meanDD, varDD)
    E = Z'' T(corAA) [the same gamma transform] · √(4·relAA)
    pairing = one uniformly random perfect matching of the QTL

Beyond AlphaSimR, all pairs of QTL may act, or disjoint triples. At allele frequency 1/2 and in linkage equilibrium
var(xa) = 1/P, so that K terms of order k with effects of variance σ² have the variance K σ² P^-k beside the additive
q/P of q QTL. AlphaSimR's K = q/2 pairs with σ² = 4·relAA give the ratio 2·relAA/P; every architecture gets the same by

    σ² = 2·relAA · (q/K) · P^(k-2)      P: stored haplotypes of an individual, 1 for inbreds

Deviation from AlphaSimR: it accepts corAA and uses corA in its place; here corAA is honoured, and
`cor_aa="as_cor_a"` (the default) gives AlphaSimR's behaviour.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gpatlas.config.simulation import Architecture, TraitSpec
from gpatlas.errors import DataError
from gpatlas.simulate.genetics import TraitGroup
from gpatlas.simulate.reaction_norms import ReactionNorms


def draw_trait_groups(
    spec: TraitSpec, candidates: list[NDArray[np.intp]], rng: np.random.Generator, copies: int = 1
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
    copies
        Haplotypes stored per individual, which scale triples.

    Returns
    -------
    list of TraitGroup
        One group when traits share their interacting loci, else one group per trait. Intercepts are 0.
    """
    loci = pick_loci(spec.n_qtl_on(len(candidates)), candidates, rng, "QTL")
    n_qtl, t = len(loci), spec.n_traits
    normal = rng.standard_normal((n_qtl, t)) @ symmetric_root(spec.correlation("a"))
    additive = _gamma_transform(normal, spec)
    dominance = np.zeros_like(additive)
    if spec.has_dominance:
        degree = rng.standard_normal((n_qtl, t)) @ symmetric_root(spec.correlation("dd"))
        degree = spec.vector("mean_dd") + np.sqrt(spec.vector("var_dd")) * degree
        dominance = np.abs(additive) * degree
    if not spec.has_epistasis:
        terms, epistatic = np.empty((0, 2), dtype=np.intp), np.empty((t, 0))
        norms = _draw_norms(spec, n_qtl, rng)
        return [TraitGroup(loci, additive.T, dominance.T, terms, epistatic, np.zeros(t), norms)]
    n_terms, order = _n_terms(n_qtl, spec.architecture)
    term_normal = rng.standard_normal((n_terms, t)) @ symmetric_root(spec.correlation("aa"))
    variance = 2 * spec.vector("rel_aa") * (n_qtl / n_terms) * copies ** (order - 2)
    epistatic = (_gamma_transform(term_normal, spec) * np.sqrt(variance)).T
    parts = [slice(0, t)] if spec.pairing == "shared" else [slice(k, k + 1) for k in range(t)]
    drawn = [_draw_terms(n_qtl, spec.architecture, rng) for _ in parts]
    norms = _draw_norms(spec, n_qtl, rng)
    return [
        TraitGroup(
            loci,
            additive.T[part],
            dominance.T[part],
            terms,
            epistatic[part],
            np.zeros(part.stop - part.start),
            None if norms is None else ReactionNorms(*(values[part] for values in vars(norms).values())),
        )
        for part, terms in zip(parts, drawn, strict=True)
    ]


def _draw_norms(spec: TraitSpec, n_qtl: int, rng: np.random.Generator) -> ReactionNorms | None:
    """Draw effects on the slopes, normal whatever the law of the others is."""
    if not spec.has_gxe:
        return None
    effects = rng.standard_normal((n_qtl, spec.n_traits)) @ symmetric_root(spec.correlation("gxe"))
    return ReactionNorms(effects.T, np.zeros(spec.n_traits), np.ones(spec.n_traits))


def _n_terms(n_qtl: int, architecture: Architecture) -> tuple[int, int]:
    """Number of epistatic terms and loci in each."""
    return {
        "sparse": (n_qtl // 2, 2),
        "dense": (n_qtl * (n_qtl - 1) // 2, 2),
        "triples": (n_qtl // 3, 3),
    }[architecture]


def _draw_terms(n_qtl: int, architecture: Architecture, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw which QTL interact, `(n_terms, order)`; all pairs need no draw."""
    if architecture == "dense":
        return np.column_stack(np.triu_indices(n_qtl, 1))
    n_terms, order = _n_terms(n_qtl, architecture)
    return rng.permutation(n_qtl)[: n_terms * order].reshape(order, -1).T


def symmetric_root(correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return T(R), the symmetric square root of a correlation matrix (AlphaSimR transMat)."""
    values, vectors = np.linalg.eigh(correlation)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def pick_loci(
    per_chromosome: Sequence[int], candidates: Sequence[NDArray[np.intp]], rng: np.random.Generator, what: str
) -> NDArray[np.intp]:
    """Draw loci on every chromosome without replacement, ascending; all candidates when all are asked for.

    Raises
    ------
    DataError
        A chromosome has fewer candidates than are asked for; the message names `what`.
    """
    chosen = []
    for number, (count, eligible) in enumerate(zip(per_chromosome, candidates, strict=True), start=1):
        if not 0 <= count <= len(eligible):
            raise DataError(f"chromosome {number} has {len(eligible):,} loci that may be {what}; {count:,} are wanted")
        chosen.append(eligible if count == len(eligible) else np.sort(rng.choice(eligible, count, replace=False)))
    return np.concatenate(chosen)


def _gamma_transform(normal: NDArray[np.float64], spec: TraitSpec) -> NDArray[np.float64]:
    gamma = spec.vector("gamma").astype(bool)
    if not gamma.any():
        return normal
    from scipy.special import gammaincinv, ndtr  # a third of a second to import, and few traits are gamma

    u = 2 * ndtr(normal) - 1
    return np.where(gamma, np.sign(u) * gammaincinv(spec.vector("shape"), np.abs(u)), normal)
