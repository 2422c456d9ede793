"""Every candidate × every kind of trait: it fits, predicts, repeats itself, and learns from training samples only."""

import numpy as np
import pytest

from gpatlas.automl.candidates import CANDIDATES
from gpatlas.errors import ConfigError
from gpatlas.models.space import Choice

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


@pytest.mark.parametrize(("name", "kind"), EVERY)
def test_few_samples_a_rare_class_and_features_that_say_nothing(name, kind):
    """Twelve samples, one of a class, a covariate that was never seen, a locus never called, and one that is fixed."""
    X, y = trait(kind, n=14, p=25, seed=3)
    X[:, -1], X[:, 4], X[:12, 6] = np.nan, np.nan, 2.0
    if kind != "continuous":
        y = np.array([0.0] * 7 + [1.0] * 5 + [0.0, 1.0])
        y[3:5] = 1.0
        if kind == "multiclass":
            y[2] = 2.0
        else:
            y[:12] = [0.0] * 11 + [1.0]
    model = CANDIDATES[name].make(kind, 2, 1).fit(X[:12], y[:12])
    found = outputs(model, X[12:])
    assert np.isfinite(found).all()
    if kind == "continuous":
        assert np.abs(found - y[:12].mean()).max() < 20 * y[:12].std()


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, kind in EVERY if kind != "multiclass"])
def test_a_prediction_depends_on_no_other_new_sample(name, kind):
    X, y = trait(kind, seed=5)
    model = CANDIDATES[name].make(kind, 2, 7).fit(X[:45], y[:45])
    others = X[45:].copy()
    others[1:] = 2.0
    np.testing.assert_allclose(outputs(model, others)[0], outputs(model, X[45:])[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CANDIDATES)
def test_what_may_be_tuned_is_taken(name, kind):
    """Both ends of every range make an estimator; defaults lie within."""
    candidate = CANDIDATES[name]
    if kind not in candidate.kinds:
        predicts = ", ".join(sorted(candidate.kinds))
        with pytest.raises(ConfigError, match=f"candidate {name} predicts {predicts}, not '{kind}'"):
            candidate.make(kind)
        return
    for key, values in candidate.space(kind).items():
        ends = values.values if isinstance(values, Choice) else (values.low, values.high)
        for end in ends:
            candidate.make(kind, 1, 0, **{key: end})


def test_cheapest_come_first():
    costs = [candidate.work(500, 1000, "binary") for candidate in CANDIDATES.values()]
    assert costs == sorted(costs)
    assert all(c.work(2500, 20_000, "binary") > c.work(500, 500, "binary") for c in CANDIDATES.values())


def test_covariates_are_fixed_where_loci_are_random():
    """A covariate that decides most is not shrunk, however many loci there are."""
    rng = np.random.default_rng(2)
    x, w = rng.integers(0, 3, (120, 400)).astype(np.float32), rng.normal(size=(120, 1)).astype(np.float32)
    y = 3.0 * w[:, 0] + rng.normal(size=120)
    for name in ("rrblup", "bayes_cpi", "rkhs", "egblup", "lasso"):
        model = CANDIDATES[name].make("continuous", 1).fit(np.hstack([x, w])[:80], y[:80])
        assert model.covariate_effects_[0] == pytest.approx(3, abs=0.4)
        assert np.corrcoef(model.predict(np.hstack([x, w])[80:]), y[80:])[0, 1] > 0.85  # of 0.91 by the covariate
