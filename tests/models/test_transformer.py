"""The transformer as an estimator: interactions of loci, missing calls, ploidy, what it costs."""

import numpy as np
import pytest

from gpatlas.errors import ConfigError
from gpatlas.models import make

SMALL = {"width": 16, "n_heads": 2, "device": "cpu"}


def exclusive_or(ploidy=1, n=800, seed=4):
    """One trait of one pair, no main effects, and one additive trait."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, ploidy + 1, (n, 8)).astype(np.int8)
    z = x - ploidy / 2
    return x, np.column_stack([z[:, 0] * z[:, 1], z @ np.arange(8.0)]) + rng.normal(size=(n, 2)) * 0.05


def r(a, b):
    return min(np.corrcoef(a[:, k], b[:, k])[0, 1] for k in range(a.shape[1]))


@pytest.mark.parametrize("ploidy", [1, 4])
@pytest.mark.parametrize("attention", ["locus", "genotype"])
def test_it_learns_what_no_linear_model_can(attention, ploidy):
    x, y = exclusive_or(ploidy)
    model = make("transformer", attention=attention, max_epochs=40, **SMALL).fit(x[:600], y[:600])
    assert r(model.predict(x[600:]), y[600:]) > 0.97


def test_the_published_one_learns_additive_effects_from_few_samples():
    x, y = exclusive_or()
    model = make("transformer", preset="published", max_epochs=30, device="cpu").fit(x[:600], y[:600, 1])
    assert np.corrcoef(model.predict(x[600:]), y[600:, 1])[0, 1] > 0.95


@pytest.mark.parametrize("attention", ["locus", "genotype", "stacked"])
def test_a_missing_call_counts_as_the_mean(attention):
    x, y = exclusive_or(n=100)
    model = make("transformer", attention=attention, max_epochs=2, **SMALL).fit(x, y, validation=(x, y))
    unknown = x.astype(float)
    unknown[:, 3] = np.nan
    mean = np.where(np.isnan(unknown), x.mean(axis=0), unknown)
    np.testing.assert_allclose(model.predict(unknown), model.predict(mean), atol=1e-5)


def test_heads_share_the_width():
    with pytest.raises(ConfigError, match="width 10 is not a multiple of n_heads 4"):
        make("transformer", width=10)
    assert make("transformer", width=13, attention="stacked").width == 13


@pytest.mark.parametrize("attention", ["locus", "genotype", "stacked"])
def test_cost_counts_the_parameters_that_there_are(attention):
    model = make("transformer", attention=attention, n_layers=2)
    there_are = sum(p.numel() for p in model._build(50, 3).parameters())
    assert model._size(50, 3).parameters == pytest.approx(there_are, rel=0.1)
