"""Scores against scikit-learn's and by hand, and which way each of them points."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from gpatlas.errors import ConfigError
from gpatlas.evaluate.scores import CLASSIFICATION, REGRESSION, SCORES, all_scores, score_for


def drawn(seed: int, n: int, n_classes: int, ties: bool):
    """Codes of classes, every one observed, and probabilities, coarse ones where there shall be ties."""
    rng = np.random.default_rng(seed)
    observed = np.concatenate([np.arange(n_classes), rng.integers(0, n_classes, n)])
    weights = rng.integers(1, 4, (len(observed), n_classes)) if ties else rng.random((len(observed), n_classes))
    return observed, weights / weights.sum(axis=1, keepdims=True)


@given(st.integers(0, 10**6), st.integers(5, 60), st.sampled_from([2, 3, 5]), st.booleans())
def test_scores_of_classes_are_scikit_learns(seed, n, n_classes, ties):
    observed, probability = drawn(seed, n, n_classes, ties)
    found = all_scores("binary" if n_classes == 2 else "multiclass", observed, probability)
    chosen, binary = probability.argmax(axis=1), n_classes == 2
    recall = metrics.recall_score(observed, chosen, average=None)
    assert found["auc"] == pytest.approx(
        metrics.roc_auc_score(observed, probability[:, 1])
        if binary
        else metrics.roc_auc_score(observed, probability, multi_class="ovr", average="macro")
    )
    assert found["accuracy_class"] == pytest.approx(metrics.accuracy_score(observed, chosen))
    assert found["balanced_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(observed, chosen))
    assert found["sensitivity"] == pytest.approx(recall[1] if binary else recall.mean())
    tables = metrics.multilabel_confusion_matrix(observed, chosen)
    rejected = tables[:, 0, 0] / tables[:, 0].sum(axis=1)
    assert found["specificity"] == pytest.approx(rejected[1] if binary else rejected.mean())
    assert found["log_loss"] == pytest.approx(metrics.log_loss(observed, probability))
    outcome = np.eye(n_classes)[observed]
    squares = ((probability - outcome) ** 2).sum(axis=1).mean()
    assert found["brier"] == pytest.approx(metrics.brier_score_loss(observed, probability[:, 1]) if binary else squares)


@given(st.integers(0, 10**6), st.integers(3, 60))
def test_scores_of_numbers_are_scikit_learns(seed, n):
    rng = np.random.default_rng(seed)
    observed, predicted = rng.normal(size=(2, n))
    found = all_scores("continuous", observed, predicted)
    assert found["r"] == pytest.approx(np.corrcoef(observed, predicted)[0, 1])
    assert found["r2"] == pytest.approx(metrics.r2_score(observed, predicted))
    assert found["mse"] == pytest.approx(metrics.mean_squared_error(observed, predicted))
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(observed, predicted))
    ranks = [np.argsort(np.argsort(values)) for values in (observed, predicted)]
    assert found["spearman"] == pytest.approx(np.corrcoef(*ranks)[0, 1])


@pytest.mark.parametrize("name", SCORES)
def test_every_score_prefers_the_better_predictions(name, rng):
    """Selecting by an error must not select the worst model."""
    n = 300
    if SCORES[name].classes:
        observed = rng.integers(0, 2, n)

        def predict(noise):
            p = np.clip(observed * 0.8 + 0.1 + noise * rng.normal(size=n), 0.01, 0.99)
            return np.column_stack([1 - p, p])
    else:
        observed = rng.normal(size=n)

        def predict(noise):
            return observed + noise * rng.normal(size=n)

    score = SCORES[name]
    values = [score.compute(observed, predict(noise)) for noise in (0.05, 0.5, 3.0)]
    assert values == sorted(values, reverse=score.larger_is_better)
    assert score.utility(values[0]) == max(score.utility(value) for value in values)
    assert all(score.lowest <= value <= score.highest for value in values)


def test_the_area_is_of_probabilities_not_of_hard_labels():
    """All samples are called controls, and yet every case is more probable a case than any control."""
    observed = np.array([0, 0, 0, 1, 1])
    p = np.array([0.1, 0.2, 0.1, 0.3, 0.4])
    found = all_scores("binary", observed, np.column_stack([1 - p, p]))
    assert found["auc"] == 1
    assert (found["sensitivity"], found["specificity"], found["balanced_accuracy"]) == (0, 1, 0.5)


def test_what_cannot_be_computed_is_nan():
    observed, probability = np.zeros(3, dtype=int), np.full((3, 2), 0.5)
    found = all_scores("binary", observed, probability)
    assert np.isnan([found["auc"], found["sensitivity"]]).all()
    assert found["balanced_accuracy"] == found["specificity"] == 1  # of the one class that there is
    constant = all_scores("continuous", np.arange(3.0), np.ones(3))
    assert np.isnan([constant["r"], constant["spearman"]]).all()
    assert np.isnan(all_scores("continuous", np.ones(3), np.arange(3.0))["r2"])


def test_certainty_that_was_wrong_is_a_finite_loss():
    assert 30 < all_scores("binary", np.array([1]), np.array([[1.0, 0.0]]))["log_loss"] < 40


def test_scores_by_name():
    assert score_for("binary").name == score_for("multiclass").name == CLASSIFICATION[0] == "auc"
    assert score_for("continuous").name == REGRESSION[0] == "r"
    assert score_for("binary", "accuracy").name == "accuracy_class"
    with pytest.raises(ConfigError, match="unknown metric 'acc'; did you mean 'auc'"):
        score_for("binary", "acc")
    with pytest.raises(ConfigError, match="metric mse is not one of a binary trait; take one of auc, "):
        score_for("binary", "mse")
