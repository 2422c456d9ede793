"""The LASSO as an estimator: its choice of penalty, and what it does with what is missing or constant."""

import numpy as np
import pytest
from sklearn.linear_model import lasso_path

from gpatlas.models import make


@pytest.fixture
def data(rng):
    x = rng.integers(0, 2, (300, 60)).astype(np.int8)
    effects = np.zeros((60, 2))
    effects[[3, 11, 40], 0] = [1.0, -0.8, 0.7]
    effects[[5, 11], 1] = [0.7, 0.9]
    return x, x @ effects + rng.normal(size=(300, 2))


def test_the_penalty_is_that_of_cross_validation_by_hand(data):
    x, y = data[0].astype(float), data[1][:, 0]
    model = make("lasso", random_state=4).fit(x, y)
    seed = np.random.RandomState(4).randint(2**31 - 1)
    fold = np.random.default_rng(seed).permutation(len(x)) % 5
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    grid = np.geomspace(1, 1e-3, 100) * np.abs(z.T @ (y - y.mean())).max() / len(x)
    errors = []
    for f in range(5):
        train, test = fold != f, fold == f
        mean, sd = x[train].mean(axis=0), x[train].std(axis=0)
        coefficients = lasso_path((x[train] - mean) / sd, y[train] - y[train].mean(), alphas=grid, tol=1e-8)[1]
        predicted = y[train].mean() + ((x[test] - mean) / sd) @ coefficients
        errors.append(((y[test, None] - predicted) ** 2).mean(axis=0))
    mean_error = np.mean(errors, axis=0)
    best = mean_error.argmin()
    assert model.penalty_ == pytest.approx(grid[best], rel=1e-6)
    limit = mean_error[best] + np.std(errors, axis=0, ddof=1)[best] / np.sqrt(5)
    largest = grid[np.flatnonzero(mean_error <= limit)[0]]
    assert make("lasso", rule="1se", random_state=4).fit(x, y).penalty_ == pytest.approx(largest, rel=1e-6)


def test_it_finds_the_loci_and_is_exactly_sparse(data):
    x, y = data
    model = make("lasso", rule="1se").fit(x, y)
    assert set(np.flatnonzero(model.selected_[:, 0])) >= {3, 11, 40}
    assert set(np.flatnonzero(model.selected_[:, 1])) >= {5, 11}
    assert model.selected_.mean() < 0.2
    np.testing.assert_array_equal(model.selected_, model.marker_effects_ != 0)


def test_traits_are_fitted_one_by_one(data):
    x, y = data
    together = make("lasso").fit(x, y)
    for trait in range(2):
        np.testing.assert_allclose(
            together.marker_effects_[:, trait], make("lasso").fit(x, y[:, trait]).marker_effects_
        )


def test_units_of_the_trait_and_the_counted_allele_do_not_matter(data):
    x, y = data[0], data[1][:, 0]
    model = make("lasso").fit(x, y)
    scaled = make("lasso").fit(1 - x, 100 * y + 7)
    np.testing.assert_allclose(scaled.marker_effects_, -100 * model.marker_effects_, atol=0.5)
    np.testing.assert_allclose(scaled.predict(1 - x), 100 * model.predict(x) + 7, atol=1.0)


def test_features_far_from_zero_lose_no_digits(data):
    x, y = data
    model = make("lasso").fit(x.astype(float), y)
    shifted = make("lasso").fit(x + 1e6, y)
    np.testing.assert_allclose(shifted.predict(x + 1e6), model.predict(x), atol=1e-4)


def test_a_trait_far_from_zero_loses_no_digits(data):
    x, y = data
    model, far = make("lasso").fit(x, y), make("lasso").fit(x, y + 1e8)
    np.testing.assert_array_equal(far.selected_, model.selected_)
    np.testing.assert_allclose(far.marker_effects_, model.marker_effects_, atol=1e-5)
    np.testing.assert_allclose(far.predict(x) - 1e8, model.predict(x), atol=1e-4)


