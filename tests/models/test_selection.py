"""Selection: the bound of stability selection, and two-stage models."""

import numpy as np
import pytest

from gpatlas.errors import ConfigError
from gpatlas.models import make
from gpatlas.models.selection import kept_per_half, stability_selection, strongest


@pytest.mark.parametrize(
    ("threshold", "factor"),
    # Shah & Samworth (2013), Theorem 2, B = 50: C(0.6) = 1/(2·0.19), C(0.75) = 1/(2·0.49), C(0.9) = 4·0.11/1.02
    [(0.6, 1 / 0.38), (0.75, 1 / 0.98), (0.9, 0.44 / 1.02), (1.0, 0.04 / 1.02)],
)
def test_loci_per_half_follow_from_the_bound(threshold, factor):
    kept = kept_per_half(1000, max_false=1.0, threshold=threshold, n_pairs=50)
    assert factor * kept**2 / 1000 <= 1.0
    assert factor * (kept + 1) ** 2 / 1000 > 1.0


def test_a_bound_that_cannot_be_had_is_refused():
    with pytest.raises(
        ValueError, match=r"max_false 1e-09 cannot be had among 10 loci with threshold 0\.9; the least is 0\.0431"
    ):
        kept_per_half(10, 1e-9, 0.9, 50)
    assert kept_per_half(10, 0.0432, 0.9, 50) == 1


@pytest.mark.parametrize("threshold", [0.55, 0.6, 0.7, 0.75, 0.9, 1.0])
def test_loci_per_half_stay_where_the_theorem_holds(threshold):
    """θ = q/p ≤ 1/√3 and, for τ ≤ 3/4, τ > min(1/2 + θ², 1/2 + 1/(2B) + 3θ²/4), however large the bound is."""
    share = kept_per_half(1000, 1e9, threshold, 50) / 1000
    assert share <= 1 / np.sqrt(3)
    if threshold <= 0.75:
        assert threshold > min(0.5 + share**2, 0.51 + 0.75 * share**2)


def test_false_loci_stay_below_the_bound():
    """Twenty populations: 200 loci, ten of them causal; false ones are at most `max_false` on average."""
    false, found = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x = rng.integers(0, 2, (200, 200)).astype(np.int8)
        y = x[:, :10].sum(axis=1) * 0.8 + rng.normal(size=200)
        kept = stability_selection(x, y[:, None], max_false=1.0, threshold=0.9, n_pairs=10, seed=seed)[:, 0] > 0
        false.append(kept[10:].sum())
        found.append(kept[:10].sum())
    assert np.mean(false) <= 1.0
    assert np.mean(found) >= 6


def test_noise_alone_stays_below_the_bound():
    false = []
    for seed in range(20):
        rng = np.random.default_rng(100 + seed)
        x, y = rng.integers(0, 2, (150, 150)).astype(np.int8), rng.normal(size=(150, 1))
        false.append((stability_selection(x, y, max_false=1.0, threshold=0.6, n_pairs=10, seed=seed) > 0).sum())
    assert np.mean(false) <= 1.0


def test_the_strongest_are_kept_by_trait_or_together():
    strength = np.array([[3.0, 0.0], [0.0, 5.0], [2.0, 0.0], [0.0, 1.0]])
    np.testing.assert_array_equal(strongest(strength, None, joint=False), strength > 0)
    assert strongest(strength, None, joint=True).all()
    np.testing.assert_array_equal(strongest(strength, 1, joint=False).nonzero(), [[0, 1], [0, 1]])
    np.testing.assert_array_equal(strongest(strength, 2, joint=True)[:, 0], [True, True, False, False])
    assert not strongest(np.zeros((4, 2)), 2, joint=True).any()


@pytest.fixture
def data(rng):
    x = rng.integers(0, 2, (400, 50)).astype(np.int8)
    y = np.column_stack([x[:, 3] - x[:, 8] + 0.0, 2.0 * x[:, 20] + x[:, 21]])
    return x, y + rng.normal(scale=0.3, size=y.shape)


QUICK = {"hidden": [8], "max_epochs": 12, "device": "cpu"}


