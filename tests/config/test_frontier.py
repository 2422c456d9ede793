"""The frontier experiment: its grid, what it simulates, and what it refuses."""

import numpy as np
import pytest

from gpatlas.config import FrontierConfig, parse_experiment, parse_mapping, read_experiment
from gpatlas.design import Design
from gpatlas.errors import ConfigError
from gpatlas.simulate import simulate
from tests.conftest import REPOSITORY

FRONTIER = {
    "experiment": "frontier", "n_samples": [100, 400], "qtl_scaling": {100: [0.3, 1], 400: [2]},
    "heritability": [0.9, 0.5], "replicates": {100: 2, 400: 1}, "models": {"rrblup": {}},
}  # fmt: skip


def test_the_published_grid_goes_to_a_million_samples():
    rows = [row.columns for row in Design(read_experiment(REPOSITORY / "config/published/frontier.yaml")).rows]
    assert {row["n_samples"] for row in rows} == {1000, 10_000, 100_000, 1_000_000}
    for architecture in ("sparse", "dense", "triples"):
        for h2 in (0.999, 0.5):
            mine = [row for row in rows if (row["architecture"], row["heritability"]) == (architecture, h2)]
            assert len(mine) == len(rows) / 6


def test_scalings_go_with_their_sample_size():
    rows = [row.columns for row in Design(parse_experiment(FRONTIER)).rows]
    found = {(row["n_samples"], row["qtl_scaling"]) for row in rows}
    assert found == {(100, 0.3), (100, 1), (400, 2)}
    assert len(rows) == (2 * 2 + 1) * 2 * 3  # replicates of cells × heritabilities × architectures
    one = [row.columns for row in Design(parse_experiment(FRONTIER | {"qtl_scaling": 1})).rows]
    assert {(row["n_samples"], row["qtl_scaling"]) for row in one} == {(100, 1), (400, 1)}


def test_the_configuration_survives_json():
    """The workflow passes it on as text, in which keys of maps are text."""
    config = parse_experiment(FRONTIER)
    assert parse_experiment(parse_mapping(config.model_dump_json(), "json")) == config


def test_rows_that_differ_in_architecture_or_heritability_share_their_random_numbers():
    design = Design(parse_experiment(FRONTIER))
    cell = [row for row in design.rows if (row.columns["n_samples"], row.columns["rep"]) == (400, 1)]
    assert len({design.seed(row, "simulate") for row in cell}) == 1
    data = {
        (row.columns["architecture"], row.columns["heritability"]): simulate(
            design.simulation(row), design.seed(row, "simulate")
        )
        for row in cell
    }
    first = data["sparse", 0.9]
    for (architecture, h2), other in data.items():
        np.testing.assert_array_equal(other.dosage(), first.dosage())
        np.testing.assert_array_equal(other.fold, first.fold)
        errors = (other.phenotypes - other.truth.genetic_values) / np.sqrt(1 / h2 - 1)
        np.testing.assert_allclose(errors, (first.phenotypes - first.truth.genetic_values) / np.sqrt(1 / 0.9 - 1))
        counts = [len(table.trait) for table in (other.truth.pairs, other.truth.triples)]
        q = other.n_loci
        assert counts == {"sparse": [q // 2, 0], "dense": [q * (q - 1) // 2, 0], "triples": [0, q // 3]}[architecture]
        assert other.n_traits == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "sparce"}, "architecture.0: input should be 'sparse', 'dense' or 'triples', not 'sparce'"),
        ({"architecture": ["dense", "dense"]}, "architecture lists a value twice: ['dense', 'dense']"),
        ({"qtl_scaling": {100: [1]}}, "qtl_scaling has no entry for n_samples 400"),
        ({"qtl_scaling": {100: [1, 1], 400: [1]}}, "qtl_scaling lists a value twice: [1.0, 1.0]"),
        ({"qtl_scaling": [2, 2]}, "qtl_scaling lists a value twice: [2.0, 2.0]"),
        ({"rel_aa": [0, 1]}, "rel_aa: input should be a valid number, not [0, 1]"),
        (
            {"engine": "alphasimr"},
            "architecture: engine alphasimr has disjoint pairs only, not dense; use engine: native, or architecture: s",
        ),
    ],
)
def test_mistakes(changes, message):
    with pytest.raises(ConfigError) as error:
        parse_experiment(FRONTIER | changes)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_alphasimr_may_draw_the_sparse_ones():
    assert FrontierConfig.parse(FRONTIER | {"engine": "alphasimr", "architecture": "sparse"}, "test").architecture
