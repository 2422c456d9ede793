"""Over many replicates, our populations are distributed as AlphaSimR's (tests/reference/alphasimr)."""

import json
from functools import cache

import numpy as np
import pytest

from gpatlas.config.simulation import SimulationSpec
from gpatlas.simulate import simulate
from tests.golden import SHARED, STORED

REPLICATES = 400


def references() -> list[dict]:
    """Our own replicates, and the larger set where it is at hand, in one layout."""
    found = [json.loads((STORED / "distribution.json").read_text())]
    if (SHARED / "distribution.json").exists():
        shared = json.loads((SHARED / "distribution.json").read_text())
        found.append(
            {
                "alphasimr": shared["provenance"]["alphasimr"],
                "n_rep": shared["scaling"]["nRep"],
                "scaling": [
                    {"relAA": case["relAA"], "values": {name: case[name] for name in SCALING}}
                    for case in shared["scaling"]["byRelAA"]
                ],
                "pleiotropy": [
                    {"cor": case["cor"], "values": {name: case[f"{name}_mean_pair"] for name in PLEIOTROPY}}
                    for case in shared["pleio"]["byCor"]
                ],
            }
        )
    return found


SCALING = ("varA_over_varG", "varAA_over_varG", "meansq_addEff", "meansq_epiEff", "varP", "intercept")
PLEIOTROPY = ("gv", "addEff", "epiEff", "bv", "aa")


def cases(experiment: str, key: str) -> list:
    return [
        pytest.param(
            case["values"], case[key], reference["n_rep"], id=f"AlphaSimR {reference['alphasimr']}, {key} {case[key]}"
        )
        for reference in references()
        for case in reference[experiment]
    ]


def spec(n, q, trait) -> SimulationSpec:
    section = {
        "founders": {"n_individuals": n, "loci_per_chromosome": q},
        "traits": [{"qtl_per_chromosome": q, "use_var_a": False} | trait],
        "phenotypes": {"h2_broad": 0.999},
    }
    return SimulationSpec.parse(section, "test")


def assert_same_mean(found: list[float], reference: dict, n_reference: int, what: str) -> None:
    """The difference of means is within three of its standard errors."""
    error = np.sqrt(np.var(found) / len(found) + reference["sd"] ** 2 / n_reference)
    difference = abs(np.mean(found) - reference["mean"])
    assert difference <= 3 * error + 1e-12, (
        f"{what}: {np.mean(found):.5f}, AlphaSimR {reference['mean']:.5f} ± {error:.5f}"
    )


@pytest.fixture(scope="module")
def scaling():
    """Our replicates of one trait, by relAA; made once for all references."""

    @cache
    def replicates(rel_aa: float) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {name: [] for name in SCALING}
        for seed in range(REPLICATES):
            data = simulate(spec(200, 30, {"rel_aa": rel_aa}), seed)
            truth = data.truth
            var_g = truth.traits["var_g"][0]
            found["varA_over_varG"].append(truth.traits["var_a"][0] / var_g)
            found["varAA_over_varG"].append(truth.traits["var_aa"][0] / var_g)
            found["meansq_addEff"].append((truth.effects.additive**2).mean())
            found["meansq_epiEff"].append((truth.pairs.epistatic**2).mean() if len(truth.pairs.epistatic) else 0.0)
            found["varP"].append(data.phenotypes.var())
            found["intercept"].append(truth.traits["intercept"][0])
        return found

    return replicates


@pytest.fixture(scope="module")
def pleiotropy():
    """Our replicates of four correlated traits, by correlation."""

    @cache
    def replicates(cor: float) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {name: [] for name in PLEIOTROPY}
        for seed in range(REPLICATES):
            truth = simulate(spec(500, 100, {"n_traits": 4, "rel_aa": 1, "cor_a": cor}), seed).truth
            gv, bv = truth.genetic_values, truth.breeding_values
            matrices = {
                "gv": gv,
                "bv": bv,
                "aa": gv - gv.mean(axis=0) - bv,
                "addEff": truth.effects.additive.reshape(4, -1).T,
                "epiEff": truth.pairs.epistatic.reshape(4, -1).T,
            }
            for name, matrix in matrices.items():
                found[name].append(np.corrcoef(matrix.T)[np.triu_indices(4, 1)].mean())
        return found

    return replicates


@pytest.mark.verification
@pytest.mark.parametrize(("expected", "rel_aa", "n_reference"), cases("scaling", "relAA"))
def test_scaling_traits(scaling, expected, rel_aa, n_reference):
    for name, values in scaling(rel_aa).items():
        assert_same_mean(values, expected[name], n_reference, name)
        if expected[name]["sd"] > 1e-9:
            assert np.std(values) == pytest.approx(expected[name]["sd"], rel=0.2), name


@pytest.mark.verification
@pytest.mark.parametrize(("expected", "cor", "n_reference"), cases("pleiotropy", "cor"))
def test_correlated_traits(pleiotropy, expected, cor, n_reference):
    for name, values in pleiotropy(cor).items():
        assert_same_mean(values, expected[name], n_reference, name)