@pytest.mark.parametrize("selection", ["cv", "stability"])
def test_each_trait_keeps_its_own_loci(data, selection):
    model = make("lasso_pruned", selection=selection).fit(*data)
    assert set(np.flatnonzero(model.selected_[:, 0])) >= {3, 8}
    assert set(np.flatnonzero(model.selected_[:, 1])) >= {20, 21}
    assert model.selected_.sum() < 20
    assert not model.marker_effects_[~model.selected_].any()
    np.testing.assert_allclose(model.marker_effects_[[3, 8], 0], [1, -1], atol=0.15)  # no shrinkage left


def test_the_refit_is_rrblup_of_the_kept_loci(data):
    x, y = data
    model = make("lasso_pruned").fit(x, y[:, 0])
    kept = np.flatnonzero(model.selected_)
    np.testing.assert_allclose(model.predict(x), make("rrblup").fit(x[:, kept], y[:, 0]).predict(x[:, kept]))


def test_the_published_selection_counts_loci_and_serves_all_traits(data):
    x, y = data
    model = make("lasso_mlp", preset="published", max_loci=3, mlp=QUICK).fit(x, y)
    np.testing.assert_array_equal(model.selected_.sum(axis=0), [3, 3])  # not one-hot columns
    np.testing.assert_array_equal(model.selected_[:, 0], model.selected_[:, 1])
    assert len(model.parts_) == 1
    assert model.parts_[0][2].n_features_in_ == 3


def test_separate_networks_see_their_own_loci_and_report_one_course(data):
    x, y = data
    steps = []
    model = make("lasso_mlp", mlp=QUICK).fit(x, y, progress=lambda *step: steps.append(step[:2]))
    assert [part[2].n_features_in_ for part in model.parts_] == model.selected_.sum(axis=0).tolist()
    assert steps == [(k, 24) for k in range(1, 25)]
    assert model.n_epochs_ == 24


@pytest.mark.parametrize(("name", "hparams"), [("lasso_mlp", {"mlp": QUICK}), ("lasso_pruned", {})])
@pytest.mark.parametrize("selection", ["cv", "stability", "sgd"])
def test_a_prepared_selection_changes_nothing(data, name, hparams, selection):
    x, y = data
    stop = (x[:60], y[:60])
    model = make(name, selection=selection, **hparams)
    prepared = model.prepare(x[60:], y[60:], stop)
    given = make(name, selection=selection, **hparams).fit(x[60:], y[60:], stop, prepared=prepared).predict(x)
    np.testing.assert_array_equal(model.fit(x[60:], y[60:], stop).predict(x), given)


@pytest.mark.parametrize("name", ["lasso_mlp", "lasso_pruned"])
def test_an_empty_selection_predicts_the_mean(name, rng):
    x, y = rng.integers(0, 2, (200, 30)), rng.normal(4.0, 1.0, (200, 2))
    model = make(name).fit(x, y)
    assert not model.selected_.any()
    np.testing.assert_allclose(model.predict(x), np.tile(y.mean(axis=0), (200, 1)))


def test_a_constant_trait_beside_a_real_one(data):
    x, y = data
    model = make("lasso_mlp", mlp=QUICK).fit(x, np.column_stack([np.full(400, 1.5), y[:, 1]]))
    np.testing.assert_allclose(model.predict(x)[:, 0], 1.5)
    assert np.corrcoef(model.predict(x)[:, 1], y[:, 1])[0, 1] > 0.8


@pytest.mark.parametrize(
    ("hparams", "message"),
    [
        ({"mlp": {"learning_rat": 1}}, "did you mean 'learning_rate'?"),
        ({"mlp": {"preset": "publishd"}}, "did you mean 'published'?"),
        ({"selection": "best"}, "'selection' parameter of LassoMLP must be a str among"),
        (
            {"selection": "stability", "threshold": 0.55, "n_pairs": 10},
            "threshold 0.55 is too low to bound false loci with 10 pairs; at least 0.6 is needed",
        ),
        ({"threshold": 0.4}, "'threshold' parameter of LassoMLP must be a float in the range"),
    ],
)
def test_mistakes(hparams, message):
    with pytest.raises(ConfigError) as error:
        make("lasso_mlp", **hparams)
    assert message in str(error.value)
