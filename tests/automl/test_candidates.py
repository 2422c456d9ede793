"""Every candidate × every kind of trait: it fits, predicts, repeats itself, and learns from training samples only."""

import numpy as np
import pytest

from gpatlas.automl.candidates import CANDIDATES
from gpatlas.errors import ConfigError

KINDS = ("continuous", "binary", "multiclass")
EVERY = [(name, kind) for name, candidate in CANDIDATES.items() for kind in KINDS if kind in candidate.kinds]


def trait(kind, n=60, p=70, n_covariates=2, seed=1):
    """X with dosages, two covariates, missing values and a constant locus; y of the kind."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 3, (n, p)).astype(np.float32)
    x[:, 3] = 1.0
    covariates = rng.normal(size=(n, n_covariates)).astype(np.float32)
    value = x[:, :5].sum(axis=1) + 2 * covariates[:, :1].sum(axis=1) + rng.normal(size=n)
    X = np.hstack([x, covariates])
    X[rng.random(X.shape) < 0.02] = np.nan
    if kind == "continuous":
        return X, value.astype(np.float64)
    cuts = [0.5] if kind == "binary" else [0.3, 0.6]
    return X, np.searchsorted(np.quantile(value, cuts), value).astype(np.float64)


def outputs(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


@pytest.mark.parametrize(("name", "kind"), EVERY)
def test_it_fits_predicts_and_repeats_itself(name, kind):
    X, y = trait(kind)
    first = CANDIDATES[name].make(kind, 2, 7).fit(X[:45], y[:45])
    found = outputs(first, X[45:])
    np.testing.assert_array_equal(outputs(CANDIDATES[name].make(kind, 2, 7).fit(X[:45], y[:45]), X[45:]), found)
    assert np.isfinite(found).all()
    assert set(first.predict(X[45:])) <= set(y) or kind == "continuous"
    if kind != "continuous":
        np.testing.assert_array_equal(first.classes_, np.unique(y))
        assert found.shape == (15, len(np.unique(y)))
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
        assert (found >= 0).all()


def test_a_mistyped_hyperparameter_is_refused():
    with pytest.raises(ConfigError, match="unknown hyperparameter 'max_feature'; did you mean 'max_features'"):
        CANDIDATES["random_forest"].make("binary", max_feature=2)