@pytest.mark.parametrize("n_loci", [20, 3000])
def test_a_constant_is_a_constant_whatever_its_rounding(rng, n_loci):
    x = rng.integers(0, 2, (60, n_loci)).astype(np.int8)
    for name in ("lasso", "lasso_pruned"):
        model = make(name).fit(x, np.full(60, 0.1))
        assert not model.selected_.any()
        np.testing.assert_allclose(model.predict(x), 0.1)


def test_noise_alone_may_select_nothing_and_then_predicts_the_mean(rng):
    x, y = rng.integers(0, 2, (200, 30)), rng.normal(3.0, 1.0, 200)
    model = make("lasso", rule="1se").fit(x, y)
    assert not model.selected_.any()
    np.testing.assert_allclose(model.predict(x), y.mean())


def test_a_constant_trait_keeps_no_locus_and_is_predicted(data):
    model = make("lasso").fit(data[0], np.full(300, 2.5))
    assert not model.selected_.any()
    np.testing.assert_allclose(model.predict(data[0]), 2.5)


def test_a_missing_phenotype_leaves_its_sample_out_of_that_trait_only(data):
    x, y = data
    y = y.copy()
    y[:40, 1] = np.nan
    model = make("lasso").fit(x, y)
    np.testing.assert_allclose(model.marker_effects_[:, 0], make("lasso").fit(x, y[:, 0]).marker_effects_)
    np.testing.assert_allclose(model.marker_effects_[:, 1], make("lasso").fit(x[40:], y[40:, 1]).marker_effects_)


def test_a_missing_genotype_counts_as_the_mean(data):
    x, y = data[0].astype(float), data[1]
    model = make("lasso").fit(x, y)
    x_new = x[:1].copy()
    x_new[0, 3] = np.nan
    filled = x[:1].copy()
    filled[0, 3] = x[:, 3].mean()
    np.testing.assert_allclose(model.predict(x_new), model.predict(filled))


def test_fewer_samples_than_folds_is_said(rng):
    with pytest.raises(ValueError, match="4 phenotyped samples, but at least 5 are needed"):
        make("lasso").fit(rng.integers(0, 2, (4, 3)), np.arange(4.0))


def test_the_elastic_net_is_that_of_scikit_learn(rng):
    from sklearn.linear_model import ElasticNet

    x = rng.integers(0, 3, (120, 40)).astype(np.int8)
    y = x[:, :5].sum(axis=1) + rng.normal(size=120)
    model = make("lasso", l1_ratio=0.3).fit(x, y)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0)
    expected = ElasticNet(alpha=model.penalty_ / 0.3, l1_ratio=0.3, tol=1e-8, max_iter=100_000).fit(scaled, y)
    np.testing.assert_allclose(model.marker_effects_ * x.std(axis=0), expected.coef_, atol=2e-3)
    assert model.selected_.sum() > make("lasso", rule="1se").fit(x, y).selected_.sum()


def test_covariates_are_not_penalised(rng):
    """The conditions of the optimum (Karush-Kuhn-Tucker): no correlation is left with covariates, λ with kept loci."""
    x, w = rng.integers(0, 3, (150, 60)).astype(float), rng.normal(size=(150, 2))
    w[:, 0] += x[:, 3]
    y = x[:, :4].sum(axis=1) + w @ [0.2, -3.0] + rng.normal(size=150)
    both = np.hstack([x, 100 + w])
    model = make("lasso", n_covariates=2).fit(both, y)
    residual = y - model.predict(both)
    np.testing.assert_allclose(w.T @ residual, 0, atol=1e-6)
    assert abs(residual.mean()) < 1e-9
    design = np.column_stack([np.ones(150), w])
    left = x - design @ np.linalg.lstsq(design, x, rcond=None)[0]
    correlation = np.abs(left.T @ residual) / 150 / left.std(axis=0)
    np.testing.assert_allclose(correlation[model.selected_], model.penalty_, rtol=0.05)
    assert correlation.max() < 1.05 * model.penalty_
    assert model.covariate_effects_[1] == pytest.approx(-3, abs=0.3)
