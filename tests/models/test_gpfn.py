"""The estimator gpfn: units, covariates, traits, missing values, calibration under the model, saving."""

import pickle

import numpy as np
import pytest
import torch

from gpatlas.errors import StoreError
from gpatlas.io.checkpoints import Checkpoint, write_checkpoint
from gpatlas.io.estimator_bytes import dump_estimator, load_estimator
from gpatlas.models import make
from gpatlas.models.conditioning import Conditioning
from gpatlas.models.fixed_effects import FixedEffects
from gpatlas.nn.gpfn.networks import make_network
from gpatlas.nn.weights import state_of


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A network in which nothing is left at zero."""
    torch.manual_seed(3)
    network = make_network("awg", n_rounds=2, channels=8, hidden=8)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1 * torch.randn(parameter.shape)
        network.gain.abs_()
    path = tmp_path_factory.mktemp("checkpoint") / "some.safetensors"
    write_checkpoint(Checkpoint(state_of(network), {"network": network.settings}), path)
    return str(path)


def population(rng, n=130, m=90, n_qtl=4, h2=0.7):
    x = np.cumsum(rng.random((n, m)) < 0.05, axis=1) % 3
    g = x[:, rng.choice(m, n_qtl, replace=False)] @ rng.normal(size=n_qtl)
    return x.astype(np.int8), g + rng.normal(size=n) * g.std() * np.sqrt(1 / h2 - 1), g


def test_without_training_it_is_gblup(rng):
    x, y, _ = population(rng, n_qtl=90, h2=0.5)
    ours = make("gpfn", checkpoint=None).fit(x[:100], y[:100]).predict(x[100:])
    reml = make("rrblup").fit(x[:100], y[:100]).predict(x[100:])
    assert np.corrcoef(ours, reml)[0, 1] > 0.995
    assert abs(ours - reml).max() < 0.2 * y.std()


def test_standard_deviations_under_the_model():
    """Infinitesimal traits, of which GBLUP is the posterior: 90 % intervals hold 90 % of values and phenotypes."""
    rng = np.random.default_rng(11)
    held = []
    for _ in range(12):
        x = np.cumsum(rng.random((200, 300)) < 0.1, axis=1) % 3
        g = x @ rng.normal(size=300)
        y = 5 + g + rng.normal(size=200) * g.std()
        model = make("gpfn", checkpoint=None).fit(x[:120], y[:120])
        values = model.predict_quantiles(x[120:], (0.05, 0.95))
        phenotypes = model.predict_quantiles(x[120:], (0.05, 0.95), phenotype=True)
        true = g[120:] + 5
        held.append([((q[0] < t) & (t < q[1])).mean() for q, t in ((values, true), (phenotypes, y[120:]))])
    assert np.mean(held, axis=0) == pytest.approx([0.9, 0.9], abs=0.03)


def test_units_of_the_trait(rng, checkpoint):
    x, y, _ = population(rng)
    model = make("gpfn", checkpoint=checkpoint)
    value, sd = model.fit(x[:90], y[:90]).predict(x[90:], return_std=True)
    var_e = model.var_e_
    other, other_sd = model.fit(x[:90], 1000 - 20 * y[:90]).predict(x[90:], return_std=True)
    np.testing.assert_allclose(other, 1000 - 20 * value, rtol=1e-7)
    np.testing.assert_allclose(other_sd, 20 * sd, rtol=1e-6)
    assert model.var_e_ == pytest.approx(400 * var_e)


def test_covariates_take_what_is_theirs(rng, checkpoint):
    """Effects of covariates are fixed: adding them to the trait adds them to predictions and changes nothing else."""
    x, y, _ = population(rng)
    w = np.column_stack([rng.normal(3, 2, 130), rng.integers(0, 2, 130)])
    both, effects = np.hstack([x, w]), np.array([5.0, -7.0])
    model = make("gpfn", checkpoint=checkpoint, n_covariates=2)
    value, sd = model.fit(both[:90], y[:90]).predict(both[90:], return_std=True)
    before = model.covariate_effects_
    shifted, same = model.fit(both[:90], y[:90] + w[:90] @ effects).predict(both[90:], return_std=True)
    np.testing.assert_allclose(shifted, value + w[90:] @ effects, rtol=1e-7)
    np.testing.assert_allclose(same, sd, rtol=1e-6)
    np.testing.assert_allclose(model.covariate_effects_ - before, effects, rtol=1e-7)


def test_covariates_as_in_rrblup(rng):
    x, y, _ = population(rng, n_qtl=90, h2=0.5)
    both = np.hstack([x, rng.normal(size=(130, 1))])
    y = y + 3 * both[:, -1]
    ours = make("gpfn", checkpoint=None, n_covariates=1).fit(both[:100], y[:100])
    reml = make("rrblup", n_covariates=1).fit(both[:100], y[:100])
    assert ours.covariate_effects_[0] == pytest.approx(reml.covariate_effects_[0], rel=0.01)
    assert np.corrcoef(ours.predict(both[100:]), reml.predict(both[100:]))[0, 1] > 0.995


def test_traits_are_solved_as_if_alone(rng, checkpoint):
    x, y, g = population(rng)
    traits = np.column_stack([y, g, rng.normal(size=130)])
    traits[:15, 2] = np.nan
    model = make("gpfn", checkpoint=checkpoint).fit(x[:90], traits[:90])
    value, sd = model.predict(x[90:], return_std=True)
    for trait in range(3):
        rows = np.flatnonzero(~np.isnan(traits[:90, trait]))
        alone = make("gpfn", checkpoint=checkpoint).fit(x[rows], traits[rows, trait])
        for together, one in zip((value, sd), alone.predict(x[90:], return_std=True), strict=True):
            np.testing.assert_allclose(together[:, trait], one, rtol=1e-6)
        np.testing.assert_allclose(model.marker_weights_[:, trait], alone.marker_weights_, rtol=1e-5)
    np.testing.assert_allclose(model.expert_weights_.sum(axis=0), 1)


def test_phenotypes_are_standardised_by_what_covariates_leave(rng):
    """With their degrees of freedom taken off, or a network would see other heritabilities beside covariates."""
    x, y, _ = population(rng)
    w = rng.normal(size=(130, 9))
    fixed = FixedEffects.of(w)
    part = Conditioning.of(x.astype(float), (y - y.mean())[:, None], fixed, np.array([0]), None)
    design = np.column_stack([np.ones(130), w])
    left = y - design @ np.linalg.lstsq(design, y)[0]
    np.testing.assert_allclose(part.sd, np.sqrt(left @ left / 120), rtol=1e-9)
    np.testing.assert_allclose(part.y[:, 0], left / part.sd, rtol=1e-7, atol=1e-9)


def test_missing_genotypes_are_training_means(rng, checkpoint):
    x, y, _ = population(rng)
    holes = np.where(rng.random(x.shape) < 0.1, np.nan, x)
    holes[:90, 7] = np.nan  # no call at all in training
    filled = np.where(
        np.isnan(holes), np.nansum(holes[:90], axis=0) / np.maximum((~np.isnan(holes[:90])).sum(axis=0), 1), holes
    )
    filled[:, 7] = 0.0
    model = make("gpfn", checkpoint=checkpoint)
    value = model.fit(holes[:90], y[:90]).predict(np.where(np.isnan(holes), np.nan, holes)[90:][:, :])
    assert model.n_ignored_ == 1
    holes[90:, 7] = 0.0
    np.testing.assert_allclose(model.fit(filled[:90], y[:90]).predict(filled[90:]), value, rtol=1e-7)


def test_what_does_not_vary(rng, checkpoint):
    x, y, _ = population(rng)
    model = make("gpfn", checkpoint=checkpoint).fit(x, np.column_stack([y, np.full(130, 2.5)]))
    value, sd = model.predict(x[:5], return_std=True)
    np.testing.assert_allclose(value[:, 1], 2.5)
    assert (sd[:, 1] == 0).all()
    alike = make("gpfn", checkpoint=checkpoint).fit(np.ones((130, 6)), y)
    np.testing.assert_allclose(alike.predict(np.zeros((3, 6))), y.mean())
    assert alike.n_ignored_ == 6


def test_chromosomes(rng, checkpoint):
    x, y, _ = population(rng)
    labels = np.repeat(["2L", "X"], 45)
    model = make("gpfn", checkpoint=checkpoint, chromosome=labels)
    known = model.fit(x[:90], y[:90]).predict(x[90:])
    order = np.r_[45:90, 0:45]
    model.set_params(chromosome=labels[order])
    np.testing.assert_allclose(model.fit(x[:90][:, order], y[:90]).predict(x[90:][:, order]), known, rtol=1e-7)
    with pytest.raises(ValueError, match="chromosome must name one chromosome for each of 90 loci, but has shape"):
        model.set_params(chromosome=labels[:4]).fit(x, y)


def test_saved_models_predict_the_same(rng, checkpoint):
    x, y, _ = population(rng)
    model = make("gpfn", checkpoint=checkpoint).fit(x[:90], y[:90])
    value, sd = model.predict(x[90:], return_std=True)
    for again in (pickle.loads(pickle.dumps(model)), load_estimator(dump_estimator(model), "test")):
        np.testing.assert_array_equal(again.predict(x[90:], return_std=True), (value, sd))


def test_refused(rng, tmp_path):
    x, y, _ = population(rng)
    with pytest.raises(ValueError, match="trait 0 has 9 phenotyped samples, but at least 10 are needed"):
        make("gpfn", checkpoint=None).fit(x, np.where(np.arange(130) < 9, y, np.nan))
    with pytest.raises(StoreError, match=r"checkpoint 'pika': gpatlas comes with"):
        make("gpfn", checkpoint="pika").fit(x, y)
    with pytest.raises(StoreError, match="no such file"):
        make("gpfn", checkpoint=str(tmp_path / "none.safetensors")).fit(x, y)
    network = make_network("awg", n_rounds=1, channels=4, hidden=4)
    path, arrays = tmp_path / "other.safetensors", state_of(network)
    for config, weights, message in (
        ({}, arrays, "other.safetensors: a checkpoint, but not of a prior-fitted network"),
        ({"network": "awg"}, arrays, "other.safetensors: a network's settings are a mapping, not 'awg'"),
        ({"network": {"architecture": "perceiver"}}, arrays, "other.safetensors: unknown architecture 'perceiver'"),
        ({"network": network.settings | {"channels": 8}}, arrays, "other.safetensors: weights do not fit"),
        ({"network": network.settings}, arrays | {"gain": np.nan * arrays["gain"]}, "weights gain are not all finite"),
    ):
        write_checkpoint(Checkpoint(weights, config), path)
        with pytest.raises(StoreError, match=message):
            make("gpfn", checkpoint=str(path)).fit(x, y)
    with pytest.raises(ValueError, match="quantiles must be numbers between 0 and 1"):
        make("gpfn", checkpoint=None).fit(x, y).predict_quantiles(x, (0.0, 0.5))


def test_the_transformer_predicts_too(rng, tmp_path):
    x, y, _ = population(rng)
    network = make_network("transformer", n_features=20, width=16, n_layers=1)
    path = tmp_path / "rows.safetensors"
    write_checkpoint(Checkpoint(state_of(network), {"network": network.settings}), path)
    model = make("gpfn", checkpoint=str(path)).fit(x[:90], np.column_stack([y, -y])[:90])
    value, sd = model.predict(x[90:], return_std=True)
    assert value.shape == sd.shape == (40, 2)
    assert (sd > 0).all()
    np.testing.assert_allclose(model.predict(x[90:91]), value[:1], rtol=1e-7)


def test_many_genotypes_are_held_in_single_precision(rng, checkpoint, monkeypatch):
    """And taken in blocks: the numbers stay what they were."""
    x, y, _ = population(rng)
    both = np.hstack([x, rng.normal(size=(130, 1))])
    model = make("gpfn", checkpoint=checkpoint, n_covariates=1)
    expected = model.fit(both[:90], y[:90]).predict(both[90:], return_std=True)
    monkeypatch.setattr("gpatlas.models.conditioning._DOUBLE", 0)
    monkeypatch.setattr("gpatlas.models.conditioning._BLOCK", 900)
    monkeypatch.setattr("gpatlas.nn.gpfn.kernels._BLOCK", 1)
    found = model.fit(both[:90], y[:90]).predict(both[90:], return_std=True)
    np.testing.assert_allclose(found, expected, rtol=1e-3)
