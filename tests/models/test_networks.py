"""Network estimators: what they can learn, seeds, validation sets, missing data."""

import numpy as np
import pytest

from gpatlas.models import make
from gpatlas.models.network import EPOCHS_RUN

SMALL = {"hidden": [64], "max_epochs": 40}


@pytest.fixture(scope="module")
def xor():
    """Two loci whose effects are all interaction, and one additive trait."""
    rng = np.random.default_rng(4)
    x = rng.integers(0, 2, (600, 10)).astype(np.int8)
    z = 2.0 * x - 1
    return x, np.column_stack([z[:, 0] * z[:, 1], z @ np.arange(10.0)]) + rng.normal(size=(600, 2)) * 0.05


def r(a, b):
    return [np.corrcoef(a[:, k], b[:, k])[0, 1] for k in range(a.shape[1])]


def test_the_mlp_learns_what_no_linear_model_can(xor):
    x, y = xor
    mlp = make("mlp", **SMALL).fit(x[:500], y[:500])
    linear = make("rrblup").fit(x[:500], y[:500])
    assert min(r(mlp.predict(x[500:]), y[500:])) > 0.98
    assert r(linear.predict(x[500:]), y[500:])[0] < 0.3


def test_linear_sgd_agrees_with_ridge(xor):
    x, y = xor
    y = y[:, 1:] / y[:, 1].std()
    sgd, ridge = make("linear_sgd").fit(x, y), make("rrblup").fit(x, y)
    assert np.corrcoef(sgd.predict(x)[:, 0], ridge.predict(x)[:, 0])[0, 1] > 0.99


@pytest.mark.parametrize("name", ["mlp", "linear_sgd"])
def test_a_seed_gives_one_model(xor, name):
    x, y = xor
    hparams = {"max_epochs": 3} | ({"hidden": [16]} if name == "mlp" else {})
    fits = [make(name, random_state=seed, **hparams).fit(x, y).predict(x) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(fits[0], fits[1])
    assert not np.array_equal(fits[0], fits[2])


def test_fitting_leaves_torchs_generator_alone(xor):
    import torch

    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    make("mlp", max_epochs=1, hidden=[4]).fit(*xor)
    assert torch.equal(torch.rand(3), expected)


def test_the_given_validation_set_decides_when_to_stop(xor):
    x, y = xor
    stop = make("mlp", **SMALL).fit(x[:400], y[:400], validation=(x[400:], y[400:]))
    history = stop.history_
    assert history.best_epoch == int(np.argmin(history.validation_loss)) + 1
    scaled = (stop.predict(x[400:]) - y[:400].mean(axis=0)) / y[:400].std(axis=0)
    target = (y[400:] - y[:400].mean(axis=0)) / y[:400].std(axis=0)
    assert ((scaled - target) ** 2).mean() == pytest.approx(min(history.validation_loss), rel=1e-4)


def test_training_stops_when_validation_does_not_improve(xor):
    x, y = xor
    noise = np.random.default_rng(1).normal(size=y.shape)
    model = make("mlp", hidden=[64], max_epochs=60, patience=3).fit(x, y, validation=(x, noise))
    assert model.n_epochs_ <= model.history_.best_epoch + 3


def test_missing_phenotypes_do_not_count(xor):
    x, y = xor
    holes = y.copy()
    holes[::3, 0] = np.nan
    holes[1::3, 1] = np.nan
    model = make("mlp", **SMALL).fit(x[:500], holes[:500], validation=(x[500:], holes[500:]))
    assert min(r(model.predict(x[500:]), y[500:])) > 0.9


@pytest.mark.parametrize("name", ["mlp", "linear_sgd"])
def test_missing_genotypes_are_allowed(xor, name):
    x, y = xor
    holes = x.astype(float)
    holes[::7, 3] = np.nan
    hparams = {"max_epochs": 2} | ({"hidden": [8]} if name == "mlp" else {})
    assert np.isfinite(make(name, **hparams).fit(holes, y).predict(holes)).all()


def test_a_constant_trait_and_a_constant_locus(xor):
    x, y = xor
    x, y = x.copy(), y.copy()
    x[:, 2], y[:, 0] = 1, 4.0
    predicted = make("mlp", hidden=[8], max_epochs=3).fit(x, y).predict(x)
    assert np.isfinite(predicted).all()


def test_divergence_is_said(xor):
    x, y = xor
    with pytest.raises(FloatingPointError, match="training diverged"):
        make("linear_sgd", learning_rate=1e30, max_epochs=3).fit(x, y * 1e30)


def test_a_last_batch_of_one_is_left_out(xor):
    x, y = xor
    model = make("mlp", hidden=[8], batch_size=128, max_epochs=1)
    model.fit(x[:257], y[:257], validation=(x[300:], y[300:]))
    assert np.isfinite(model.predict(x)).all()


def test_cost_counts_the_parameters_that_there_are(xor):
    x, y = xor
    model = make("mlp", hidden=[16, 8], linear_skip=False, max_epochs=2).fit(x, y)
    weights = sum(p.numel() for p in model.network_.network.parameters() if p.ndim == 2)
    work = model.work(600, 10, 2)
    epochs = 2 * EPOCHS_RUN["one_cycle"]
    assert work.flops == pytest.approx((6 * weights - 2 * 10 * 16) * 600 * epochs)
