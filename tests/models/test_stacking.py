"""Weights: those of the least squares, and only where they are better beyond chance."""

import numpy as np
import pytest
from scipy.optimize import minimize

from gpatlas.models.stacking import stack, stack_classes


@pytest.fixture
def members(rng):
    """Two that know one half each of a trait, and one that knows nothing."""
    halves = rng.normal(size=(2, 400))
    y = halves.sum(axis=0) + 0.5 * rng.normal(size=400)
    return np.vstack([halves, rng.normal(size=400)]), y


def test_two_halves_are_weighed(members):
    predicted, y = members
    r, weights, stacked = stack(predicted, y)
    assert stacked
    assert weights[:2] == pytest.approx([1, 1], abs=0.1)
    assert weights[2] < 0.1
    assert r[0] == pytest.approx(np.corrcoef(predicted[0], y)[0, 1])


def test_weights_are_those_of_non_negative_least_squares():
    rng = np.random.default_rng(1)
    y = rng.normal(size=300)
    predicted = np.stack([y + rng.normal(size=300), y + rng.normal(size=300), -y + rng.normal(size=300)])
    r, weights, _ = stack(predicted, y, "stack")
    centred = predicted - predicted.mean(axis=1, keepdims=True)
    found = minimize(
        lambda w: np.sum((y - y.mean() - w @ centred) ** 2), np.ones(3) / 3, bounds=[(0, None)] * 3, tol=1e-12
    )
    assert np.allclose(weights, found.x, atol=1e-4)
    assert weights[2] == 0
    assert r == pytest.approx([np.corrcoef(p, y)[0, 1] for p in predicted])
    _, alone, _ = stack(predicted, y, "best")
    assert np.count_nonzero(alone) == 1
    assert np.array_equal(stack(predicted, y, "auto")[1], weights)  # two halves of an answer
    copies = np.stack([predicted[0], predicted[0] + 1e-3 * rng.normal(size=300)])
    assert np.count_nonzero(stack(copies, y, "auto")[1]) == 1


def test_one_that_knows_all_stands_alone(rng):
    y = rng.normal(size=200)
    predicted = np.vstack([y + 0.3 * rng.normal(size=200), y + 3 * rng.normal(size=200)])
    _, weights, stacked = stack(predicted, y)
    assert not stacked
    assert weights[1] == 0
    assert weights[0] == pytest.approx(np.cov(predicted[0], y)[0, 1] / predicted[0].var(ddof=1))
    assert stack(predicted, y, "best", best=1)[1].tolist()[0] == 0
    assert stack(predicted, y, "stack")[2]


def test_probabilities_stay_probabilities(rng):
    n = 600
    codes = rng.integers(0, 3, n)
    outcome = np.eye(3)[codes]
    probability = np.stack([0.3 * outcome + 0.7 * rng.dirichlet(np.ones(3), n) for _ in range(4)])
    weights, stacked = stack_classes(probability, codes, best=2)
    assert stacked
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    mixed = np.tensordot(weights, probability, 1)
    assert mixed.sum(axis=1) == pytest.approx(1)
    assert ((mixed - outcome) ** 2).mean() < min(((p - outcome) ** 2).mean() for p in probability)


def test_a_class_model_that_nothing_adds_to_stands_alone(rng):
    codes = rng.integers(0, 2, 300)
    good = np.clip(np.eye(2)[codes] * 0.9 + 0.05, 0, 1)
    noise = rng.dirichlet(np.ones(2), 300)
    weights, stacked = stack_classes(np.stack([noise, good]), codes, best=1)
    assert not stacked
    assert weights.tolist() == [0, 1]
    assert stack_classes(np.stack([noise, good]), codes, best=0, combine="best")[0].tolist() == [1, 0]
