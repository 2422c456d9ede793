"""The stack: who takes part, what weighs, and that it is not behind its members."""

import re

import numpy as np
import pytest

from gpatlas.errors import ConfigError
from gpatlas.models import auto_epistasis, make
from gpatlas.models.stacking import stack
from tests.models.epistasis.populations import sparse_pairs

QUICK = ["rrblup", "egblup", "interaction_screening"]


def dense_pairs(n, q, h2, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2, (n, q)).astype(np.int8)
    z = 2.0 * x - 1
    w = np.triu(rng.normal(size=(q, q)), 1)
    parts = z @ rng.normal(size=q), ((z @ w) * z).sum(axis=1)
    g = sum(part / part.std() for part in parts)
    g = g / g.std()
    return x, g + rng.normal(size=n) * np.sqrt((1 - h2) / h2), g


@pytest.mark.parametrize("kind", ["sparse", "dense", "additive"])
def test_it_is_as_good_as_the_best_of_its_members(kind):
    behind = []
    for seed in range(3):
        if kind == "dense":
            x, y, g = dense_pairs(1000, 30, 0.7, seed)
        else:
            x, y, g, _ = sparse_pairs(1000, 60, 0.5, seed)
        if kind == "additive":
            g = (2.0 * x - 1) @ np.random.default_rng(seed).normal(size=60)
            y = g / g.std() + np.random.default_rng(seed + 9).normal(size=1000)
        train, test = slice(0, 700), slice(700, None)
        r = {m: np.corrcoef(make(m).fit(x[train], y[train]).predict(x[test]), g[test])[0, 1] for m in QUICK}
        auto = make("auto_epistasis", members=QUICK).fit(x[train], y[train])
        behind.append(max(r.values()) - np.corrcoef(auto.predict(x[test]), g[test])[0, 1])
        assert max(r, key=r.get) in auto.estimators_ or behind[-1] < 0.01
    assert np.mean(behind) < 0.01


def test_members_that_cost_more_are_left_out_when_enough_is_explained():
    x, y, _, _ = sparse_pairs(600, 20, 0.9999, seed=1)
    auto = make("auto_epistasis").fit(x, y)
    assert auto.members_ == ["rrblup", "interaction_screening"]
    assert make("auto_epistasis")._chosen(600, 20) == ["rrblup", "interaction_screening", "egblup", "mlp"]
    assert make("auto_epistasis")._chosen(100_000, 448) == ["rrblup", "interaction_screening"]


def test_members_take_settings_and_traits_their_own_weights():
    x, y, _, _ = sparse_pairs(300, 16, 0.9, seed=2)
    additive = x @ np.arange(16.0) + np.random.default_rng(3).normal(size=300)
    Y = np.column_stack([y, additive])
    Y[:20, 1] = np.nan
    members = {"rrblup": {}, "stagewise": {"model": "interaction_screening", "preset": "stagewise"}}
    auto = make("auto_epistasis", members=members).fit(x, Y)
    assert auto.weights_.shape == (2, 2)
    assert auto.weights_[1, 0] > auto.weights_[0, 0]
    assert auto.estimators_["stagewise"].effects == "least_squares"
    predicted = auto.predict(x)
    assert predicted[20:].mean(axis=0) == pytest.approx(Y[20:].mean(axis=0), abs=0.2)


def test_nothing_to_predict_is_said(monkeypatch):
    """Held-out predictions that point the wrong way get no weight."""
    monkeypatch.setattr(
        auto_epistasis, "stack", lambda predicted, y, combine: stack(-np.abs(predicted) - y, y, "stack")
    )
    x, y, _, _ = sparse_pairs(200, 16, 0.9, seed=2)
    with pytest.warns(UserWarning, match="no member predicts held-out samples"):
        auto = make("auto_epistasis", members=["rrblup"]).fit(x, y)
    assert not auto.weights_.any()
    assert auto.predict(x) == pytest.approx(y.mean())


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([], "members is empty; name one model or more"),
        (["rrblup", "egblupp"], "members: unknown model 'egblupp'; did you mean 'egblup'?"),
        ({"mlp": {"hiden": [3]}}, "members: model mlp: unknown hyperparameter 'hiden'; did you mean 'hidden'?"),
        ({"mine": {"model": "rrblup", "penalty": "foo"}}, "members: model rrblup: The 'penalty' parameter"),
        ([{"rrblup": {}}], "members: {'rrblup': {}} is neither a model's name nor a name and its hyperparameters"),
        ({"rrblup": 3}, "members: {'rrblup': 3} is neither a model's name nor"),
    ],
)
def test_members_are_checked_before_anything_is_fitted(members, message):
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        make("auto_epistasis", members=members)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=re.escape(message)):
        auto_epistasis.AutoEpistasis(members=members).fit(np.eye(20), np.arange(20.0))


def test_a_member_without_hyperparameters_takes_its_defaults():
    """As in YAML, where nothing stands behind the colon."""
    assert make("auto_epistasis", members={"rrblup": None, "egblup": {}})._member("rrblup", 1).penalty == "reml"


def test_progress_is_of_members_and_folds():
    x, y, _, _ = sparse_pairs(60, 8, 0.9, seed=2)
    lines = []
    make("auto_epistasis", members=["rrblup", "egblup"], n_folds=2).fit(x, y, progress=lines.append)
    assert lines[:4] == [f"{name}, fold {k} of 2" for name in ("rrblup", "egblup") for k in (1, 2)]
    assert len(lines) > 4
    assert all(line.endswith(", all samples") for line in lines[4:])
