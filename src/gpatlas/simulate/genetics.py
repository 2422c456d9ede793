"""Genetic values of a population and their statistical decomposition (AlphaSimR getGv and calcGenParam).

Notation (see ../encoding.py for xa and xd): f is the observed genotype distribution of a locus, c = E_f xa,
μ = E_f x, e the effect of an epistatic term (a pair of loci, or a triple) and c' the product of the partners' c.

    gv = intercept + Σ a xa + Σ d xd + Σ_terms e Π xa
    α  = (a + Σ e c')·2/P + d·β        β = cov_f(xd, x) / var_f(x)       (0 at a monomorphic locus)
    bv = Σ α (x - μ)
    dd = Σ d [xd - E_f xd - β (x - μ)]
    aa = gv - mean(gv) - bv - dd

Partners enter through their marginal distributions, as in AlphaSimR (src/calcGenParam.cpp), so linkage
disequilibrium within a term is part of aa, and so is all epistasis of triples. All variances have divisor n.

Where pairs outnumber loci, their sum is a quadratic form, Σ_i<j e_ij xa_i xa_j = xa' U xa with U upper triangular,
which is a matrix product instead of a gather of every pair.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gpatlas.encoding import additive_coding, dominance_coding
from gpatlas.simulate.population import Population
from gpatlas.simulate.reaction_norms import ReactionNorms


@dataclass(frozen=True)
class TraitGroup:
    """The traits of one `addTrait…` call: they share their QTL and which of them interact.

    Parameters
    ----------
    loci
        int `(n_qtl,)`, ascending indices of the QTL into the population's loci.
    additive, dominance
        `(n_traits, n_qtl)` effects a and d.
    terms
        int `(n_terms, order)`, positions within `loci`: pairs (order 2) or triples; empty without epistasis.
    epistatic
        `(n_traits, n_terms)` effects e of the terms.
    intercept
        `(n_traits,)`.
    norms
        Reaction norms, where the traits have G×E.
    """

    loci: NDArray[np.intp]
    additive: NDArray[np.float64]
    dominance: NDArray[np.float64]
    terms: NDArray[np.intp]
    epistatic: NDArray[np.float64]
    intercept: NDArray[np.float64]
    norms: ReactionNorms | None = None

    @property
    def n_traits(self) -> int:
        """Number of traits in the group."""
        return self.additive.shape[0]

    def scaled(self, factor: NDArray[np.float64], intercept: NDArray[np.float64]) -> "TraitGroup":
        """Multiply every effect of trait t by `factor[t]` and set the intercepts; reaction norms stay as they are."""
        by = factor[:, None]
        return replace(
            self,
            additive=self.additive * by,
            dominance=self.dominance * by,
            epistatic=self.epistatic * by,
            intercept=intercept,
        )

    @property
    def is_dense(self) -> bool:
        """Whether pairs outnumber loci, so that `pair_matrix` is the shorter way."""
        return self.terms.shape[1] == 2 and len(self.terms) > len(self.loci)

    def pair_matrix(self, trait: int) -> NDArray[np.float64]:
        """Return U `(n_qtl, n_qtl)`, the effects of a trait's pairs in the upper triangle."""
        matrix = np.zeros((len(self.loci), len(self.loci)))
        first, second = np.sort(self.terms, axis=1).T
        np.add.at(matrix, (first, second), self.epistatic[trait])
        return matrix


@dataclass(frozen=True)
class LocusMoments:
    """What a genotype distribution says about each locus; all arrays `(n_loci,)`."""

    mean_x: NDArray[np.float64]
    var_x: NDArray[np.float64]
    mean_xa: NDArray[np.float64]
    mean_xd: NDArray[np.float64]
    var_xd: NDArray[np.float64]
    slope_xd: NDArray[np.float64]  # β, regression of xd on x; 0 where x does not vary

    @classmethod
    def of(cls, weights: NDArray[np.float64]) -> "LocusMoments":
        """Compute moments of dosage distributions `(ploidy + 1, n_loci)` whose columns sum to 1."""
        ploidy = weights.shape[0] - 1
        x = np.arange(ploidy + 1.0)
        xa, xd = additive_coding(x, ploidy), dominance_coding(x, ploidy)
        mean_x, mean_xd = x @ weights, xd @ weights
        polymorphic = (weights > 0).sum(axis=0) > 1
        var_x = np.where(polymorphic, x**2 @ weights - mean_x**2, 0.0)
        covariance = (x * xd) @ weights - mean_x * mean_xd
        slope = np.divide(covariance, var_x, out=np.zeros_like(var_x), where=polymorphic)
        return cls(mean_x, var_x, xa @ weights, mean_xd, xd**2 @ weights - mean_xd**2, slope)

    def at(self, columns: NDArray) -> "LocusMoments":
        """Return the moments of some of the loci."""
        return LocusMoments(*(values[columns] for values in vars(self).values()))


@dataclass(frozen=True)
class GeneticValues:
    """Genetic values and their parts, each `(n_individuals, n_traits)`; `aa` is what remains."""

    gv: NDArray[np.float64]
    bv: NDArray[np.float64]
    dd: NDArray[np.float64]

    @property
    def aa(self) -> NDArray[np.float64]:
        """Epistatic deviations, `gv - mean(gv) - bv - dd`."""
        return self.gv - self.gv.mean(axis=0) - self.bv - self.dd


