"""Metrics: definitions, invariances, and what happens where nothing was predicted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpatlas.evaluate import METRICS, evaluate
from gpatlas.evaluate.metrics import precision_and_recall

seeds = st.integers(0, 2**32 - 1)


def sample(seed, n=60):
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=n)
    return truth + rng.normal(size=n) * 0.5, truth + rng.normal(size=n) * 0.3, truth


@given(seeds)
def test_definitions(seed):
    predicted, phenotype, truth = sample(seed)
    found = evaluate(predicted, phenotype, truth)
    assert found["predictive_ability"] == pytest.approx(np.corrcoef(predicted, phenotype)[0, 1])
    assert found["accuracy"] == pytest.approx(np.corrcoef(predicted, truth)[0, 1])
    assert found["ceiling"] == pytest.approx(np.corrcoef(truth, phenotype)[0, 1])
    assert found["dispersion"] == pytest.approx(np.polyfit(predicted, truth, 1)[0])
    assert found["bias"] == pytest.approx((predicted - truth).mean())
    assert found["rmse"] == pytest.approx(np.sqrt(((predicted - phenotype) ** 2).mean()))
    assert found["n_test"] == 60
    assert set(METRICS) < set(found)


@given(seeds, st.floats(0.1, 10), st.floats(-5, 5))
def test_scaling_a_prediction_changes_dispersion_and_bias_only(seed, factor, shift):
    predicted, phenotype, truth = sample(seed)
    before, after = evaluate(predicted, phenotype, truth), evaluate(predicted * factor + shift, phenotype, truth)
    for name in ("predictive_ability", "accuracy", "ceiling"):
        assert after[name] == pytest.approx(before[name])
    assert after["dispersion"] == pytest.approx(before["dispersion"] / factor)


def test_without_truth_the_phenotype_stands_in():
    predicted, phenotype, _ = sample(1)
    found = evaluate(predicted, phenotype)
    assert np.isnan(found["accuracy"])
    assert np.isnan(found["ceiling"])
    assert found["dispersion"] == pytest.approx(np.polyfit(predicted, phenotype, 1)[0])


def test_missing_phenotypes_do_not_count():
    predicted, phenotype, truth = sample(1)
    holes = phenotype.copy()
    holes[:20] = np.nan
    assert evaluate(predicted, holes, truth) == evaluate(predicted[20:], phenotype[20:], truth[20:])


def test_a_constant_prediction_predicts_nothing():
    _, phenotype, truth = sample(1)
    found = evaluate(np.full(60, 0.1) + 1e-17, phenotype, truth)
    assert np.isnan(found["predictive_ability"])
    assert np.isnan(found["dispersion"])
    assert found["bias"] == pytest.approx(0.1 - truth.mean())


def test_the_truth_is_perfect():
    _, phenotype, truth = sample(1)
    found = evaluate(truth, phenotype, truth)
    assert found["accuracy"] == pytest.approx(1)
    assert found["dispersion"] == pytest.approx(1)
    assert found["predictive_ability"] == found["ceiling"]


def test_nobody_phenotyped():
    found = evaluate(np.ones(3), np.full(3, np.nan), np.ones(3))
    assert found["n_test"] == 0
    assert all(np.isnan(found[name]) for name in METRICS)


def test_precision_and_recall_by_hand():
    selected, causal = np.array([1, 1, 0, 0, 1], dtype=bool), np.array([1, 0, 1, 0, 1], dtype=bool)
    assert precision_and_recall(selected, causal) == {"precision": 2 / 3, "recall": 2 / 3}
    nothing = precision_and_recall(np.zeros(5, dtype=bool), causal)
    assert np.isnan(nothing["precision"])
    assert nothing["recall"] == 0
