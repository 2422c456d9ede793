"""The joint model against least squares on the whole design matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas.models.epistasis import joint
from gpatlas.models.epistasis.joint import JointModel
from gpatlas.models.epistasis.panel import Panel
from tests.models.epistasis.populations import population

NO_LOCI, NO_PAIRS = np.empty(0, np.intp), np.empty((0, 2), np.intp)


def design(panel, loci, pairs):
    values = panel.values[:, : panel.n_samples].astype(float)
    return np.vstack([np.ones(panel.n_samples), values[loci], values[pairs[:, 0]] * values[pairs[:, 1]]]).T


def by_least_squares(f, y):
    b, *_ = np.linalg.lstsq(f, y, rcond=None)
    residual = y - f @ b
    freedom = len(y) - f.shape[1]
    se = np.sqrt(np.diag(np.linalg.inv(f.T @ f)) * (residual @ residual) / freedom)
    return b[1:], se[1:], residual, freedom


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), ploidy=st.sampled_from([1, 2]))
def test_terms_come_and_go(seed, ploidy):
    rng = np.random.default_rng(seed)
    panel = Panel.of(population(150, 12, ploidy, seed, linked=0.3))
    y = rng.normal(size=150) + 100
    model = JointModel(panel, y, np.arange(4))
    model.add(NO_LOCI, np.array([[0, 5], [7, 8], [2, 11]]))
    model.add(np.array([9, 6]), np.array([[1, 3]]))
    model.drop(np.array([False, True, False, False, True, False]), np.array([True, False, False, False]))
    assert model.loci.tolist() == [0, 2, 3, 6]
    assert model.pairs.tolist() == [[7, 8], [2, 11], [1, 3]]
    fitted = model.fit()
    b, se, residual, freedom = by_least_squares(design(panel, model.loci, model.pairs), y)
    assert np.allclose(fitted.effects, b, atol=1e-6)
    assert np.allclose(fitted.standard_errors, se, rtol=1e-5)
    assert np.allclose(fitted.residual, residual, atol=1e-5)
    assert fitted.degrees_of_freedom == freedom


@pytest.mark.parametrize("block", [1 << 24, 2000])
def test_a_term_is_tested_given_the_model_and_its_neighbours(block, monkeypatch):
    monkeypatch.setattr(joint, "_BLOCK", block)
    panel = Panel.of(population(200, 10, 2, seed=4, linked=0.5))
    y = np.random.default_rng(4).normal(size=200)
    model = JointModel(panel, y, np.array([0, 1, 2]))
    model.add(NO_LOCI, np.array([[0, 1]]))
    fitted = model.fit()
    pairs = np.array([[3, 4], [0, 7], [5, 9]])
    near = [np.array([3, 4, 6]), np.array([7]), np.array([5, 8, 9])]
    found = model.test(fitted, NO_LOCI, pairs, near)
    for pair, local, t in zip(pairs, near, found, strict=True):
        f = design(panel, np.concatenate([model.loci, local]), np.vstack([model.pairs, pair]))
        b, se, *_ = by_least_squares(f, y)
        assert t == pytest.approx(b[-1] / se[-1], rel=1e-4)
    f = design(panel, np.array([0, 1, 2, 8]), model.pairs)
    b, se, *_ = by_least_squares(f, y)
    assert model.test(fitted, np.array([8]), NO_PAIRS)[0] == pytest.approx(b[3] / se[3], rel=1e-4)


def test_terms_that_the_model_spans_are_left_out():
    x = population(100, 5, 1, seed=2)
    x[:, 3] = x[:, 0]
    x[:, 4] = 0
    panel = Panel.of(x)
    model = JointModel(panel, np.random.default_rng(1).normal(size=100), np.arange(5))
    assert model.loci.tolist() == [0, 1, 2]
    model.add(NO_LOCI, np.array([[0, 3], [1, 2], [1, 2], [0, 1], [1, 3]]))
    assert model.pairs.tolist() == [[1, 2], [0, 1]]
    fitted = model.fit()
    assert model.test(fitted, NO_LOCI, np.array([[1, 3]]))[0] == 0