@threadpool_limits.wrap(limits=1)
def genetic_values(population: Population, groups: Sequence[TraitGroup]) -> GeneticValues:
    """Evaluate traits on a population, in float64 and in blocks of individuals.

    Results do not depend on the number of threads: every block is computed by one thread in a fixed order.

    Parameters
    ----------
    population
        Individuals; QTL indices refer to its loci.
    groups
        Trait groups; their traits are concatenated in order.

    Returns
    -------
    GeneticValues
        `gv`, `bv` and `dd` as in the module's head.
    """
    n, ploidy = population.n_individuals, population.ploidy
    loci = np.unique(np.concatenate([group.loci for group in groups]))
    moments = LocusMoments.of(population.genotype_counts(loci) / n)
    n_traits = sum(group.n_traits for group in groups)
    dominant = ploidy > 1 and any(group.dominance.any() for group in groups)
    on_xa, on_xd, constant = _linear_forms(groups, loci, moments, ploidy)
    n_forms = n_traits * (3 if dominant else 2)  # gv, bv, and dd where there is dominance
    values = np.zeros((3 * n_traits, n))
    matrices = [[g.pair_matrix(t) for t in range(g.n_traits)] if g.is_dense else [] for g in groups]
    for block in population.blocks(len(loci)):
        dosage = population.dosage(block, loci).T
        xa = np.ascontiguousarray(dosage, dtype=np.float64)
        xa -= ploidy / 2
        xa *= 2 / ploidy
        values[:n_forms, block] = on_xa[:n_forms] @ xa
        if dominant:
            values[:n_forms, block] += on_xd @ dominance_coding(dosage, ploidy)
        start = 0
        for group, of_traits in zip(groups, matrices, strict=True):
            traits = slice(start, start := start + group.n_traits)
            columns = np.searchsorted(loci, group.loci)
            if of_traits:
                here = xa[columns]
                for row, matrix in zip(values[traits, block], of_traits, strict=True):
                    row += np.einsum("ij,ij->j", here, matrix @ here)
            elif group.epistatic.any():
                first, *others = columns[group.terms].T
                product = xa[first]
                for other in others:
                    product *= xa[other]
                values[traits, block] += group.epistatic @ product
    values[:n_forms] += constant[:n_forms, None]
    gv, bv, dd = (np.ascontiguousarray(part.T) for part in np.split(values, 3))
    return GeneticValues(gv, bv, dd)


def _linear_forms(
    groups: Sequence[TraitGroup], loci: NDArray, moments: LocusMoments, ploidy: int
) -> tuple[NDArray, NDArray, NDArray]:
    """Write gv (without epistatic terms), bv and dd as linear forms in xa and xd, with their constants.

    Uses x = (xa + 1)·P/2. Rows are all traits' gv, then bv, then dd; columns are `loci`.
    """
    half = ploidy / 2
    forms: tuple[list, list, list] = ([], [], [])
    for group in groups:
        columns = np.searchsorted(loci, group.loci)
        here = moments.at(columns)
        alpha, slope = average_effects(group, here, ploidy), group.dominance * here.slope_xd
        no_xd = np.zeros_like(alpha)
        parts = (
            (group.additive, group.dominance, group.intercept),
            (alpha * half, no_xd, alpha @ (half - here.mean_x)),
            (-slope * half, group.dominance, slope @ (here.mean_x - half) - group.dominance @ here.mean_xd),
        )
        for form, (on_xa, on_xd, constant) in zip(forms, parts, strict=True):
            spread = np.zeros((2, group.n_traits, len(loci)))
            spread[:, :, columns] = on_xa, on_xd
            form.append((*spread, constant))
    rows = [part for form in forms for part in form]
    return tuple(np.concatenate(column) for column in zip(*rows, strict=True))  # type: ignore[return-value]


def average_effects(group: TraitGroup, moments: LocusMoments, ploidy: int) -> NDArray[np.float64]:
    """Return the average effects α of allele substitution, `(n_traits, n_qtl)`, per unit of dosage."""
    in_background = group.additive.copy()  # a + Σ e c': the additive effect averaged over partners
    mean = moments.mean_xa
    if group.is_dense:
        for row, matrix in zip(in_background, map(group.pair_matrix, range(group.n_traits)), strict=True):
            row += matrix @ mean + mean @ matrix
    else:
        for position, loci in enumerate(group.terms.T):
            partners = np.delete(group.terms, position, axis=1)
            np.add.at(in_background.T, loci, (group.epistatic * mean[partners].prod(axis=1)).T)
    alpha = in_background * (2 / ploidy) + group.dominance * moments.slope_xd
    return np.where(moments.var_x > 0, alpha, 0.0)


def population_covariance(a: NDArray, b: NDArray | None = None) -> NDArray[np.float64]:
    """Covariance matrix of columns with divisor n (AlphaSimR `popVar`), `(n_traits, n_traits)`."""
    b = a if b is None else b
    return (a - a.mean(axis=0)).T @ (b - b.mean(axis=0)) / len(a)
