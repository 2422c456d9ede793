"""RKHS: evidence and reliabilities of dense matrices, and what the averaging does."""

import numpy as np
import pytest

from gpatlas.models import make
from gpatlas.models.rkhs import BANDWIDTHS


def distances(a, b):
    return ((a[:, None].astype(float) - b[None]) ** 2).sum(axis=2)


def simulated(rng, n=60, p=10, noise=0.5):
    x = rng.integers(0, 3, (n, p)).astype(np.int8)
    y = x[:, :5] @ rng.normal(size=(5, 2)) + (x[:, :1] - 1.0) * (x[:, 1:2] - 1.0) * [2.0, 0.0]
    return x, y + noise * rng.normal(size=(n, 2))


def dense(x, y, new, bandwidth, var_k, var_e):
    """-2ℓ with the mean profiled out, values, and PEV and prior variance of contrasts with the training mean."""
    n = len(x)
    together = np.vstack([x, new])
    genetic = var_k * np.exp(-distances(together, together) / bandwidth)
    v = genetic[:n, :n] + var_e * np.eye(n)
    inverse, ones = np.linalg.inv(v), np.ones((n, 1))
    information = (ones.T @ inverse @ ones).item()
    mean = (ones.T @ inverse @ y).item() / information
    projection = inverse - inverse @ ones @ ones.T @ inverse / information
    deviance = np.linalg.slogdet(v)[1] + np.log(information) + y @ projection @ y
    deviation = np.hstack([np.full((len(new), n), -1 / n), np.eye(len(new))])
    cross = deviation @ genetic[:, :n]
    prior = np.einsum("ij,jk,ik->i", deviation, genetic, deviation)
    explained = np.einsum("ij,jk,ik->i", cross, projection, cross)
    return deviance, mean + genetic[n:, :n] @ inverse @ (y - mean), prior - explained, prior


def test_it_is_the_average_over_dense_models_by_their_evidence(rng):
    """At our variances, which `test_each_bandwidth…` holds to be the best."""
    x, y = simulated(rng)
    x, new, y = x[:45], x[45:], y[:45, 0]
    model = make("rkhs").fit(x, y)
    median = np.median(distances(x, x)[np.triu_indices(45, 1)])
    np.testing.assert_allclose(model.bandwidths_, np.array(BANDWIDTHS) * median)
    part = model._parts[0]
    found = [
        dense(x, y, new, b, k.item(), e.item())
        for b, k, e in zip(model.bandwidths_, part.var_k, part.var_e, strict=True)
    ]
    deviance, values, pev, prior = (np.array(column) for column in zip(*found, strict=True))
    weights = np.exp((deviance.min() - deviance) / 2)
    weights /= weights.sum()
    np.testing.assert_allclose(model.weights_, weights, rtol=1e-5)
    assert np.sort(weights)[-2] > 0.01  # there is something to average
    average = weights @ values
    predicted, reliabilities = model.predict(new, return_reliability=True)
    np.testing.assert_allclose(predicted, average, atol=1e-6)
    total = weights @ (pev + (values - average) ** 2)
    np.testing.assert_allclose(reliabilities, 1 - total / (weights @ prior), atol=1e-6)


def test_each_bandwidth_is_at_its_best_variances(rng):
    x, y = simulated(rng, noise=2.0)
    model = make("rkhs", bandwidths=[0.7, 3]).fit(x, y[:, 0])
    part = model._parts[0]
    for bandwidth, var_k, var_e in zip(model.bandwidths_, part.var_k[:, 0], part.var_e[:, 0], strict=True):
        best = dense(x, y[:, 0], x[:1], bandwidth, var_k, var_e)[0]
        for factors in ([1.05, 1], [1 / 1.05, 1], [1, 1.05], [1, 1 / 1.05], [1.05, 1.05], [1.05, 1 / 1.05]):
            assert dense(x, y[:, 0], x[:1], bandwidth, var_k * factors[0], var_e * factors[1])[0] > best


def test_evidence_finds_what_kind_of_trait_it_is(rng):
    """Additive traits are given to wide kernels, those of interactions to narrow ones."""
    x = rng.integers(0, 2, (400, 8))
    additive = x @ rng.normal(size=8)
    parity = np.prod(2.0 * x[:, :3] - 1, axis=1)
    y = np.column_stack([additive / additive.std(), parity]) + 0.3 * rng.normal(size=(400, 2))
    model = make("rkhs").fit(x[:300], y[:300])
    np.testing.assert_allclose(model.weights_.sum(axis=0), 1)
    wide, narrow = model.weights_.argmax(axis=0)
    assert wide >= 4
    assert narrow <= 2
    r = [np.corrcoef(model.predict(x[300:])[:, k], y[300:, k])[0, 1] for k in range(2)]
    assert min(r) > 0.85


def test_reliability_is_the_squared_accuracy(rng):
    """Over traits drawn from one kernel of the grid."""
    x = rng.integers(0, 2, (500, 12)).astype(float)
    d = distances(x, x)
    kernel = np.exp(-d / (2 * np.median(d)))
    g = np.linalg.cholesky(kernel + 1e-8 * np.eye(500)) @ rng.normal(size=(500, 20)) * 2
    y = g + rng.normal(size=g.shape)
    values, claimed = make("rkhs").fit(x[:250], y[:250]).predict(x[250:], return_reliability=True)
    squared = [np.corrcoef(values[:, k], g[250:, k])[0, 1] ** 2 for k in range(20)]
    assert np.mean(squared) == pytest.approx(claimed.mean(), abs=0.05)


def test_missing_phenotypes_leave_out_their_sample_for_that_trait_only(rng):
    x, y = simulated(rng)
    holes = y.copy()
    holes[:10, 1] = np.nan
    together = make("rkhs").fit(x, holes)
    np.testing.assert_allclose(together.predict(x)[:, 0], make("rkhs").fit(x, y[:, 0]).predict(x), rtol=1e-6)
    alone = make("rkhs", bandwidths=together.bandwidths_).fit(x[10:], y[10:, 1])
    scaled = make("rkhs", bandwidths=together.bandwidths_ * together.bandwidths_[0] / alone.bandwidths_[0])
    np.testing.assert_allclose(together.predict(x)[:, 1], scaled.fit(x[10:], y[10:, 1]).predict(x), rtol=1e-6)


def test_what_does_not_vary(rng):
    x, y = simulated(rng)
    y[:, 1] = -2.0
    model = make("rkhs").fit(x, y)
    np.testing.assert_allclose(model.predict(x)[:, 1], -2.0)
    assert model.h2_broad_[1] == 0
    np.testing.assert_allclose(model.weights_[:, 1], 1 / 6)
    fixed = make("rkhs").fit(np.ones((60, 4)), y)
    values, reliabilities = fixed.predict(np.zeros((2, 4)), return_reliability=True)
    np.testing.assert_allclose(values, np.tile(y.mean(axis=0), (2, 1)))
    assert (reliabilities == 0).all()


@pytest.mark.parametrize("bandwidths", [[], [1.0, -2.0], [0.0], [[1.0]], [np.inf]])
def test_bandwidths_are_positive(rng, bandwidths):
    x, y = simulated(rng)
    with pytest.raises(ValueError, match="bandwidths must be one or more positive numbers"):
        make("rkhs", bandwidths=bandwidths).fit(x, y)
