"""The spike-and-slab posterior against what can be had in closed form."""

import numpy as np
import pytest

from gpatlas.models.epistasis import kernels
from gpatlas.models.epistasis.posterior import fit_posterior


def orthogonal(n, m, rng):
    q, _ = np.linalg.qr(rng.normal(size=(n, m + 1)))
    q -= q.mean(axis=0)
    q, _ = np.linalg.qr(q)
    return (q[:, :m] * np.sqrt(n)).T.astype(np.float32)


def test_one_effect_has_the_posterior_of_bayes_rule():
    rng = np.random.default_rng(1)
    feature = rng.normal(size=(1, 80)).astype(np.float32)
    r = (0.3 * feature[0] + rng.normal(size=80)).astype(np.float32)
    noise, slab, prior = 1.3, 0.4, 0.2
    wr, ww = float(feature[0] @ r), float(feature[0] @ feature[0])
    # marginal likelihoods: N(r; 0, noise I) without the effect, N(r; 0, noise I + slab ww') with it
    log_ratio = -0.5 * np.log1p(slab * ww / noise) + 0.5 * wr**2 / noise * slab / (noise + slab * ww)
    included = prior * np.exp(log_ratio) / (prior * np.exp(log_ratio) + 1 - prior)
    centre, spread = slab * wr / (noise + slab * ww), slab * noise / (noise + slab * ww)
    mean, inclusion, variance = np.zeros((3, 1))
    before = r.copy()
    kernels.visit_effects(
        *(feature, r, np.array([ww]), mean, inclusion, variance, noise, slab, np.log(prior / (1 - prior))),
        *(np.arange(1), 1.0),
    )
    assert inclusion[0] == pytest.approx(included, rel=1e-5)
    assert mean[0] == pytest.approx(included * centre, rel=1e-5)
    assert variance[0] == pytest.approx(included * (spread + centre**2) - (included * centre) ** 2, rel=1e-4)
    assert np.allclose(before - r, mean[0] * feature[0], atol=1e-5)


def test_effects_of_orthogonal_features_are_found_and_the_prior_is_learned():
    rng = np.random.default_rng(2)
    n, m = 2000, 800
    features = orthogonal(n, m, rng)
    effects = np.where(np.arange(m) < 40, rng.normal(size=m), 0)
    y = effects @ features + rng.normal(size=n) * 0.5
    found = fit_posterior(y - y.mean(), features[:0], features, (1.0, float(m)))
    assert found.var_e == pytest.approx(0.25, rel=0.1)
    assert found.pair_slab.n_active == pytest.approx(40, rel=0.25)
    assert found.pair_slab.variance == pytest.approx(float(np.mean(effects[:40] ** 2)), rel=0.35)
    strong = np.abs(effects) > 0.15
    assert found.inclusion[strong].min() > 0.9
    assert found.inclusion[effects == 0].mean() < 0.01
    assert np.corrcoef(found.pairs, effects)[0, 1] > 0.999


def test_a_prior_without_spike_is_ridge():
    """When every effect is there, the posterior mean is the BLUP at the variances it settles on."""
    rng = np.random.default_rng(3)
    features = rng.normal(size=(30, 400)).astype(np.float32)
    features -= features.mean(axis=1, keepdims=True)
    y = rng.normal(size=30) @ features + rng.normal(size=400) * 3
    y -= y.mean()
    found = fit_posterior(y, features, features[:0], (30.0, 1.0), max_sweeps=400)
    f = features.astype(float)
    weights = np.linalg.solve(f @ f.T + np.eye(30) * found.var_e / found.locus_slab.variance, f @ y)
    assert found.locus_slab.n_active > 27
    assert np.corrcoef(found.loci, weights)[0, 1] > 0.999


def test_screened_out_features_count_in_the_prior():
    rng = np.random.default_rng(4)
    features = rng.normal(size=(20, 300)).astype(np.float32)
    features -= features.mean(axis=1, keepdims=True)
    y = 0.2 * features[0] + rng.normal(size=300)
    y -= y.mean()
    few = fit_posterior(y, features[:0], features, (1.0, 20.0), max_sweeps=1)
    many = fit_posterior(y, features[:0], features, (1.0, 1e7), max_sweeps=1)
    assert many.inclusion[0] < few.inclusion[0]


def test_a_start_is_not_forgotten():
    """Weak effects that are known stay in a first sweep: the noise is what they leave, not the whole variance."""
    rng = np.random.default_rng(5)
    features = orthogonal(500, 200, rng)
    effects = np.where(np.arange(200) < 80, 1.0, 0)
    y = effects @ features + rng.normal(size=500) * 0.1
    y -= y.mean()
    found = fit_posterior(y, features[:0], features, (1.0, 20_000.0), start=(np.empty(0), effects), max_sweeps=1)
    assert found.inclusion[:80].min() > 0.99
    assert found.pairs[:80] == pytest.approx(1, abs=0.05)
    forgotten = fit_posterior(y, features[:0], features, (1.0, 20_000.0), max_sweeps=1)
    assert forgotten.inclusion[:80].max() < 0.5
