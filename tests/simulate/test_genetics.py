"""Genetic values against definitions written as loops, for any ploidy and any effects."""

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas.encoding import additive_coding, dominance_coding
from gpatlas.simulate import TraitGroup, from_haplotypes, genetic_values, genic_variances


@st.composite
def problems(draw):
    """A small population and one group of traits on some of its loci."""
    ploidy = draw(st.sampled_from([1, 2, 3, 4]))
    inbred = draw(st.booleans())
    n, p, t = draw(st.integers(2, 9)), draw(st.integers(2, 7)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    copies = 1 if inbred else ploidy
    haplotypes = rng.integers(0, 2, (n * copies, p))
    population = from_haplotypes(haplotypes, np.ones(p), np.arange(p), ploidy=ploidy, inbred=inbred)
    m = 2 * draw(st.integers(1, p // 2))
    loci = np.sort(rng.choice(p, m, replace=False))
    pairs = rng.permutation(m).reshape(-1, 2)[: draw(st.integers(0, m // 2))]
    group = TraitGroup(
        loci,
        rng.normal(size=(t, m)),
        rng.normal(size=(t, m)),
        pairs,
        rng.normal(size=(t, len(pairs))),
        rng.normal(size=t),
    )
    dosage = haplotypes.reshape(n, copies, p).sum(axis=1) * (ploidy if inbred else 1)
    return population, group, dosage[:, loci]


@settings(max_examples=80, deadline=None)
@given(problems())
def test_genetic_value_is_the_sum_of_its_effects(problem):
    population, group, x = problem
    xa, xd = additive_coding(x, population.ploidy), dominance_coding(x, population.ploidy)
    for t in range(group.n_traits):
        expected = group.intercept[t] + xa @ group.additive[t] + xd @ group.dominance[t]
        for (i, j), e in zip(group.terms, group.epistatic[t], strict=True):
            expected = expected + e * xa[:, i] * xa[:, j]
        np.testing.assert_allclose(genetic_values(population, [group]).gv[:, t], expected, atol=1e-10)


@settings(max_examples=80, deadline=None)
@given(problems())
def test_breeding_values_are_regressions_of_averaged_locus_tables(problem):
    """calcGenParam in words: average a locus' table over its partner, regress it on dosage, sum over loci."""
    population, group, x = problem
    values = genetic_values(population, [group])
    for t in range(group.n_traits):
        bv, dd = np.zeros(len(x)), np.zeros(len(x))
        for k in range(len(group.loci)):
            table = _averaged_table(group, t, k, x, population.ploidy)
            mean_x, mean_t = x[:, k].mean(), table.mean()
            spread = ((x[:, k] - mean_x) ** 2).sum()
            alpha = ((table - mean_t) @ (x[:, k] - mean_x)) / spread if spread > 1e-9 else 0.0
            bv += (x[:, k] - mean_x) * alpha
            dd += table - mean_t - (x[:, k] - mean_x) * alpha
        np.testing.assert_allclose(values.bv[:, t], bv, atol=1e-9)
        np.testing.assert_allclose(values.dd[:, t], dd, atol=1e-9)


def _averaged_table(group, t, k, x, ploidy):
    """Genotypic value of locus k for every individual, its partner replaced by the partner's mean."""
    xa, xd = additive_coding(x, ploidy), dominance_coding(x, ploidy)
    table = group.additive[t, k] * xa[:, k] + group.dominance[t, k] * xd[:, k]
    for (i, j), e in zip(group.terms, group.epistatic[t], strict=True):
        if k in (i, j):
            partner = j if k == i else i
            table = table + e * xa[:, k] * xa[:, partner].mean()
    return table


@settings(max_examples=60, deadline=None)
@given(problems())
def test_genic_variances_are_those_of_every_genotype_under_hardy_weinberg(problem):
    population, group, x = problem
    ploidy, found = population.ploidy, genic_variances(population, [group])
    levels = np.arange(ploidy + 1)
    from math import comb

    p = x.mean(axis=0) / ploidy
    f = np.array([[comb(ploidy, v) * q**v * (1 - q) ** (ploidy - v) for v in levels] for q in p])
    xa, xd = additive_coding(levels, ploidy), dominance_coding(levels, ploidy)
    for t in range(group.n_traits):
        var_a = var_d = var_aa = 0.0
        for k in range(len(group.loci)):
            table = group.additive[t, k] * xa + group.dominance[t, k] * xd
            for (i, j), e in zip(group.terms, group.epistatic[t], strict=True):
                if k in (i, j):
                    table = table + e * xa * (f[j if k == i else i] @ xa)
            mean_x, mean_t = f[k] @ levels, f[k] @ table
            spread = f[k] @ (levels - mean_x) ** 2
            alpha = (f[k] * (table - mean_t)) @ (levels - mean_x) / spread if spread > 1e-12 else 0.0
            var_a += f[k] @ ((levels - mean_x) * alpha) ** 2
            var_d += f[k] @ (table - mean_t - (levels - mean_x) * alpha) ** 2
        for (i, j), e in zip(group.terms, group.epistatic[t], strict=True):
            for a, b in product(levels, levels):
                var_aa += f[i, a] * f[j, b] * (e * (xa[a] - f[i] @ xa) * (xa[b] - f[j] @ xa)) ** 2
        np.testing.assert_allclose(
            [found[k][t] for k in ("genic_var_a", "genic_var_d", "genic_var_aa")], [var_a, var_d, var_aa], atol=1e-9
        )


def test_the_worked_example():
    """Section 13 of the semantics: four haploids, four QTL, two pairs, by hand."""
    haplotypes = np.array([[1, 1, 0, 1], [0, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 1]])
    group = TraitGroup(
        np.arange(4),
        np.array([[1, -0.5, 0.25, 0.5]]),
        np.zeros((1, 4)),
        np.array([[2, 0], [3, 1]]),
        np.array([[0.4, -0.8]]),
        np.array([0.1]),
    )
    values = genetic_values(from_haplotypes(haplotypes, np.ones(4), np.arange(4)), [group])
    np.testing.assert_allclose(values.gv[:, 0], [-0.35, -1.25, -0.35, 0.95], atol=1e-12)
    np.testing.assert_allclose(values.bv[:, 0], [-0.1, -1.4, 0.7, 0.8], atol=1e-12)
    np.testing.assert_allclose(values.aa[:, 0], [0, 0.4, -0.8, 0.4], atol=1e-12)
