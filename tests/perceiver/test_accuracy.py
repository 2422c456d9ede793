"""Accuracy of hidden calls: of known ones, by frequency class, of all models on the same."""

import numpy as np
import pytest

from gpatlas.alleles import decoder
from gpatlas.perceiver.accuracy import ALL, frequency_classes, imputation_table, minor_frequency, overall
from gpatlas.perceiver.pretraining import pretrain
from gpatlas.perceiver.samples import split_rows
from gpatlas.train.precision import choose_arithmetic
from tests.perceiver.conftest import layout_of, panel

CPU = choose_arithmetic("cpu", "f32")


@pytest.fixture(scope="module")
def data():
    return panel(120, 60, missing=0.1)


def test_the_table(recipe, data):
    codes, layout = data
    state = pretrain(codes, layout, recipe, CPU)
    table = imputation_table({"mine": state.network, "again": state.network}, codes, layout, recipe)
    assert {row["model"] for row in table} == {"mine", "again", "knn", "most_frequent"}
    by_model = {name: [row for row in table if row["model"] == name] for name in ("mine", "again", "knn")}
    assert [row["accuracy"] for row in by_model["mine"]] == [row["accuracy"] for row in by_model["again"]]
    *classes, last = by_model["knn"]
    assert last["class"] == ALL
    assert sum(row["n_calls"] for row in classes) == last["n_calls"] == 12 * 6
    weighted = sum(row["n_calls"] * row["accuracy"] for row in classes) / last["n_calls"]
    assert last["accuracy"] == pytest.approx(weighted)
    # the same calls as validation hides
    assert overall(table)["mine"] == pytest.approx(state.best_row[0]["accuracy"])
    assert overall(table)["knn"] > overall(table)["most_frequent"]
    contrastive = recipe.model_copy(update={"objective": "contrastive"})
    assert overall(imputation_table({}, codes, layout, contrastive)) == pytest.approx(
        {name: overall(table)[name] for name in ("knn", "most_frequent")}
    )


def test_baselines_learn_from_training_rows_alone(recipe, data):
    codes, layout = data
    training, held_out = split_rows(len(codes), recipe)
    apart = np.ones_like(codes)
    apart[held_out] = 3
    assert overall(imputation_table({}, apart, layout, recipe)) == {"knn": 0, "most_frequent": 0}
    apart[training] = 3
    assert overall(imputation_table({}, apart, layout, recipe)) == {"knn": 1, "most_frequent": 1}


def test_nothing_held_out_nothing_to_measure(recipe, data):
    assert imputation_table({}, *data, recipe.model_copy(update={"validation": 0})) == []


def test_many_calls_are_sampled(recipe, data, monkeypatch):
    monkeypatch.setattr("gpatlas.perceiver.accuracy.MOST_CALLS", 30)
    table = imputation_table({}, *data, recipe)
    assert table[-1]["n_calls"] == 30


def test_frequency_classes():
    found = frequency_classes(np.array([0.0, 0.05, 0.051, 0.2, 0.5, 0.6]))
    assert found.tolist() == ["0.00-0.05", "0.00-0.05", "0.05-0.10", "0.10-0.20", "0.40-0.50", "0.50-1.00"]
    layout = layout_of(3, 2, 3)
    codes = np.array([[1, 6, 1], [2, 6, 4], [0, 0, 6]], dtype=np.int16)
    assert decoder(2, 3)[2].tolist() == [1, 1, 0]
    assert minor_frequency(codes, layout) == pytest.approx([0.25, 0, 2 / 3])
