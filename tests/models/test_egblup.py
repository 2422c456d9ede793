"""EGBLUP as an estimator: predictions and reliabilities of dense matrices, both forms, missing data, dominance."""

import numpy as np
import pytest

from gpatlas.models import make
from tests.models.test_mixed import written_out


def simulated(rng, n=90, p=10, ploidy=2, n_traits=2, noise=1.0):
    x = rng.integers(0, ploidy + 1, (n, p)).astype(np.int8)
    z = x - x.mean(axis=0)
    pairs = np.column_stack([z[:, i] * z[:, j] for i in range(p) for j in range(i)])
    y = z @ rng.normal(size=(p, n_traits)) + pairs @ rng.normal(size=(pairs.shape[1], n_traits))
    return x, y + noise * rng.normal(size=(n, n_traits)) + 5


def dense(model, x, y, new):
    """Total values, and reliabilities of contrasts with the training mean, of all samples' joint covariance."""
    n, together = len(x), np.vstack([x, new])
    z = together - x.mean(axis=0)
    w = np.column_stack([z[:, i] * z[:, j] for i in range(x.shape[1]) for j in range(i + 1, x.shape[1])])
    genetic = 0
    for variance, features in ((model.var_a_, z), (model.var_aa_, w)):
        centred = features - features[:n].mean(axis=0)
        genetic = genetic + variance * (n - 1) / (centred[:n] ** 2).sum() * features @ features.T
    v = genetic[:n, :n] + model.var_e_ * np.eye(n)
    solved = np.linalg.solve(v, np.column_stack([np.ones(n), y]))
    mean = solved[:, 1].sum() / solved[:, 0].sum()  # generalised least squares
    values = mean + genetic[n:, :n] @ (solved[:, 1] - mean * solved[:, 0])
    contrasts = np.linalg.svd(np.ones((1, n)))[2][1:]  # all that a mean leaves of the data
    deviation = np.hstack([np.full((len(new), n), -1 / n), np.eye(len(new))])
    prior = deviation @ genetic @ deviation.T
    cross = deviation @ genetic[:, :n] @ contrasts.T
    explained = cross @ np.linalg.solve(contrasts @ v @ contrasts.T, cross.T)
    return values, np.diag(explained) / np.diag(prior)


@pytest.mark.parametrize(("n", "p"), [(90, 10), (40, 12), (20, 30)], ids=["primal", "dual", "more loci than samples"])
def test_predictions_and_reliabilities_are_those_of_dense_matrices(rng, n, p):
    x, y = simulated(rng, n=n + 25, p=p, ploidy=4, n_traits=1)
    x, new, y = x[:n], x[n:], y[:n, 0]
    model = make("egblup").fit(x, y)
    values, reliabilities = model.predict(new, return_reliability=True)
    expected, expected_reliabilities = dense(model, x, y, new)
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(reliabilities, expected_reliabilities, atol=1e-6)
    assert 0.01 < reliabilities.mean() < 0.99


def test_reliability_of_breeding_values_is_that_of_dense_matrices(rng):
    x, y = simulated(rng, n=60, p=8, n_traits=1)
    model = make("egblup").fit(x[:40], y[:40, 0])
    a, aa, one = written_out(x[:40])
    v = model.var_a_ * a + model.var_aa_ * aa + model.var_e_ * one
    z, fresh = x[:40] - x[:40].mean(axis=0), x[40:] - x[:40].mean(axis=0)
    unit = model.var_a_ * 39 / (z**2).sum()
    cross, prior = unit * fresh @ z.T, unit * (fresh**2).sum(axis=1)
    inverse = np.linalg.inv(v)
    projected = inverse - np.outer(inverse.sum(axis=0), inverse.sum(axis=0)) / inverse.sum()
    expected = np.einsum("ij,jk,ik->i", cross, projected, cross) / prior
    np.testing.assert_allclose(model.breeding_value_reliability(x[40:]), expected, atol=1e-7)


@pytest.mark.parametrize("standardise", [False, True])
def test_primal_and_dual_agree(rng, standardise):
    """The same data, with as many loci more that do not vary that the dual form is chosen; for single loci too."""
    x, y = simulated(rng, n=80, p=9)
    reference = make("egblup", standardise=standardise).fit(x, y)
    for more in (10, 90):
        wide = np.hstack([x, np.ones((80, more), dtype=np.int8)])
        model = make("egblup", standardise=standardise).fit(wide, y)
        np.testing.assert_allclose(model.var_aa_, reference.var_aa_, rtol=1e-4)
        np.testing.assert_allclose(model.marker_effects_[:9], reference.marker_effects_, atol=1e-4)
        for found, expected in zip(
            model.predict(wide, return_reliability=True), reference.predict(x, return_reliability=True), strict=True
        ):
            np.testing.assert_allclose(found, expected, atol=1e-4)


def test_variances_are_recovered(rng):
    x = rng.integers(0, 3, (1500, 30))
    z = x - x.mean(axis=0)
    pairs = np.column_stack([z[:, i] * z[:, j] for i in range(30) for j in range(i)])
    heterozygous = (x == 1).astype(float)
    parts = [values @ rng.normal(size=(values.shape[1], 4)) for values in (z, heterozygous, pairs)]
    y = sum(np.sqrt(v) * p / p.std(axis=0) for v, p in zip((0.4, 0.3, 0.8), parts, strict=True))
    y = y + rng.normal(size=y.shape)
    model = make("egblup", dominance=True).fit(x, y)
    for found, expected in zip(
        (model.var_a_, model.var_d_, model.var_aa_, model.var_e_), (0.4, 0.3, 0.8, 1.0), strict=True
    ):
        assert found.mean() == pytest.approx(expected, rel=0.25)
    np.testing.assert_allclose(
        model.h2_broad_, 1 - model.var_e_ / (model.var_a_ + model.var_d_ + model.var_aa_ + model.var_e_)
    )
    for name, truth in zip(("additive", "dominance", "epistatic"), parts, strict=True):
        found = model.components(x)[name]
        assert all(np.corrcoef(found[:, k], truth[:, k])[0, 1] > 0.8 for k in range(4))


