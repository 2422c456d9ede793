"""Genotype by environment: against AlphaSimR, and in populations that descend from the founders."""

import numpy as np
import pytest
from scipy.special import ndtri

from gpatlas.config.simulation import PhenotypeSpec, SimulationSpec, TraitSpec
from gpatlas.errors import ConfigError
from gpatlas.simulate import add_traits, environment_slopes, genetic_values, quick_haplo, set_phenotypes, simulate
from gpatlas.simulate.reaction_norms import environment_deviations
from tests import golden

CASE = golden.SHARED / "dip_AG.json.gz"


@pytest.mark.skipif(not CASE.exists(), reason="the shared reference data are not at hand")
def test_slopes_and_phenotypes_of_alphasimr():
    """The stored phenotypes have an error variance of 1e-12 and environments p = 0.9 and 0.2."""
    case = golden.load(CASE)
    population, groups, pop = golden.population(case), golden.groups(case), case["pops"]["pop"]
    np.testing.assert_allclose(environment_slopes(population, groups), np.array(pop["gxe"]).T, atol=1e-12)
    added = environment_deviations(population, groups, (0.9, 0.2), np.random.default_rng(1))
    expected = np.array(pop["pheno"]).T
    np.testing.assert_allclose(genetic_values(population, groups).gv + added, expected, atol=1e-5)


def founders_and_traits(seed=1, **changes):
    rng = np.random.default_rng(seed)
    founders = quick_haplo(500, [100, 100], rng, ploidy=2)
    spec = TraitSpec(**{"type": "AG", "n_traits": 2, "qtl_per_chromosome": 30, "var_gxe": (2.0, 0.5)} | changes)
    return founders, add_traits(founders, (spec,), rng)


@pytest.mark.parametrize("kind", ["AG", "ADG", "AEG", "ADEG"])
@pytest.mark.parametrize(("var_env", "mean", "spread"), [(0.0, 0.0, (2.0, 0.5)), (4.0, 1.0, (0.5, 0.125))])
def test_founders_have_the_wanted_slopes(kind, var_env, mean, spread):
    epistatic = {"rel_aa": 0.5, "pairing": "separate"} if "E" in kind else {}
    founders, traits = founders_and_traits(type=kind, var_env=var_env, **epistatic)
    slopes = environment_slopes(founders, traits.groups)
    np.testing.assert_allclose(slopes.mean(axis=0), mean, atol=1e-12)
    np.testing.assert_allclose(slopes.var(axis=0), spread, rtol=1e-12)
    np.testing.assert_allclose(traits.values.gv, genetic_values(founders, traits.groups).gv, atol=1e-10)


def test_correlated_slopes():
    _, traits = founders_and_traits(cor_gxe=0.9)
    g = traits.groups[0].norms.effects
    assert np.corrcoef(g)[0, 1] > 0.75


def test_phenotypes_in_an_environment():
    """Without error a phenotype is gv + slope · Φ⁻¹(p) √varEnv; traits share the environment that is drawn."""
    founders, traits = founders_and_traits(var_env=4.0)
    spec = PhenotypeSpec(var_e=0.0, p=(0.9, 0.3))
    phenotypes = set_phenotypes(founders, traits, spec, np.random.default_rng(2))
    slopes = environment_slopes(founders, traits.groups)
    np.testing.assert_allclose(phenotypes, traits.values.gv + slopes * ndtri([0.9, 0.3]) * 2, atol=1e-10)
    drawn = set_phenotypes(founders, traits, PhenotypeSpec(var_e=0.0), np.random.default_rng(3))
    w = (drawn - traits.values.gv) / slopes
    np.testing.assert_allclose(w, w[0, 0], rtol=1e-6)


def test_heritability_refers_to_the_founders():
    _, traits = founders_and_traits(type="A", var_gxe=0.0, var=(1.0, 4.0))
    later = quick_haplo(40_000, [100, 100], np.random.default_rng(9), ploidy=2)
    phenotypes = set_phenotypes(later, traits, PhenotypeSpec(h2=(0.5, 0.8)), np.random.default_rng(4))
    error = phenotypes - genetic_values(later, traits.groups).gv
    np.testing.assert_allclose(error.var(axis=0), [1.0, 1.0], rtol=0.03)
    np.testing.assert_allclose(traits.var_a, [1, 4])
    np.testing.assert_allclose(traits.var_g, [1, 4])


def test_the_engine_makes_and_records_them():
    section = {
        "founders": {"n_individuals": 200, "loci_per_chromosome": 50, "ploidy": 2},
        "traits": [{"type": "AG", "qtl_per_chromosome": 20, "var_gxe": 3}, {"type": "A", "qtl_per_chromosome": 20}],
        "phenotypes": {"var_e": 0, "p": 0.8},
    }
    data = simulate(SimulationSpec.parse(section, "test"), 5)
    np.testing.assert_allclose(data.truth.traits["var_gxe"], [3, 0], rtol=1e-12)
    added = data.phenotypes - data.truth.genetic_values
    np.testing.assert_allclose(added.var(axis=0), [3 * ndtri(0.8) ** 2, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("trait", "phenotypes", "message"),
    [
        ({"type": "AG"}, {}, "var_gxe must be above 0"),
        ({"var_gxe": 1}, {}, "type A has none"),
        ({}, {"p": 0.5}, "phenotypes.p is the environment"),
        ({"type": "AG", "var_gxe": 1}, {"p": [0.5, 0.5]}, "phenotypes.p has 2 entries for 1 traits"),
    ],
)
def test_refusals(trait, phenotypes, message):
    section = {
        "founders": {"n_individuals": 50, "loci_per_chromosome": 20},
        "traits": [{"type": "A", "qtl_per_chromosome": 4} | trait],
        "phenotypes": {"h2": 0.5} | phenotypes,
    }
    with pytest.raises(ConfigError, match=message):
        SimulationSpec.parse(section, "test")
