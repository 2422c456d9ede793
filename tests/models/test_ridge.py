"""Ridge algebra against scikit-learn, against leaving samples out one by one, and against a dense likelihood."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.linear_model import Ridge, RidgeCV

from gpatlas.models import make
from gpatlas.models.ridge import (
    PUBLISHED_PENALTIES,
    Moments,
    Spectrum,
    best_penalty,
    gcv,
    loo,
    primal_spectrum,
)
from gpatlas.models.ridge_splits import fit_splits, published_splits, random_splits
from gpatlas.models.rrblup import decompose


@st.composite
def problems(draw):
    n, p, t = draw(st.integers(4, 30)), draw(st.integers(1, 40)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.integers(0, draw(st.sampled_from([2, 3])), (n, p)).astype(np.int8)
    return x, x @ rng.normal(size=(p, t)) + rng.normal(size=(n, t)) * draw(st.sampled_from([0.1, 3.0]))


@settings(max_examples=60, deadline=None)
@given(problems(), st.sampled_from([1e-3, 1.0, 100.0]))
def test_effects_are_those_of_ridge_regression(problem, penalty):
    x, y = problem
    spectrum = decompose(x, y)
    effects = spectrum.effects(np.full(y.shape[1], penalty), x)
    expected = Ridge(alpha=penalty, solver="svd").fit(x - x.mean(axis=0), y).coef_.T.reshape(effects.shape)
    np.testing.assert_allclose(effects, expected, atol=1e-7)


@settings(max_examples=30, deadline=None)
@given(problems())
def test_leave_one_out_is_leaving_one_out(problem):
    x, y = problem
    penalties = np.array([0.1, 10.0])
    expected = np.zeros((2, y.shape[1]))
    for i in range(len(x)):
        rest = np.arange(len(x)) != i
        for k, penalty in enumerate(penalties):
            mean = x[rest].mean(axis=0)
            model = Ridge(alpha=penalty, solver="svd").fit(x[rest] - mean, y[rest])
            expected[k] += ((y[i] - model.predict(x[i : i + 1] - mean)) ** 2).ravel() / len(x)
    np.testing.assert_allclose(loo(decompose(x, y), penalties, x, y), expected, rtol=1e-6)


@settings(max_examples=30, deadline=None)
@given(problems())
def test_gcv_is_its_definition(problem):
    x, y = problem
    centred, n = x - x.mean(axis=0), len(x)
    for k, penalty in enumerate((0.1, 10.0)):
        hat = centred @ np.linalg.solve(centred.T @ centred + penalty * np.eye(x.shape[1]), centred.T) + 1 / n
        residual = y - hat @ y
        expected = n * (residual**2).sum(axis=0) / (n - np.trace(hat)) ** 2
        np.testing.assert_allclose(gcv(decompose(x, y), np.array([0.1, 10.0]))[k], expected, rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(problems())
def test_reml_maximises_the_dense_restricted_likelihood(problem):
    """-2ℓ = log|V| + log|1'V⁻¹1| + y'Py, written with matrices, nothing profiled cleverly."""
    x, y = problem
    spectrum = decompose(x, y)
    if not len(spectrum.d):
        return
    centred, n, ones = x - x.mean(axis=0), len(x), np.ones((len(x), 1))
    per_sample = spectrum.d.sum() / (n - 1)

    def deviance(log_penalty: float, trait: int) -> float:
        v = centred @ centred.T + np.exp(log_penalty) * np.eye(n)
        inverse = np.linalg.inv(v)
        information = (ones.T @ inverse @ ones).item()
        projection = inverse - inverse @ ones @ ones.T @ inverse / information
        q = y[:, trait] @ projection @ y[:, trait]
        return np.linalg.slogdet(v)[1] + np.log(information) + (n - 1) * np.log(q)

    penalty = best_penalty(spectrum, "reml", PUBLISHED_PENALTIES, x, y)
    for trait in range(y.shape[1]):
        grid = np.log(per_sample) + np.linspace(-8, 8, 65)
        start = grid[np.argmin([deviance(g, trait) for g in grid])]
        best = minimize_scalar(deviance, bounds=(start - 0.3, start + 0.3), args=(trait,), method="bounded").fun
        assert deviance(np.log(penalty[trait]), trait) <= best + 1e-6 or penalty[trait] / per_sample < 1e-3


def test_reml_takes_the_higher_of_two_maxima():
    """A restricted likelihood with two maxima, whose lower one looks better on a coarse grid."""
    n, d, z, outside = 7, np.array([0.01515, 1.3727, 54.94]), np.array([-22.088, 0.1966, 0.19]), 1.7692
    yy = np.array([(z**2).sum() + outside])
    spectrum = Spectrum(n, d, z[:, None], yy, np.eye(3), True, np.zeros(3), np.zeros(1))

    def deviance(penalty):
        q = (z**2 / (d + penalty)).sum() + outside / penalty
        return (n - 1) * np.log(q) + np.log(d + penalty).sum() + (n - 1 - len(d)) * np.log(penalty)

    h2 = 1 / (1 + np.exp(-np.linspace(-13.8, 13.8, 20_001)))
    per_sample = d.sum() / (n - 1)
    values = np.array([deviance(per_sample * (1 / h - 1)) for h in h2])
    assert ((values[1:-1] < values[:-2]) & (values[1:-1] < values[2:])).sum() + (values[0] < values[1]) == 2
    found = best_penalty(spectrum, "reml", PUBLISHED_PENALTIES, np.empty((0, 0)), np.empty((0, 0)))[0]
    assert deviance(found) <= values.min() + 1e-6


def test_reml_recovers_the_simulated_heritability(rng):
    x = rng.integers(0, 3, (3000, 400)).astype(np.int8)
    g = x @ rng.normal(size=400)
    for h2 in (0.2, 0.8):
        y = g / g.std() + rng.normal(size=3000) * np.sqrt(1 / h2 - 1)
        model = make("rrblup", penalty="reml").fit(x, y)
        assert model.h2_ == pytest.approx(h2, abs=0.05)
        assert model.var_e_ == pytest.approx(1 / h2 - 1, rel=0.1)


@pytest.mark.parametrize("shape", [(200, 30), (60, 150)], ids=["primal", "dual"])
def test_rrblup_by_loo_is_ridgecv(rng, shape):
    x = rng.integers(0, 2, shape).astype(np.int8)
    y = x[:, :20] @ rng.normal(size=(20, 3)) + rng.normal(size=(len(x), 3)) * [0.1, 2, 9]
    model = make("rrblup", penalty="loo").fit(x, y)
    for k in range(3):
        reference = RidgeCV(alphas=PUBLISHED_PENALTIES).fit(x - x.mean(axis=0), y[:, k])
        assert model.penalty_[k] == pytest.approx(reference.alpha_, rel=1e-12)
        np.testing.assert_allclose(model.marker_effects_[:, k], reference.coef_, atol=1e-10)


def test_primal_and_dual_agree(rng):
    """The same data, once with as many zero columns more that the dual form is chosen."""
    x = rng.integers(0, 2, (40, 30))
    y = x @ rng.normal(size=30) + rng.normal(size=40)
    wide = np.hstack([x, np.zeros((40, 30), dtype=int)])
    for penalty in ("reml", "loo", "gcv"):
        a, b = make("rrblup", penalty=penalty).fit(x, y), make("rrblup", penalty=penalty).fit(wide, y)
        np.testing.assert_allclose(a.penalty_, b.penalty_, rtol=1e-5)
        np.testing.assert_allclose(a.predict(x), b.predict(wide), atol=1e-6)


def test_moments_of_dosages_are_exact_integers(rng):
    x = rng.integers(0, 5, (1000, 20)).astype(np.int8)
    moments = Moments.of(x, rng.normal(size=(1000, 1)))
    np.testing.assert_array_equal(moments.xx, x.T.astype(np.int64) @ x.astype(np.int64))


def test_moments_subtract(rng):
    x, y = rng.integers(0, 2, (300, 12)).astype(np.int8), rng.normal(size=(300, 2))
    rest = Moments.of(x, y) - Moments.of(x[:50], y[:50])
    direct = Moments.of(x[50:], y[50:])
    for name in ("n", "sum_x", "sum_y", "xx", "xy", "yy"):
        np.testing.assert_allclose(getattr(rest, name), getattr(direct, name), atol=1e-9)
    d, e = primal_spectrum(rest).d, primal_spectrum(direct).d
    np.testing.assert_allclose(d, e, rtol=1e-9)


def test_the_published_splits_are_numpys_legacy_stream():
    np.random.seed(42)  # noqa: NPY002
    for split in published_splits(40, n_traits=2, n_splits=3, test=0.15):
        train = np.random.choice(40, size=34, replace=False)  # noqa: NPY002
        np.testing.assert_array_equal(split.train, train)
        assert sorted([*split.train, *split.test]) == list(range(40))
    assert [split.traits[0] for split in published_splits(40, 2, 3, 0.15)] == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("criterion", ["loo", "gcv", "reml"])
def test_splits_are_what_separate_fits_give(rng, criterion):
    x = rng.integers(0, 2, (200, 15)).astype(np.int8)
    y = x @ rng.normal(size=(15, 2)) + rng.normal(size=(200, 2))
    for fit in fit_splits(x, y, random_splits(200, 2, 3, 0.15, seed=1), criterion):
        alone = make("rrblup", penalty=criterion).fit(x[fit.split.train], y[fit.split.train])
        np.testing.assert_allclose(fit.penalty, alone.penalty_, rtol=1e-6)
        np.testing.assert_allclose(fit.predicted, alone.predict(x[fit.split.test]), atol=1e-8)


def test_wide_data_are_split_too(rng):
    x, y = rng.integers(0, 2, (30, 80)).astype(np.int8), rng.normal(size=(30, 1))
    for fit in fit_splits(x, y, random_splits(30, 1, 2, 0.2, seed=1), "gcv"):
        alone = make("rrblup", penalty="gcv").fit(x[fit.split.train], y[fit.split.train])
        np.testing.assert_allclose(fit.predicted, alone.predict(x[fit.split.test]), atol=1e-8)
