"""Loci and their pairs as random effects of some samples, and what given variances say of new samples."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gpatlas.models.kernel_model import reliability
from gpatlas.models.kernels import Coding
from gpatlas.models.loci import DominanceCoding, Loci
from gpatlas.models.mixed import MixedModel, Solved
from gpatlas.models.pairs import Pairs, decompose_pairs
from gpatlas.models.ridge import Spectrum

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LociAndPairs:
    """The effects of a model, and its equations.

    Parameters
    ----------
    additive
        How dosages are coded.
    loci
        Additive and, where wanted, dominance features.
    pairs
        Pairs of loci, where wanted.
    scale
        Mean diagonal of the pairs' kernel, by which it is divided.
    model
        Equations of the traits.
    """

    additive: Coding
    loci: tuple[Loci, ...]
    pairs: Pairs | None
    scale: float
    model: MixedModel

    @classmethod
    def of(cls, x: NDArray, y: Array, epistasis: bool, dominance: bool, standardise: bool) -> "LociAndPairs":
        """Set up dosages `(n, n_loci)` and centred traits `(n, n_traits)`.

        Raises
        ------
        ValueError
            Dominance, but no locus has three genotypes.
        """
        additive = Coding.of(x, standardise)
        codings: list[Callable[[NDArray], Array]] = [
            additive,
            *([_dominance(additive, x, standardise)] if dominance else []),
        ]
        loci, features = zip(*(Loci.of(coding, x) for coding in codings), strict=True)
        groups = tuple(slice(a, b) for a, b in pairwise(np.cumsum([0, *(f.shape[1] for f in features)]).tolist()))
        linear = np.hstack(features)
        columns = np.hstack([linear, y])
        pairs = decompose_pairs(additive, x, columns) if epistasis else None
        spectrum = _nothing(columns) if pairs is None else pairs.spectrum
        scale = float(spectrum.d.sum()) / (len(x) - 1) or 1.0
        return cls(additive, tuple(loci), pairs, scale, MixedModel.of(spectrum, scale, linear, y, groups))

    def features(self, x: NDArray) -> Array:
        """Features of loci of new samples, `(n_new, f)`."""
        return np.hstack([loci.features(x) for loci in self.loci])


@dataclass(frozen=True)
class FittedEffects:
    """Effects of traits phenotyped in the same samples.

    Parameters
    ----------
    features
        Of which there are effects.
    traits
        `(n_traits,)` their numbers.
    variances
        `(n_groups + 2, n_traits)`.
    u, weights
        Effects of loci's features `(f, n_traits)`, and the pairs' predictions from their basis `(r, n_traits)`.
    """

    features: LociAndPairs
    traits: NDArray[np.intp]
    variances: Array
    u: Array
    weights: Array

    @classmethod
    def of(cls, features: LociAndPairs, traits: NDArray[np.intp], variances: Array) -> "FittedEffects":
        """Predict all effects at given variances."""
        model = features.model
        u, weights = np.zeros((model.linear.shape[1], len(traits))), np.zeros_like(model.z)
        for trait in np.flatnonzero(model.yy > 0).tolist():
            solved = Solved(model, variances[:, trait], slice(trait, trait + 1))
            u[:, trait] = solved.u[:, 0]
            weights[:, trait] = solved.variances[-2] / features.scale * solved.inside[:, 0]
        return cls(features, traits, variances, u, weights)

    def marker_effects(self) -> Array:
        """Additive effects of a copy of the allele, `(n_loci, n_traits)`."""
        additive, group = self.features.loci[0], self.features.model.groups[0]
        return additive.effects(self.u[group]) / self.features.additive.scale[:, None]

    def components(self, x: NDArray) -> list[Array]:
        """Values `(n_new, n_traits)` of every group of loci, then of pairs."""
        groups, pairs = self.features.model.groups, self.features.pairs
        values = [loci.features(x) @ self.u[group] for loci, group in zip(self.features.loci, groups, strict=True)]
        return values if pairs is None else [*values, pairs.predict(x, self.weights)]

    def reliability(self, x: NDArray, additive_only: bool) -> Array:
        """Reliabilities `(n_new, n_traits)` of total or of breeding values."""
        model, pairs, scale = self.features.model, self.features.pairs, self.features.scale
        linear = self.features.features(x)
        inside, own = np.zeros((len(x), len(model.d))), np.zeros(len(x))
        if additive_only:
            linear[:, model.groups[0].stop :] = 0.0
        elif pairs is not None:
            inside, own = pairs.project(x)
        found = np.zeros((len(x), len(self.traits)))
        for trait in np.flatnonzero(model.yy > 0).tolist():
            solved = Solved(model, self.variances[:, trait], slice(trait, trait + 1))
            prior = solved.variances[-2] / scale * own
            for group, variance in zip(model.groups, solved.variances[:-2], strict=True):
                prior = prior + variance * (linear[:, group] ** 2).sum(axis=1)
            found[:, trait] = reliability(solved.explained(inside / scale, linear), prior)
        return found


def _dominance(additive: Coding, x: NDArray, standardise: bool) -> DominanceCoding:
    coding = DominanceCoding.of(additive, x, standardise)
    if not np.isfinite(coding.scale).any():
        raise ValueError(
            "dominance=True, but no locus has three genotypes in the samples, as in haploids and inbreds; "
            "leave dominance out"
        )
    return coding


def _nothing(columns: Array) -> Spectrum:
    """The spectrum of no kernel."""
    none = np.zeros((0, columns.shape[1]))
    return Spectrum(len(columns), np.zeros(0), none, (columns**2).sum(axis=0), none, False, np.zeros(0), np.zeros(0))