def test_reliability_is_the_squared_accuracy(rng):
    """Over many samples and traits drawn from the model, of total and of breeding values."""
    x = rng.integers(0, 2, (700, 25))
    z = x - x.mean(axis=0)
    pairs = np.column_stack([z[:, i] * z[:, j] for i in range(25) for j in range(i)])
    a, aa = (f @ rng.normal(size=(f.shape[1], 20)) / np.sqrt((f**2).sum() / 700) for f in (z, pairs))
    y = a + aa + rng.normal(size=a.shape)
    model = make("egblup").fit(x[:300], y[:300])
    values, total = model.predict(x[300:], return_reliability=True)
    breeding = model.components(x[300:])["additive"]
    for predicted, truth, claimed in (
        (values, a + aa, total),
        (breeding, a, model.breeding_value_reliability(x[300:])),
    ):
        squared = [np.corrcoef(predicted[:, k], truth[300:, k])[0, 1] ** 2 for k in range(20)]
        assert np.mean(squared) == pytest.approx(claimed.mean(), abs=0.04)


def test_components_and_effects_add_up(rng):
    x, y = simulated(rng)
    model = make("egblup", dominance=True).fit(x, y)
    components = model.components(x)
    assert list(components) == ["additive", "dominance", "epistatic"]
    np.testing.assert_allclose(model.mean_ + sum(components.values()), model.predict(x))
    np.testing.assert_allclose(components["additive"], (x - x.mean(axis=0)) @ model.marker_effects_, atol=1e-10)
    np.testing.assert_allclose(model.mean_, y.mean(axis=0))


def test_missing_phenotypes_leave_out_their_sample_for_that_trait_only(rng):
    x, y = simulated(rng)
    y[:10, 1] = np.nan
    together = make("egblup").fit(x, y)
    for trait, rows in enumerate((slice(None), slice(10, None))):
        alone = make("egblup").fit(x[rows], y[rows, trait])
        for found, expected in zip(
            together.predict(x, return_reliability=True), alone.predict(x, return_reliability=True), strict=True
        ):
            np.testing.assert_allclose(found[:, trait], expected, rtol=1e-6)


def test_a_missing_genotype_says_nothing(rng):
    x, y = simulated(rng)
    holes = x.astype(float)
    holes[3, 5] = np.nan
    filled = holes.copy()
    filled[3, 5] = np.delete(x[:, 5], 3).mean()
    np.testing.assert_allclose(make("egblup").fit(holes, y).predict(x), make("egblup").fit(filled, y).predict(x))
    nothing, reliabilities = make("egblup").fit(x, y).predict(np.full((1, 10), np.nan), return_reliability=True)
    at_mean = make("egblup").fit(x, y).predict(x.mean(axis=0)[None])
    np.testing.assert_allclose(nothing, at_mean)
    assert reliabilities.shape == (1, 2)


def test_what_does_not_vary(rng):
    x, y = simulated(rng)
    y[:, 1] = 3.5
    model = make("egblup").fit(x, y)
    np.testing.assert_allclose(model.predict(x)[:, 1], 3.5)
    assert model.h2_broad_[1] == 0
    assert (model.predict(x, return_reliability=True)[1][:, 1] == 0).all()
    fixed = np.full((90, 4), 0.1)
    fixed[:, 1] = rng.integers(0, 2, 90)  # one locus varies: there are no pairs
    for loci in (fixed[:, :1], fixed[:, :2], np.hstack([fixed] * 5)):
        model = make("egblup").fit(loci, y)
        assert (model.var_aa_ == 0).all()
        assert np.isfinite(model.predict(loci, return_reliability=True)).all()


def test_far_from_zero_is_as_good_as_near(rng):
    x, y = simulated(rng)
    near = make("egblup").fit(x, y).predict(x)
    np.testing.assert_allclose(make("egblup").fit(x + 1e6, y).predict(x + 1e6), near, atol=1e-5)
    np.testing.assert_allclose(make("egblup").fit(x, y + 1e8).predict(x) - 1e8, near, atol=1e-5)


def test_dominance_needs_three_genotypes(rng):
    x, y = simulated(rng, ploidy=1)
    with pytest.raises(ValueError, match="no locus has three genotypes"):
        make("egblup", dominance=True).fit(x, y)


@pytest.mark.parametrize("name", ["egblup", "rkhs"])
def test_what_does_not_fit_into_memory_is_refused(rng, monkeypatch, name):
    x, y = simulated(rng)
    monkeypatch.setattr("gpatlas.models.kernels.total_memory", lambda: 1e9)
    make(name).fit(x, y)
    monkeypatch.setattr("gpatlas.models.kernels.total_memory", lambda: 1e8)
    with pytest.raises(ValueError, match=f"{name} of 90 samples × 10 loci needs 0.2 GB .* fit fewer samples"):
        make(name).fit(x, y)


def test_slow_convergence_is_said(rng):
    x, y = simulated(rng)
    with pytest.warns(UserWarning, match="did not converge in 1 iterations"):
        make("egblup", max_iter=1).fit(x, y)
