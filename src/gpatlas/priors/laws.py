"""Trait laws: how many loci act, how, and how strongly; and the genetic values that follow.

Values are those of `gpatlas.simulate.genetic_values`, Σ a xa + Σ d xd + Σ e xa xa', computed on packed haplotypes.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gpatlas.errors import ConfigError
from gpatlas.priors.kernels import count_ones, dosage, sum_effects
from gpatlas.simulate import Population, TraitGroup

Floats = NDArray[np.float64]
EFFECTS = ("normal", "gamma", "t", "geometric", "equal")
SHARES = ("infinitesimal", "frequency", "dominance", "epistasis", "hidden", "background", "polygenic_epistasis")


@dataclass(frozen=True)
class Trait:
    """A drawn trait.

    Parameters
    ----------
    group
        QTL and effects.
    law
        See `Task.law`.
    hidden
        Whether QTL are kept out of the panel.
    """

    group: TraitGroup
    law: str
    hidden: bool


@dataclass(frozen=True)
class TraitLaw:
    """What traits are drawn from.

    Parameters
    ----------
    infinitesimal
        Share of traits in which every segregating locus has a normal effect (where QTL are hidden: every one that is
        kept out of the panel); these are additive.
    n_qtl
        Least and greatest number of QTL of the other traits; log-uniform between.
    effects
        Distributions of the other traits' effects, equally likely; signs are random.
    frequency
        Share of traits in which rare alleles have larger effects, a ∝ (2p(1 - p))^(-s/2) with s = U(.2, 1).
    dominance, epistasis
        Shares of all traits with dominance and with epistasis of pairs of loci (additive by additive), or all others
        where these are fewer: infinitesimal traits have neither, and traits of inbred lines no dominance.
    hidden
        Share of traits whose QTL are kept out of the panel.
    background
        Share of the other traits that have an infinitesimal one beside them, with U(.1, .8) of the variance.
    polygenic_epistasis
        Share of infinitesimal traits whose loci interact in pairs.
    rarest
        Least minor allele frequency of a QTL, where there are enough of them; infinitesimal traits ignore it.

    Raises
    ------
    ConfigError
        A share or frequency is out of its range, or a distribution is not known.
    """

    infinitesimal: float = 0.3
    n_qtl: tuple[int, int] = (3, 500)
    effects: tuple[str, ...] = EFFECTS
    frequency: float = 0.3
    dominance: float = 0.25
    epistasis: float = 0.15
    hidden: float = 0.5
    background: float = 0.0
    polygenic_epistasis: float = 0.0
    rarest: float = 0.02

    def __post_init__(self) -> None:
        for name in SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"trait law: {name} = {getattr(self, name):g} is not from 0 to 1")
        if not 0 <= self.rarest <= 0.5:
            raise ConfigError(f"trait law: rarest = {self.rarest:g} is not from 0 to 0.5")
        if not 1 <= self.n_qtl[0] <= self.n_qtl[1]:
            raise ConfigError(f"trait law: n_qtl = {self.n_qtl} is no range from 1 on")
        if not self.effects or set(self.effects) - set(EFFECTS):
            raise ConfigError(f"trait law: effects = {self.effects}; allowed are {', '.join(EFFECTS)}")

    def draw(self, population: Population, n_markers: int, rng: np.random.Generator) -> Trait:
        """Draw a trait whose QTL segregate in a population; effects have no particular scale.

        Parameters
        ----------
        population
            Diploids, outbred or inbred.
        n_markers
            Loci that the panel will need beside hidden QTL.
        rng
            Source of randomness.
        """
        share = allele_frequency(population)
        segregating = np.flatnonzero((share > 0) & (share < 1))
        hidden, infinitesimal = rng.random() < self.hidden, rng.random() < self.infinitesimal
        by_frequency = rng.uniform(0.2, 1.0) if rng.random() < self.frequency else 0.0
        background = not infinitesimal and self.background > 0 and rng.random() < self.background
        if hidden and (infinitesimal or background):
            segregating = segregating[rng.random(len(segregating)) < hidden_share(n_markers)]
        if infinitesimal:
            law, loci = "infinitesimal", segregating
            additive = rng.standard_normal(len(loci))
        else:
            common = segregating[np.minimum(share, 1 - share)[segregating] >= self.rarest]
            loci = self._choose(common if len(common) >= self.n_qtl[0] else segregating, rng)
            law = self.effects[rng.integers(len(self.effects))]
            additive = draw_effects(law, len(loci), rng)
        additive *= (2 * share[loci] * (1 - share[loci])) ** (-by_frequency / 2)
        group = TraitGroup(
            loci=loci,
            additive=additive[None, :],
            dominance=np.zeros((1, len(loci))),
            terms=np.empty((0, 2), dtype=np.intp),
            epistatic=np.empty((1, 0)),
            intercept=np.zeros(1),
        )
        if not infinitesimal:
            others = 1 - self.infinitesimal
            if rng.random() < self.dominance / others and not population.inbred:
                law, group = f"{law}+dominance", replace(group, dominance=self._dominance(additive, rng)[None, :])
            if rng.random() < self.epistasis / others:
                law, group = f"{law}+epistasis", with_epistasis(group, population, rng)
        elif self.polygenic_epistasis > 0 and rng.random() < self.polygenic_epistasis:
            law, group = f"{law}+epistasis", with_epistasis(group, population, rng)
        if background:
            law, group = f"{law}+background", with_background(group, segregating, population, rng)
        return Trait(group, law, bool(hidden))

    def _choose(self, candidates: NDArray, rng: np.random.Generator) -> NDArray:
        low, high = np.log(self.n_qtl[0]), np.log(self.n_qtl[1] + 1)
        n = min(int(np.exp(rng.uniform(low, high))), len(candidates))
        return np.sort(rng.choice(candidates, n, replace=False))

    def _dominance(self, additive: Floats, rng: np.random.Generator) -> Floats:
        """Degrees of dominance d/|a| ~ N(U(0, 1), .3): from none to complete, of positive direction on the whole."""
        return np.abs(additive) * rng.normal(rng.random(), 0.3, len(additive))


@dataclass(frozen=True)
class PublishedTraitLaw(TraitLaw):
    """The law of the published GPFN: 5 to 100 QTL, gamma effects, a locus completely dominant with chance U(0, .25)."""

    infinitesimal: float = 0.0
    n_qtl: tuple[int, int] = (5, 100)
    effects: tuple[str, ...] = ("gamma",)
    frequency: float = 0.0
    dominance: float = 1.0
    epistasis: float = 0.0

    def _dominance(self, additive: Floats, rng: np.random.Generator) -> Floats:
        return np.abs(additive) * (rng.random(len(additive)) < rng.uniform(0, 0.25))


def draw_effects(law: str, n: int, rng: np.random.Generator) -> Floats:
    """Draw n additive effects `(n,)` of random sign.

    "normal"; "gamma" of shape U(.3, 1) (Hayes & Goddard 2001, Genet. Sel. Evol. 33:209, find 0.4); "t" with U(2.5, 6)
    degrees of freedom; a "geometric" series r^k with r = U(.8, .99) (Lande & Thompson 1990, Genetics 124:743); or
    "equal".
    """
    if law == "normal":
        return rng.standard_normal(n)
    if law == "t":
        return rng.standard_t(rng.uniform(2.5, 6.0), n)
    size = {
        "gamma": lambda: rng.standard_gamma(rng.uniform(0.3, 1.0), n),
        "geometric": lambda: rng.permutation(rng.uniform(0.8, 0.99) ** np.arange(n)),
        "equal": lambda: np.ones(n),
    }[law]()
    return size * rng.choice([-1.0, 1.0], n)


def with_epistasis(group: TraitGroup, population: Population, rng: np.random.Generator) -> TraitGroup:
    """Pair all QTL at random and let pairs interact; their part has U(.1, 1) of the variance of the others' part."""
    n = len(group.loci)
    paired = replace(
        group,
        terms=rng.permutation(n)[: n // 2 * 2].reshape(2, -1).T,
        epistatic=rng.standard_normal((1, n // 2)),
    )
    single = total_value(population, group)
    together = (total_value(population, paired) - single).std()
    factor = np.sqrt(rng.uniform(0.1, 1.0)) * single.std() / together if together > 0 else 0.0
    return replace(paired, epistatic=paired.epistatic * factor)


def with_background(group: TraitGroup, loci: NDArray, population: Population, rng: np.random.Generator) -> TraitGroup:
    """Let `loci`, which hold the group's, act a little each; together they have U(.1, .8) of the variance."""
    at, small = np.searchsorted(loci, group.loci), rng.standard_normal((1, len(loci)))
    none = np.zeros_like(small)
    beside = replace(group, loci=loci, additive=small, dominance=none, terms=group.terms[:0], epistatic=none[:, :0])
    share, spread = rng.uniform(0.1, 0.8), total_value(population, beside).std()
    additive, dominance = np.zeros_like(small), np.zeros_like(small)
    if spread > 0:
        additive = small * (np.sqrt(share / (1 - share)) * total_value(population, group).std() / spread)
    additive[:, at] += group.additive
    dominance[:, at] = group.dominance
    return replace(beside, additive=additive, dominance=dominance, terms=at[group.terms], epistatic=group.epistatic)


def total_value(population: Population, group: TraitGroup) -> Floats:
    """Return the total genetic value `(n_individuals,)` of a group's one trait, up to a constant.

    Additive traits of thousands of loci are summed from packed bytes; others have few loci, which are unpacked.
    """
    bits, copies = population.haplotypes, population.copies
    if not group.dominance.any() and not len(group.terms):
        effects = np.zeros(population.n_loci)
        effects[group.loci] = group.additive[0] * (2 / copies)
        return sum_effects(bits.packed(), effects).reshape(-1, copies).sum(axis=1)
    x = dosage(bits.packed(), copies, 2 // copies, group.loci)
    xa = x - 1.0
    value = xa @ group.additive[0] + (x == 1) @ group.dominance[0]
    first, second = group.terms.T
    return value + (xa[:, first] * xa[:, second]) @ group.epistatic[0]


def allele_frequency(population: Population) -> Floats:
    """Return the frequency of allele "1" `(n_loci,)`."""
    bits = population.haplotypes.packed()
    return count_ones(bits, np.arange(len(bits)))[: population.n_loci] / len(bits)


def n_hidden_sites(n_markers: int) -> int:
    """Loci drawn beyond the panel's, which hold hidden QTL: enough for an infinitesimal trait."""
    return max(600, n_markers // 3)


def hidden_share(n_markers: int) -> float:
    """Share of all loci that a hidden infinitesimal trait may take."""
    return n_hidden_sites(n_markers) / (n_hidden_sites(n_markers) + n_markers)
