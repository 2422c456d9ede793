"""The dilution and pleiotropy experiments: their grids, what they simulate, and what they refuse."""

import numpy as np
import pytest

from gpatlas.config import DilutionConfig, PleiotropyConfig, parse_experiment, read_experiment
from gpatlas.design import Design
from gpatlas.errors import ConfigError
from gpatlas.simulate import simulate
from tests.conftest import REPOSITORY

DILUTION = {
    "experiment": "dilution", "n_samples": [400], "n_qtl": [10], "n_markers": [10, 40], "replicates": 2,
    "models": {"rrblup": {}},
}  # fmt: skip
PLEIOTROPY = {
    "experiment": "pleiotropy", "n_samples": [400], "n_qtl": [40], "n_traits": [3],
    "genetic_correlation": [0, 0.5, 0.9], "replicates": 1, "models": {"rrblup": {}},
}  # fmt: skip


def test_the_published_dilution_grid():
    rows = Design(read_experiment(REPOSITORY / "config/published/dilution.yaml")).rows
    assert len(rows) == 40
    assert {row.columns["n_markers"] for row in rows} == {100, 250, 500, 750, 1000, 2500, 5000, 10000}
    assert {(row.columns["n_samples"], row.columns["n_qtl"], row.columns["heritability"]) for row in rows} == {
        (10_000, 100, 0.9999)
    }


def test_the_published_pleiotropy_grid():
    rows = [row.columns for row in Design(read_experiment(REPOSITORY / "config/published/pleiotropy.yaml")).rows]
    assert len(rows) == 250
    assert {row["n_qtl"] for row in rows} == {100, 200, 300, 500, 1000}
    assert {row["genetic_correlation"] for row in rows} == {0, 0.25, 0.5, 0.75, 0.95}
    # pairs are separate at correlation 0 and shared above: what the published scripts did
    assert all((row["pairing"] == "separate") == (row["genetic_correlation"] == 0) for row in rows)


def dataset(config, **columns):
    """The first population whose design columns are these."""
    design = Design(config)
    row = next(row for row in design.rows if columns.items() <= row.columns.items())
    return simulate(design.simulation(row), design.seed(row, "simulate"))


def test_every_trait_has_qtl_of_its_own_in_dilution():
    data = dataset(parse_experiment(DILUTION), n_markers=40)
    effects = data.truth.effects
    loci = [set(effects.locus[effects.trait == trait]) for trait in range(2)]
    assert [len(mine) for mine in loci] == [10, 10]
    assert loci[0] != loci[1]
    assert data.n_loci == 40


def test_all_markers_are_qtl_where_there_are_no_others():
    effects = dataset(parse_experiment(DILUTION), n_markers=10).truth.effects
    np.testing.assert_array_equal(effects.locus, np.tile(np.arange(10), 2))


def pairs_of(data, trait):
    pairs = data.truth.pairs
    mine = pairs.trait == trait
    ends = zip(pairs.locus_1[mine], pairs.locus_2[mine], strict=True)
    return {frozenset(map(int, pair)) for pair in ends}


@pytest.mark.parametrize("correlation", [0, 0.9])
def test_pairs_are_shared_or_separate_at_every_correlation(correlation):
    config = parse_experiment(PLEIOTROPY)
    shared = dataset(config, pairing="shared", genetic_correlation=correlation)
    separate = dataset(config, pairing="separate", genetic_correlation=correlation)
    assert pairs_of(shared, 0) == pairs_of(shared, 1) == pairs_of(shared, 2)
    assert len({frozenset(pairs_of(separate, trait)) for trait in range(3)}) == 3
    np.testing.assert_array_equal(shared.dosage(), separate.dosage())  # only the pairs differ
    np.testing.assert_allclose(
        np.corrcoef(shared.truth.effects.additive.reshape(3, -1)),
        np.corrcoef(separate.truth.effects.additive.reshape(3, -1)),
    )


def test_effects_have_the_genetic_correlation_of_their_row():
    config = parse_experiment(PLEIOTROPY | {"n_qtl": [400], "n_samples": [100]})
    for correlation in (0, 0.5, 0.9):
        truth = dataset(config, pairing="separate", genetic_correlation=correlation).truth
        found = np.corrcoef(truth.effects.additive.reshape(3, -1))[np.triu_indices(3, 1)]
        np.testing.assert_allclose(found, correlation, atol=0.15)
        epistatic = np.corrcoef(truth.pairs.epistatic.reshape(3, -1))[np.triu_indices(3, 1)]
        np.testing.assert_allclose(epistatic, correlation, atol=0.2)


def test_alphasimr_is_asked_for_separate_pairs_by_separate_calls():
    config = parse_experiment(PLEIOTROPY | {"engine": "alphasimr", "genetic_correlation": [0], "pairing": "separate"})
    assert [trait.n_traits for trait in config.simulation(config.rows()[0]).traits] == [1, 1, 1]


def test_the_genetic_correlation_is_never_read_from_a_name():
    """The published figure shows 0.05 where 0.5 was simulated."""
    columns = [row.columns["genetic_correlation"] for row in Design(parse_experiment(PLEIOTROPY)).rows]
    assert sorted(set(columns)) == [0, 0.5, 0.9]


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (DILUTION | {"n_qtl": [50]}, "n_qtl: 50 QTL do not fit among n_markers 10; QTL are markers, too"),
        (DILUTION | {"n_qtl": 7}, "n_qtl: 7 is odd, but QTL are paired up; use an even number"),
        (DILUTION | {"replicates": {}}, "replicates must be a number, or a number for each n_samples"),
        (
            PLEIOTROPY | {"genetic_correlation": [-0.8]},
            "genetic_correlation: -0.8 among 3 traits is no positive semi-definite matrix; at least -0.5 is possible",
        ),
        (PLEIOTROPY | {"genetic_correlation": 1.5}, "genetic_correlation.0: input should be less than or equal to 1"),
        (PLEIOTROPY | {"pairing": ["published", "shared"]}, "pairing: published is shared or separate by correlation"),
        (
            PLEIOTROPY | {"engine": "alphasimr"},
            "pairing: AlphaSimR cannot separate the pairs of correlated traits (genetic_correlation 0.5); "
            "use engine: native, or pairing: published",
        ),
        (PLEIOTROPY | {"pairing": "mixed"}, "pairing.0: input should be 'shared', 'separate' or 'published'"),
        (PLEIOTROPY | {"n_qtl": [7]}, "n_qtl.0: input should be a multiple of 2, not 7"),
    ],
)
def test_mistakes(section, message):
    with pytest.raises(ConfigError) as error:
        parse_experiment(section)
    assert message in str(error.value)


def test_single_values_stand_for_lists():
    assert DilutionConfig.parse(DILUTION | {"n_markers": 40}, "test").n_markers == (40,)
    assert PleiotropyConfig.parse(PLEIOTROPY | {"pairing": "shared"}, "test").pairing == ("shared",)


def test_published_tables_go_by_their_published_names():
    tables = {"name": "tables", "directory": "data"}
    assert parse_experiment(DILUTION | {"engine": tables}).engine.pattern == (
        "qhaplo_{n_qtl}qtl_{n_markers}marker_{n_samples}n_rep{rep}"
    )
    assert parse_experiment(PLEIOTROPY | {"engine": tables}).engine.pattern == (
        "qhaplo_{n_qtl}qtl_{n_samples}n_{genetic_correlation}pleio_{n_traits}trait_rep{rep}"
    )
    mine = tables | {"pattern": "mine_{rep}"}
    assert parse_experiment(DILUTION | {"engine": mine}).engine.pattern == "mine_{rep}"
