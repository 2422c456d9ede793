"""Effects of loci and pairs from their posterior under a spike-and-slab prior, by coordinate ascent.

    y = μ + Σ a_j x_j + Σ b_k w_k + e,   b_k ~ π N(0, σ_b²) + (1 - π) δ_0,   a_j ~ π_a N(0, σ_a²) + (1 - π_a) δ_0

with w_k the product of two loci, free of both main effects. The mean-field approximation of the posterior (Carbonetto
& Stephens 2012, Bayesian Analysis 7:73, eqs 8-10) is, for each effect given the others' means, with s² = σ²/(w'w +
σ²/σ_b²) and μ = (w'r + w'w·b)/(w'w + σ²/σ_b²),

    logit α = logit π + ½ log(s²/σ_b²) + ½ μ²/s²,    E b = α μ,    Var b = α (s² + μ²) - (α μ)²

and σ², σ_b², σ_a², π, π_a are those that fit best (EM), π being a share of *all* pairs, screened out or not. The noise
starts high and falls as effects come in, so that strong effects lead and weak ones follow: this finds sparse effects
where no single one stands out of the others' noise, which stops a cascade of tests.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpatlas.models.epistasis.kernels import compiled, visit_effects

_TOLERANCE = 5e-4  # of the noise variance, between sweeps: a sweep that changes it by less is the last


@dataclass(frozen=True)
class Slab:
    """The prior of a group of effects: how many of `n_possible` are not 0, and the variance of those."""

    n_active: float
    variance: float
    n_possible: float

    @property
    def log_odds(self) -> float:
        """Log of the odds that an effect is not 0."""
        share = min(max(self.n_active, 0.5) / self.n_possible, 1 - 1e-6)
        return float(np.log(share / (1 - share)))


@dataclass(frozen=True)
class Group:
    """Effects that share a prior: features, their sums of squares, and the posterior."""

    features: NDArray[np.float32]  # (n_effects, n_samples), each row of mean 0
    squares: NDArray[np.float64]
    mean: NDArray[np.float64]
    inclusion: NDArray[np.float64]
    variance: NDArray[np.float64]

    @classmethod
    def of(cls, features: NDArray[np.float32]) -> "Group":
        """Start with effects of 0."""
        features = np.ascontiguousarray(features, dtype=np.float32)
        squares = np.einsum("ij,ij->i", features, features, dtype=np.float64)
        return cls(features, squares, *np.zeros((3, len(features))))


@dataclass(frozen=True)
class Posterior:
    """Posterior means and inclusion probabilities of loci and pairs, hyperparameters, sweeps made."""

    loci: NDArray[np.float64]
    pairs: NDArray[np.float64]
    inclusion: NDArray[np.float64]
    locus_inclusion: NDArray[np.float64]
    var_e: float
    locus_slab: Slab
    pair_slab: Slab
    n_sweeps: int


def fit_posterior(
    trait: NDArray[np.float64],
    loci: NDArray[np.float32],
    pairs: NDArray[np.float32],
    n_possible: tuple[float, float],
    *,
    start: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
    max_sweeps: int = 200,
    seed: int = 0,
) -> Posterior:
    """Approximate the posterior of all effects.

    Parameters
    ----------
    trait
        `(n_samples,)`, centred.
    loci, pairs
        Features `(n_effects, n_samples)`, rows of mean 0.
    n_possible
        How many loci and pairs the features were chosen from.
    start
        Effects of loci and pairs to start from; None is 0.
    max_sweeps
        Most sweeps over all effects.
    seed
        Of the order in which effects are visited.
    """
    n = len(trait)
    total = float(trait @ trait) / n
    groups = [Group.of(loci), Group.of(pairs)]
    residual = trait.astype(np.float32)
    noise = 0.9 * total
    if start is not None:
        for group, effects in zip(groups, start, strict=True):
            group.mean[:] = effects
            group.inclusion[:] = effects != 0
            residual -= effects.astype(np.float32) @ group.features
        noise = max(float(residual @ residual) / n, 1e-6 * total)
    slabs = [_first_slab(group, possible, total) for group, possible in zip(groups, n_possible, strict=True)]
    rng = np.random.default_rng(seed)
    visit = compiled(visit_effects)
    sweep = 0
    for sweep in range(1, max_sweeps + 1):
        for group, slab in zip(groups, slabs, strict=True):
            if len(group.mean):
                visit(
                    *(group.features, residual, group.squares, group.mean, group.inclusion, group.variance),
                    *(noise, slab.variance, slab.log_odds, rng.permutation(len(group.mean)), total),
                )
        spread = sum(float(group.squares @ group.variance) for group in groups)
        before, noise = noise, (float(residual.astype(np.float64) @ residual) + spread) / n
        slabs = [_fitted_slab(group, slab, total) for group, slab in zip(groups, slabs, strict=True)]
        if sweep > 10 and abs(noise - before) < _TOLERANCE * before:
            break
    of_loci, of_pairs = groups
    return Posterior(
        *(of_loci.mean, of_pairs.mean, of_pairs.inclusion, of_loci.inclusion, noise), slabs[0], slabs[1], sweep
    )


def _first_slab(group: Group, n_possible: float, total: float) -> Slab:
    """Half the loci, or as many pairs as half the loci would have, share a third of the variance."""
    active = max(1.0, min(n_possible / 2, np.sqrt(n_possible / 2)))
    scale = group.squares.mean() / group.features.shape[1] if len(group.squares) else 1.0
    return Slab(active, 0.3 * total / (active * max(scale, 1e-12)), max(n_possible, 1.0))


def _fitted_slab(group: Group, slab: Slab, total: float) -> Slab:
    active = float(group.inclusion.sum())
    second = float((group.mean**2 + group.variance).sum())
    scale = group.squares.mean() / group.features.shape[1] if len(group.squares) else 1.0
    smallest = 1e-8 * total / max(scale, 1e-12)
    return Slab(active, max(second / max(active, 1e-3), smallest), slab.n_possible)
