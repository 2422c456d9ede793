"""Loci and their pairs as random effects of some samples, and what given variances say of new samples."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gpatlas.models.fixed_effects import FixedEffects
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
    fixed
        Covariates, if any.
    """

    additive: Coding
    loci: tuple[Loci, ...]
    pairs: Pairs | None
    scale: float
    model: MixedModel
    fixed: FixedEffects | None

    @classmethod
    def of(
        cls,
        x: NDArray,
        y: Array,
        epistasis: bool,
        dominance: bool,
        standardise: bool,
        fixed: FixedEffects | None = None,
    ) -> "LociAndPairs":
        """Set up dosages `(n, n_loci)` and centred (projected) traits `(n, n_traits)`.

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
        linear = np.hstack(features) if fixed is None else fixed.project(np.hstack(features))
        columns = np.hstack([linear, y])
        pairs = decompose_pairs(additive, x, columns, fixed) if epistasis else None
        spectrum = _nothing(columns, fixed) if pairs is None else pairs.spectrum
        scale = (0.0 if pairs is None else pairs.trace) / (len(x) - 1) or 1.0
        return cls(additive, tuple(loci), pairs, scale, MixedModel.of(spectrum, scale, linear, y, groups), fixed)

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

    def left_out_errors(self, x: NDArray, y: Array) -> Array:
        """Errors `(n, n_traits)` of training samples, of dosages x and centred (projected) traits, when left out."""
        features, model, fixed = self.features, self.features.model, self.features.fixed
        linear, basis = features.features(x), np.zeros((len(x), 0))
        if features.pairs is not None:
            basis = features.pairs.project(x)[0] / features.pairs.spectrum.d
        leverage = np.full(len(x), 1 / len(x))
        if fixed is not None:
            linear, basis, leverage = fixed.project(linear), fixed.project(basis), fixed.leverage
        errors = y / (1 - leverage)[:, None]
        for trait in np.flatnonzero(model.yy > 0).tolist():
            solved = Solved(model, self.variances[:, trait], slice(trait, trait + 1))
            errors[:, trait] = solved.left_out_errors(basis, linear, y[:, [trait]], leverage)[:, 0]
        return errors

    def reliability(self, x: NDArray, additive_only: bool) -> Array:
        """Reliabilities `(n_new, n_traits)` of total or of breeding values."""
        model, pairs, scale = self.features.model, self.features.pairs, self.features.scale
        linear = self.features.features(x)
        inside, own = np.zeros((len(x), len(model.d))), np.zeros(len(x))
        lengths = [loci.squared_length(x) for loci in self.features.loci]
        if additive_only:
            linear[:, model.groups[0].stop :] = 0.0
            lengths = lengths[:1]
        elif pairs is not None:
            inside, own = pairs.project(x)
        found = np.zeros((len(x), len(self.traits)))
        for trait in np.flatnonzero(model.yy > 0).tolist():
            solved = Solved(model, self.variances[:, trait], slice(trait, trait + 1))
            prior = solved.variances[-2] / scale * own
            for length, variance in zip(lengths, solved.variances, strict=False):
                prior = prior + variance * length
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


def _nothing(columns: Array, fixed: FixedEffects | None) -> Spectrum:
    """The spectrum of no kernel."""
    none = np.zeros((0, columns.shape[1]))
    empty = np.zeros(0)
    return Spectrum(len(columns), empty, none, (columns**2).sum(axis=0), none, False, empty, empty, fixed)
