"""BayesCπ: exact posteriors by enumeration, BLUP at π = 0, covariates, and whether chains are judged rightly."""

from itertools import product
from math import lgamma

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from gpatlas.models import make
from gpatlas.models.chains import effective_sample_size, potential_scale_reduction


def enumerated(x, y, design, pi, var_u, var_e):
    """Posterior means of effects and inclusion over all 2^p models, by dense algebra."""
    contrasts = np.linalg.svd(design.T)[2][np.linalg.matrix_rank(design) :]
    x, y = contrasts @ x, contrasts @ y
    p = x.shape[1]
    logs, effects, included = [], [], []
    for model in product([0, 1], repeat=p):
        kept = np.flatnonzero(model)
        v = var_u * x[:, kept] @ x[:, kept].T + var_e * np.eye(len(y))
        solved = np.linalg.solve(v, y)
        logs.append(-(np.linalg.slogdet(v)[1] + y @ solved) / 2 + sum(np.log([pi, 1 - pi])[list(model)]))
        effects.append(np.bincount(kept, var_u * x[:, kept].T @ solved, minlength=p))
        included.append(model)
    weights = np.exp(np.array(logs) - max(logs))
    weights /= weights.sum()
    return weights @ np.array(effects), weights @ np.array(included)


def data(rng, n=60, p=8):
    x = rng.integers(0, 3, (n, p)).astype(float)
    x[:, 1] = np.where(rng.random(n) < 0.8, x[:, 0], x[:, 1])  # linked loci share what there is
    return x, 0.5 * x[:, 0] - 0.4 * x[:, 4] + rng.normal(size=n)


@pytest.mark.parametrize("q", [0, 2])
def test_the_posterior_is_that_of_all_models(rng, q):
    x, y = data(rng)
    w = rng.normal(size=(60, q)) + x[:, :q]
    known = {"pi": 0.7, "var_u": 0.2, "var_e": 0.9}
    model = make("bayes_cpi", **known, n_iter=20_000, burn_in=100, n_covariates=q).fit(np.hstack([x, w]), y)
    design = np.hstack([np.ones((60, 1)), w])
    effects, inclusion = enumerated(x, y, design, **known)
    np.testing.assert_allclose(model.marker_effects_, effects, atol=0.005)
    np.testing.assert_allclose(model.inclusion_, inclusion, atol=0.012)
    fixed = np.linalg.lstsq(design, y - x @ model.marker_effects_, rcond=None)[0]
    np.testing.assert_allclose(np.append(model.intercept_, model.covariate_effects_), fixed, atol=1e-6)


@pytest.mark.parametrize("p", [20, 120])
def test_where_all_loci_have_effects_it_is_blup(rng, p):
    x, y = data(rng, 80, p)
    known = {"var_u": 0.05, "var_e": 0.8}
    model = make("bayes_cpi", pi=0.0, **known, n_iter=8000, burn_in=200).fit(x, y)
    z = x - x.mean(axis=0)
    blup = z.T @ np.linalg.solve(z @ z.T + known["var_e"] / known["var_u"] * np.eye(80), y - y.mean())
    np.testing.assert_allclose(model.predict(x), y.mean() + z @ blup, atol=0.04)
    assert (model.inclusion_ == 1).all()


def test_variances_and_their_share_are_found(rng):
    """Of 300 loci 15 have effects: π, heritability and the loci themselves."""
    x = rng.integers(0, 3, (600, 300)).astype(np.int8)
    causal = rng.choice(300, 15, replace=False)
    value = x[:, causal] @ rng.choice([-1.0, 1.0], 15)
    y = value + rng.normal(size=600) * value.std()
    model = make("bayes_cpi").fit(x, y)
    assert model.pi_ == pytest.approx(0.92, abs=0.05)
    assert model.h2_ == pytest.approx(0.5, abs=0.1)
    assert 0.25 < model.var_u_ < 1.2
    assert (model.inclusion_[causal] > 0.5).all()
    assert (model.inclusion_ > 0.9).sum() <= 17
    assert all(found["r_hat"] < 1.05 and found["ess"] > 200 for found in model.diagnostics_.values())


