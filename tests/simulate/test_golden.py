"""Genetic values and variances against AlphaSimR itself (tests/reference/alphasimr/make_golden.R)."""

import numpy as np
import pytest

from gpatlas.config.simulation import PhenotypeSpec
from gpatlas.simulate import genetic_values, genic_variances, realised_variances
from gpatlas.simulate.phenotypes import error_variances
from tests import golden

CASES = golden.trait_cases()
TOLERANCE = 1e-10


@pytest.fixture(params=CASES, ids=lambda path: f"{path.parent.parent.name}-{path.name.split('.')[0]}", scope="module")
def case(request):
    return golden.load(request.param)


def test_the_stored_cases_are_there():
    assert len([path for path in CASES if path.parent == golden.STORED]) == 9


def test_genetic_values_and_their_parts(case):
    values = genetic_values(golden.population(case), golden.groups(case))
    for part in ("gv", "bv", "dd", "aa"):
        expected = np.array(case["pops"]["pop"][part]).T
        np.testing.assert_allclose(getattr(values, part), expected, atol=TOLERANCE, err_msg=part)


def test_realised_variances(case):
    found = realised_variances(genetic_values(golden.population(case), golden.groups(case)))
    for theirs, ours in (("varA", "var_a"), ("varD", "var_d"), ("varAA", "var_aa"), ("varG", "var_g")):
        np.testing.assert_allclose(found[ours], case["pops"]["pop"][theirs], atol=TOLERANCE, err_msg=theirs)


def test_genic_variances(case):
    epistatic = any("epiEff_i" in trait for trait in case["simParam"]["traits"])
    if epistatic and case["alphasimr"].startswith("2."):
        pytest.skip("AlphaSimR 2.x takes the first locus' average effect for both loci of a pair")
    found = genic_variances(golden.population(case), golden.groups(case))
    pop = case["pops"]["pop"]
    for kind in ("A", "D", "AA", "G"):
        expected = pop[f"genicVar{kind}"]
        np.testing.assert_allclose(found[f"genic_var_{kind.lower()}"], expected, atol=TOLERANCE, err_msg=kind)


def test_error_variances(case):
    if "varE" not in case:
        pytest.skip("the case records no error variance")
    given = case.get("phenotypes") or {"H2": case["H2"]}
    key = {"H2": "h2_broad", "h2": "h2", "varE": "var_e"}[next(iter(given))]
    value = next(iter(given.values()))
    spec = PhenotypeSpec(**{key: tuple(value) if isinstance(value, list) else value})
    var_a, var_g = (np.asarray(case["simParam"][name], dtype=float) for name in ("varA", "varG"))
    np.testing.assert_allclose(error_variances(spec, var_a, var_g), case["varE"], atol=TOLERANCE)


def test_founder_variances_are_what_the_traits_were_scaled_to(case):
    found = realised_variances(genetic_values(golden.population(case), golden.groups(case)))
    np.testing.assert_allclose(np.diag(found["var_a"]), case["simParam"]["varA"], atol=TOLERANCE)
    np.testing.assert_allclose(np.diag(found["var_g"]), case["simParam"]["varG"], atol=TOLERANCE)
