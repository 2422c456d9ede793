"""The AlphaSimR engine, run for real where R, AlphaSimR and rpy2 are there."""

import subprocess
from functools import cache

import numpy as np
import pytest
from scipy.special import ndtri

from gpatlas.config import EngineSpec
from gpatlas.config.simulation import SimulationSpec, TraitSpec
from gpatlas.engines import make_dataset
from gpatlas.errors import EngineError
from gpatlas.io.published.tables import read_published_tables
from gpatlas.simulate.alphasimr import _refuse_unavailable, simulate_with_alphasimr
from tests.conftest import REPOSITORY


@cache
def why_not() -> str | None:
    try:
        simulate_with_alphasimr(spec(), 1)
    except EngineError as error:
        return str(error).split(": install")[0]
    return None


@pytest.fixture
def alphasimr():
    if why_not():
        pytest.skip(why_not())


def spec(**changes) -> SimulationSpec:
    section = {
        "founders": {"n_individuals": 60, "loci_per_chromosome": [20, 13], "ploidy": 2},
        "traits": [
            {
                "type": "ADE", "n_traits": 2, "qtl_per_chromosome": [10, 6], "rel_aa": 0.5, "mean_dd": 0.2,
                "var_dd": 0.1, "cor_a": 0.5, "mean": [1, 2], "var": [1, 2],
            },
            {"type": "A", "qtl_per_chromosome": 3, "gamma": True, "shape": 0.5},
        ],
        "phenotypes": {"h2_broad": 0.7, "cor_e": 0.3},
    }  # fmt: skip
    return SimulationSpec.parse(section | changes, "test")


@pytest.mark.r
@pytest.mark.usefixtures("alphasimr")
@pytest.mark.parametrize("ploidy", [1, 2, 4])
@pytest.mark.parametrize("inbred", [False, True])
def test_it_makes_what_was_asked_for(ploidy, inbred):
    """Its own evaluation is held against ours inside the engine; here, that what it drew is what we asked."""
    founders = {"n_individuals": 60, "loci_per_chromosome": [20, 13], "ploidy": ploidy, "inbred": inbred}
    data = simulate_with_alphasimr(spec(founders=founders), 3)
    truth = data.truth
    np.testing.assert_allclose(truth.genetic_values.mean(axis=0), [1, 2, 0], atol=1e-10)
    np.testing.assert_allclose(truth.traits["var_a"], [1, 2, 1], atol=1e-10)
    assert [int((truth.effects.trait == t).sum()) for t in range(3)] == [16, 16, 6]
    assert set(np.unique(data.dosage())) <= ({0, ploidy} if inbred else set(range(ploidy + 1)))
    assert np.corrcoef(data.phenotypes[:, 0], truth.genetic_values[:, 0])[0, 1] > 0.6


@pytest.mark.r
@pytest.mark.usefixtures("alphasimr")
def test_traits_on_different_qtl_sets_have_the_right_values():
    """AlphaSimR 2.0-2.1 evaluates these wrongly in newPop (its issue 263); var would not be 1."""
    traits = [{"qtl_per_chromosome": 12, "rel_aa": r, "use_var_a": False} for r in (0, 1)]
    founders = {"n_individuals": 200, "loci_per_chromosome": 60}
    data = simulate_with_alphasimr(spec(founders=founders, traits=traits, phenotypes={"h2_broad": 0.9999}), 2)
    np.testing.assert_allclose(data.truth.genetic_values.var(axis=0), 1, atol=1e-10)
    for t in range(2):
        assert np.corrcoef(data.phenotypes[:, t], data.truth.genetic_values[:, t])[0, 1] > 0.999


@pytest.mark.r
@pytest.mark.usefixtures("alphasimr")
@pytest.mark.parametrize("phenotypes", [{"h2": 0.3}, {"h2_broad": [0.5, 0.6, 0.7]}, {"var_e": [1, 2, 3]}, {"var_e": 0}])
def test_every_way_to_an_error_variance(phenotypes):
    data = simulate_with_alphasimr(spec(phenotypes=phenotypes), 5)
    error = data.phenotypes - data.truth.genetic_values
    np.testing.assert_allclose(error.var(axis=0), data.truth.traits["var_e"], rtol=0.8, atol=1e-12)


@pytest.mark.r
@pytest.mark.usefixtures("alphasimr")
@pytest.mark.parametrize("kind", ["AG", "ADG", "AEG", "ADEG"])
@pytest.mark.parametrize("var_env", [0, 1.5])
def test_genotype_by_environment(kind, var_env):
    """Its phenotypes without error are our genetic values and slopes in that environment."""
    trait = {"type": kind, "n_traits": 2, "qtl_per_chromosome": 10, "var_gxe": [2, 0.5], "var_env": var_env}
    phenotypes = {"var_e": 0, "p": [0.9, 0.3]}
    data = simulate_with_alphasimr(spec(traits=[trait], phenotypes=phenotypes), 7)
    np.testing.assert_allclose(data.truth.traits["var_gxe"], [2, 0.5], rtol=1e-10)
    added = data.phenotypes - data.truth.genetic_values
    expected = ndtri([0.9, 0.3]) ** 2 * [2, 0.5]
    np.testing.assert_allclose(added.var(axis=0), expected, rtol=1e-10)


@pytest.mark.r
@pytest.mark.usefixtures("alphasimr")
def test_replicate_seeds_draw_what_the_published_script_draws(tmp_path):
    stem = tmp_path / "sim"
    script = REPOSITORY / "tests/benchmarks/published_simulation.R"
    subprocess.run(["Rscript", script, "80", "12", "4", stem], check=True, capture_output=True)
    tables = read_published_tables(stem)
    traits = [{"qtl_per_chromosome": 12, "rel_aa": r, "use_var_a": False} for r in (0, 0.1, 0.5, 1, 3)]
    wanted = spec(
        founders={"n_individuals": 80, "loci_per_chromosome": 12}, traits=traits, phenotypes={"h2_broad": 0.999}
    )
    data = make_dataset(wanted, EngineSpec(name="alphasimr", r_seed="replicate"), 99, {"rep": 4})
    np.testing.assert_array_equal(data.dosage(), tables.genotypes.unpack())
    np.testing.assert_allclose(data.phenotypes, tables.phenotypes, atol=1e-12)


@pytest.mark.parametrize(
    ("trait", "message"),
    [
        ({"pairing": "separate"}, "use engine: native for pairing: separate"),
        ({"cor_a": 0.5, "cor_aa": 0.1}, "uses corA in place of corAA"),
    ],
)
def test_what_it_cannot_do_is_refused(trait, message):
    with pytest.raises(EngineError, match=message):
        _refuse_unavailable(TraitSpec(type="AE", n_traits=2, qtl_per_chromosome=4, rel_aa=1, **trait))
