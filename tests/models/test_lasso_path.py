"""LASSO paths from cross products, against scikit-learn on the samples themselves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Lasso

from gpatlas.models.lasso_path import CrossProducts, LassoPath, advance


def problem(seed, n, p, kind="dosage"):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, (n, p)).astype(np.int8) if kind == "dosage" else rng.normal(5.0, 2.0, (n, p))
    effects = np.where(rng.random((p, 2)) < 0.2, rng.normal(size=(p, 2)), 0.0)
    return x, x @ effects + rng.normal(size=(n, 2))


def groups_of(n, count):
    return [np.arange(n)[k::count] for k in range(count)]


def objective(x, y, b, penalty):
    return 0.5 * ((y - x @ b) ** 2).mean() + penalty * np.abs(b).sum()


@pytest.mark.parametrize("kind", ["dosage", "real numbers"])
@pytest.mark.parametrize("dense", [True, False])
def test_every_solution_is_scikit_learns(kind, dense, monkeypatch):
    monkeypatch.setattr("gpatlas.models.lasso_path._LEAST_GROWTH", 4)
    x, y = problem(3, 90, 40, kind)
    groups = groups_of(90, 3)
    products = CrossProducts(x, y, groups, dense_loci=40 if dense else 0)
    paths = [LassoPath(products, trait=1, groups=g) for g in ((0, 1), (1, 2), (0, 1, 2))]
    grid = np.geomspace(1, 0.01, 25) * paths[-1].largest_penalty
    for step in range(len(grid)):
        advance(paths, grid, step)
        for path, left_out in zip(paths, (2, 0), strict=False):
            loci, values = path.coefficients[-1]
            test, train = groups[left_out], np.concatenate([groups[g] for g in path.groups])
            scaled = (x[test][:, loci] - x[train][:, loci].mean(axis=0)) * path.inverse_sd[loci]
            expected = ((y[test, 1] - y[train, 1].mean() - scaled @ values) ** 2).sum()
            assert path.squared_error(left_out) == pytest.approx(expected, rel=1e-6)
    if not dense:
        assert len(products.loci) == len(set(products.loci))
    for path in paths:
        rows = np.concatenate([groups[g] for g in path.groups])
        z = (x[rows] - x[rows].mean(axis=0)) / x[rows].std(axis=0)
        target = y[rows, 1] - y[rows, 1].mean()
        for penalty, (loci, values) in zip(grid, path.coefficients, strict=True):
            ours = np.zeros(40)
            ours[loci] = values
            theirs = Lasso(alpha=penalty, fit_intercept=False, tol=1e-10, max_iter=100_000).fit(z, target).coef_
            best = objective(z, target, theirs, penalty)
            assert objective(z, target, ours, penalty) <= best + 1e-4 * target.var()
            np.testing.assert_allclose(ours, theirs, atol=0.02 * target.std())


def test_a_held_out_group_s_error_is_that_of_its_predictions():
    x, y = problem(5, 120, 20)
    groups = groups_of(120, 4)
    products = CrossProducts(x, y, groups)
    path = LassoPath(products, 0, (0, 1, 3))
    grid = np.geomspace(1, 0.01, 12) * path.largest_penalty
    for step in range(12):
        advance([path], grid, step)
    loci, values = path.coefficients[-1]
    effects = np.zeros(20)
    effects[loci] = values * path.inverse_sd[loci]
    train = np.concatenate([groups[g] for g in (0, 1, 3)])
    predicted = y[train, 0].mean() + (x[groups[2]] - x[train].mean(axis=0)) @ effects
    assert path.squared_error(2) == pytest.approx(((y[groups[2], 0] - predicted) ** 2).sum(), rel=1e-9)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**31),
    n=st.integers(8, 60),
    p=st.integers(1, 80),
    depth=st.floats(0.02, 0.9),
)
def test_no_locus_is_missed(seed, n, p, depth):
    """The solution meets the conditions of Karush, Kuhn and Tucker over all loci, however few were formed."""
    x, y = problem(seed, n, p)
    products = CrossProducts(x, y, groups_of(n, 2), dense_loci=0)
    paths = [LassoPath(products, 0, (0, 1)), LassoPath(products, 0, (0,))]
    grid = np.geomspace(1, depth, 6) * paths[0].largest_penalty
    for step in range(6):
        advance(paths, grid, step)
    for path, correlation in zip(paths, products.correlations(paths), strict=True):
        gradient = np.abs(correlation) * path.inverse_sd / path.n
        slack = 0.03 * np.sqrt(max(path._yy, 1e-12) / path.n)  # of the solver's duality gap
        assert (gradient <= grid[-1] + slack).all()
        loci, _ = path.coefficients[-1]
        assert (gradient[loci] >= grid[-1] - slack).all()


def test_a_locus_that_does_not_vary_is_never_kept():
    x, y = problem(8, 60, 10)
    x[:, 4] = 1
    products = CrossProducts(x, y, groups_of(60, 2))
    path = LassoPath(products, 0, (0, 1))
    grid = np.geomspace(1, 1e-3, 30) * path.largest_penalty
    for step in range(30):
        advance([path], grid, step)
    assert all(4 not in loci for loci, _ in path.coefficients)


def test_the_largest_penalty_is_where_the_first_locus_enters():
    x, y = problem(9, 60, 10)
    products = CrossProducts(x, y, groups_of(60, 1))
    path = LassoPath(products, 0, (0,))
    advance([path], np.array([path.largest_penalty * 1.0001, 0.9]), 0)
    assert len(path.coefficients[0][0]) == 0
    again = LassoPath(products, 0, (0,))
    advance([again], np.array([path.largest_penalty * 0.98, 0.9]), 0)
    assert len(again.coefficients[0][0]) >= 1
