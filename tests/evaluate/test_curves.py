"""Curves against scikit-learn's, and their areas against what they must be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from gpatlas.evaluate.curves import Curve, calibration, mean_curve, precision_recall, roc


def example(seed, n=40):
    rng = np.random.default_rng(seed)
    case = rng.random(n) < 0.4
    case[:2] = True, False
    return case, np.round(rng.normal(size=n) + case, 1)  # with ties


@given(st.integers(0, 1000))
def test_roc_and_precision_are_those_of_scikit_learn(seed):
    case, score = example(seed)
    fpr, tpr, _ = roc_curve(case, score, drop_intermediate=False)
    curve = roc(case, score)
    np.testing.assert_allclose([curve.x, curve.y], [fpr, tpr])
    assert curve.area == pytest.approx(roc_auc_score(case, score))
    steps, average = precision_recall(case, score)
    assert average == pytest.approx(average_precision_score(case, score))
    assert steps.area == pytest.approx(average)
    precision, recall, _ = precision_recall_curve(case, score)
    assert set(np.round(steps.y, 9)) == set(np.round(precision[:-1], 9))
    assert steps.x.max() == recall.max() == 1


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=6), st.integers(5, 40))
def test_the_area_of_the_mean_is_the_mean_of_the_areas(seeds, n):
    curves = [roc(*example(seed, n + k)) for k, seed in enumerate(seeds)]
    mean = mean_curve(curves)
    assert mean.area == pytest.approx(np.mean([curve.area for curve in curves]))
    assert (np.diff(mean.x) >= 0).all()
    assert (np.diff(mean.y) >= -1e-12).all()
    assert (mean.y[0], mean.y[-1]) == (pytest.approx(np.mean([c.y[0] for c in curves])), pytest.approx(1))


def test_jumps_at_the_same_place_are_averaged():
    up, diagonal = Curve(np.array([0.0, 0, 1]), np.array([0.0, 1, 1])), Curve(np.array([0.0, 1]), np.array([0.0, 1]))
    mean = mean_curve([up, diagonal])
    np.testing.assert_allclose(mean.x, [0, 0, 1, 1])
    np.testing.assert_allclose(mean.y, [0, 0.5, 1, 1])


def test_calibration_groups_are_equally_large_and_cover():
    rng = np.random.default_rng(4)
    probability = rng.uniform(size=2000)
    case = rng.random(2000) < probability
    found = calibration(case, probability)
    assert found.count.tolist() == [200] * 10
    assert ((found.lower <= found.predicted) & (found.predicted <= found.upper)).mean() >= 0.8
    np.testing.assert_allclose(found.predicted @ found.count, probability.sum())
    np.testing.assert_allclose(found.observed @ found.count, case.sum())


def test_equal_probabilities_are_one_group():
    found = calibration(np.array([True, False, False, True]), np.full(4, 0.5))
    assert found.count.tolist() == [4]
    assert found.observed[0] == 0.5
    assert 0 <= found.lower[0] < 0.5 < found.upper[0] <= 1
