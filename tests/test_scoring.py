"""Scoring: what is said of the loci that a model selected."""

import numpy as np
import pytest

from gpatlas.config import parse_experiment
from gpatlas.dataset import Fold
from gpatlas.design import Design
from gpatlas.predictions import FitResult, Prediction
from gpatlas.scoring import score_fit, selected_rows
from gpatlas.simulate import simulate


@pytest.fixture
def scored():
    """A dilution population whose first trait's QTL, and one other locus, are selected for both traits."""
    config = parse_experiment(
        {
            "experiment": "dilution", "n_samples": 100, "n_qtl": 6, "n_markers": 40, "replicates": 1,
            "models": {"lasso": {}},
        }
    )  # fmt: skip
    design = Design(config)
    data = simulate(design.simulation(design.rows[0]), 3)
    effects = data.truth.effects
    qtl = [set(effects.locus[effects.trait == trait].tolist()) for trait in range(2)]
    other = next(locus for locus in range(40) if locus not in qtl[0] | qtl[1])
    chosen = sorted(qtl[0] | {other})
    selected = np.zeros((40, 2), dtype=bool)
    selected[chosen] = True
    test = data.rows(Fold.test)
    prediction = Prediction(
        fold="test", rows=test, traits=np.arange(2), predicted=data.phenotypes[test], n_train=np.array([70, 70]),
        marker_effects=selected * 0.5, selected=selected,
    )  # fmt: skip
    fit = FitResult(data.content_hash, (prediction,), 1.0, 1.0)
    columns = design.rows[0].columns
    return data, fit, columns, config.trait_columns(columns), qtl, chosen


def test_precision_and_recall_are_about_the_trait_s_own_qtl(scored):
    data, fit, columns, of_traits, qtl, chosen = scored
    _, splits = score_fit(data, fit, "lasso", columns, of_traits)
    assert [row["n_selected"] for row in splits] == [7, 7]
    assert (splits[0]["precision"], splits[0]["recall"]) == (6 / 7, 1.0)
    shared = len(qtl[1] & set(chosen))
    assert (splits[1]["precision"], splits[1]["recall"]) == (shared / 7, shared / 6)


def test_selected_loci_are_listed_by_trait(scored):
    data, fit, columns, of_traits, qtl, chosen = scored
    rows = selected_rows(data, fit, "lasso", columns, of_traits)
    assert len(rows) == 14
    first = [row for row in rows if row["trait_id"] == "Trait1"]
    names = data.locus_id.astype(str)
    assert [row["locus_id"] for row in first] == names[chosen].tolist()
    assert sum(row["is_qtl"] for row in first) == 6
    assert sum(row["is_qtl"] for row in rows if row["trait_id"] == "Trait2") == len(qtl[1] & set(chosen))
    assert {row["effect"] for row in rows} == {0.5}
    assert {row["rel_aa"] for row in first} == {0.0}