def test_variances_and_share_have_the_posterior_of_their_priors(rng):
    """Three loci, everything estimated: π integrated out of the 2³ models by hand, both variances on a grid."""
    n, p = 30, 3
    x = rng.integers(0, 3, (n, p)).astype(float)
    y = 0.6 * x[:, 0] + rng.normal(size=n)
    model = make("bayes_cpi", n_iter=30_000, burn_in=500).fit(x, y)
    z, t = x - x.mean(axis=0), y - y.mean()
    variance, per_effect = t @ t / (n - 1), t @ t / 2 / (z**2).sum()
    scale_u, scale_e = per_effect / 0.5 * 7 / 5, variance / 2 * 7 / 5
    grid_u, grid_e = np.geomspace(1e-3, 60, 160), np.geomspace(0.2, 6, 70)
    logs, effects, included = [], [], []
    for kept in map(np.flatnonzero, product([0, 1], repeat=p)):
        d, u = np.linalg.eigh(z[:, kept] @ z[:, kept].T)
        v = grid_u[:, None, None] * np.maximum(d, 0) + grid_e[:, None]
        along = u.T @ t
        log = -(np.log(v).sum(axis=2) - np.log(grid_e) + (along**2 / v).sum(axis=2)) / 2  # the mean takes one error
        for grid, scale, axis in ((grid_u, scale_u, 0), (grid_e, scale_e, 1)):  # times the grid, which is logarithmic
            log += np.expand_dims(-2.5 * np.log(grid) - 2.5 * scale / grid, 1 - axis)
        log += lgamma(p - len(kept) + 1) + lgamma(len(kept) + 1)
        logs.append(log)
        solved = (along / v) @ u.T
        effects.append(np.zeros((*log.shape, p)))
        effects[-1][..., kept] = grid_u[:, None, None] * (solved @ z[:, kept])
        included.append(np.bincount(kept, minlength=p))
    weights = np.exp(np.array(logs) - np.max(logs))
    weights /= weights.sum()
    included = np.array(included)
    np.testing.assert_allclose(model.inclusion_, np.einsum("mue,mj->j", weights, included), atol=0.01)
    np.testing.assert_allclose(model.marker_effects_, np.einsum("mue,muej->j", weights, effects), atol=0.01)
    assert model.var_e_ == pytest.approx(np.einsum("mue,e->", weights, grid_e), rel=0.02)
    expected_pi = np.einsum("mue,m->", weights, (p - included.sum(axis=1) + 1) / (p + 2))
    assert model.pi_ == pytest.approx(expected_pi, abs=0.01)


def test_traits_and_repeats(rng):
    """The same seed gives the same bytes; what is missing or constant does not get in the way."""
    x, y = data(rng, 50, 30)
    x[3, 4], x[:, 9] = np.nan, 1.0
    both = np.column_stack([y, y[::-1], np.full(50, 3.0)])
    both[:5, 1] = np.nan
    options = {"n_iter": 400, "burn_in": 100, "random_state": 7}
    model = make("bayes_cpi", **options).fit(x, both)
    np.testing.assert_array_equal(model.predict(x), make("bayes_cpi", **options).fit(x, both).predict(x))
    alone = make("bayes_cpi", **options).fit(x, y)
    np.testing.assert_allclose(model.marker_effects_[:, 0], alone.marker_effects_, atol=1e-9)
    np.testing.assert_allclose(model.predict(x)[:, 2], 3.0)
    assert (model.inclusion_[9] == 0).all()
    assert (
        np.abs(make("bayes_cpi", **options | {"random_state": 8}).fit(x, y).predict(x) - model.predict(x)[:, 0]).max()
        > 0
    )


def test_chains_that_disagree_are_reported(rng):
    x, y = data(rng, 60, 200)
    with pytest.warns(ConvergenceWarning, match=r"disagree about var_[ge]: R-hat is .*; raise n_iter \(now 12\)"):
        make("bayes_cpi", n_iter=12, burn_in=0).fit(x, y)
    with pytest.raises(ValueError, match="n_iter 12 leaves fewer than 4 sweeps after a burn_in of 10"):
        make("bayes_cpi", n_iter=12, burn_in=10).fit(x, y)


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.9])
def test_effective_draws_of_autoregressive_chains(correlation):
    rng, draws = np.random.default_rng(3), np.zeros((4, 20_000))
    noise = rng.normal(size=draws.shape) * np.sqrt(1 - correlation**2)
    draws[:, 0] = rng.normal(size=4)
    for t in range(1, draws.shape[1]):
        draws[:, t] = correlation * draws[:, t - 1] + noise[:, t]
    expected = draws.size * (1 - correlation) / (1 + correlation)
    assert effective_sample_size(draws) == pytest.approx(expected, rel=0.1)
    assert potential_scale_reduction(draws) == pytest.approx(1, abs=0.005)
    apart = draws + np.arange(4)[:, None] * 3
    assert potential_scale_reduction(apart) > 1.5
    assert effective_sample_size(apart) < 40
    assert np.isnan(potential_scale_reduction(np.ones((2, 50))))
