"""Laws of sampled effects, errors and founders. Statistical bounds are four standard errors of fixed seeds."""

import numpy as np
import pytest

from gpatlas.config.simulation import PhenotypeSpec, TraitSpec
from gpatlas.simulate import quick_haplo
from gpatlas.simulate.effects import draw_trait_groups, symmetric_root
from gpatlas.simulate.phenotypes import draw_phenotypes

LOCI = [np.arange(4000)]


def draw(seed=1, **settings):
    spec = TraitSpec(**({"type": "AE", "qtl_per_chromosome": 4000} | settings))
    return draw_trait_groups(spec, LOCI, np.random.default_rng(seed))


def test_symmetric_root_squares_to_the_correlation():
    matrix = np.array([[1, 0.5, 0.2], [0.5, 1, -0.3], [0.2, -0.3, 1]])
    root = symmetric_root(matrix)
    np.testing.assert_allclose(root @ root, matrix)
    np.testing.assert_allclose(root, root.T)


def test_pair_effects_have_four_rel_aa_times_the_variance():
    (group,) = draw(rel_aa=0.7)
    assert group.additive.var() == pytest.approx(1, abs=4 * np.sqrt(2 / 4000))
    assert group.epistatic.var() == pytest.approx(2.8, abs=4 * 2.8 * np.sqrt(2 / 2000))


@pytest.mark.parametrize(("cor_aa", "expected"), [("as_cor_a", 0.6), (0.9, 0.9), (-0.2, -0.2)])
def test_correlations_of_effects_among_traits(cor_aa, expected):
    (group,) = draw(n_traits=2, rel_aa=1.0, cor_a=0.6, cor_aa=cor_aa)
    assert np.corrcoef(group.additive)[0, 1] == pytest.approx(0.6, abs=4 * (1 - 0.36) / np.sqrt(4000))
    assert np.corrcoef(group.epistatic)[0, 1] == pytest.approx(expected, abs=4 / np.sqrt(2000))


def test_gamma_effects_have_gamma_sizes_and_random_signs():
    (group,) = draw(type="A", n_traits=2, gamma=(True, False), shape=0.4)
    gamma, normal = group.additive
    assert np.abs(gamma).mean() == pytest.approx(0.4, abs=4 * np.sqrt(0.4 / 4000))  # mean and variance are the shape
    assert np.abs(gamma).var() == pytest.approx(0.4, rel=0.25)
    assert (gamma > 0).mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(4000))
    assert np.abs(normal).mean() == pytest.approx(np.sqrt(2 / np.pi), abs=0.05)


def test_dominance_degrees():
    (group,) = draw(type="AD", mean_dd=0.3, var_dd=0.04)
    degree = group.dominance / np.abs(group.additive)
    assert degree.mean() == pytest.approx(0.3, abs=4 * 0.2 / np.sqrt(4000))
    assert degree.std() == pytest.approx(0.2, abs=4 * 0.2 / np.sqrt(8000))


def test_pairings_are_uniform_matchings():
    """Each of the 3 matchings of 4 loci should come up a third of the time."""
    spec = TraitSpec(type="AE", qtl_per_chromosome=4, rel_aa=1)
    rng, found = np.random.default_rng(3), []
    for _ in range(1500):
        (group,) = draw_trait_groups(spec, [np.arange(4)], rng)
        partner = next(set(pair) - {0} for pair in group.terms.tolist() if 0 in pair)
        found.append(partner.pop())
    counts = np.bincount(found, minlength=4)[1:]
    assert ((counts - 500) ** 2 / 500).sum() < 13.8  # chi-squared with 2 df, p = .001


def test_errors_are_correlated_as_asked():
    spec = PhenotypeSpec(var_e=(1.0, 4.0), cor_e=0.7)
    errors = draw_phenotypes(np.zeros((20_000, 2)), np.array([1.0, 4.0]), spec, np.random.default_rng(1))
    np.testing.assert_allclose(errors.var(axis=0), [1, 4], rtol=4 * np.sqrt(2 / 20_000))
    assert np.corrcoef(errors.T)[0, 1] == pytest.approx(0.7, abs=4 * 0.51 / np.sqrt(20_000))


def test_no_error_variance_means_no_error_even_with_correlations():
    """AlphaSimR turns a singular error covariance into a correlation matrix; we do not."""
    gv = np.arange(6.0).reshape(3, 2)
    spec = PhenotypeSpec(h2_broad=1.0, cor_e=0.5)
    np.testing.assert_array_equal(draw_phenotypes(gv, np.zeros(2), spec, np.random.default_rng(1)), gv)


def test_replication_shrinks_the_error():
    spec = PhenotypeSpec(var_e=1.0, reps=4)
    errors = draw_phenotypes(np.zeros((20_000, 1)), np.ones(1), spec, np.random.default_rng(1))
    assert errors.var() == pytest.approx(0.25, rel=4 * np.sqrt(2 / 20_000))


def test_quick_haplo_has_alphasimrs_map_and_copies():
    population = quick_haplo(10, [5, 3], np.random.default_rng(1), genetic_length=[1.0, 0.5], ploidy=2)
    np.testing.assert_allclose(population.position, [0, 0.25, 0.5, 0.75, 1, 0, 0.25, 0.5])
    assert (population.n_individuals, population.n_loci, len(population.haplotypes)) == (10, 8, 20)
    inbred = quick_haplo(10, [5], np.random.default_rng(1), ploidy=4, inbred=True)
    assert set(np.unique(inbred.dosage(slice(0, 10)))) <= {0, 4}
    assert quick_haplo(2, [1], np.random.default_rng(1)).position == [0]
