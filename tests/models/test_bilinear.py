"""The bilinear estimator: interactions and marker effects against differences of predictions, pairs found."""

import numpy as np
import pytest

from gpatlas.models import make

QUICK = {"max_epochs": 15, "sparsity": 0.05, "device": "cpu"}


def population(ploidy=1, n=600, p=12, seed=3):
    """Two traits on dosage: one of two pairs and a few effects, one additive."""
    rng = np.random.default_rng(seed)
    x = rng.binomial(ploidy, 0.4, (n, p)).astype(np.int8)
    z = x - x.mean(axis=0)
    y = np.column_stack([2 * z[:, 0] * z[:, 1] - 3 * z[:, 2] * z[:, 3] + z[:, 4], z @ np.arange(p)])
    return x, 10 + y + rng.normal(size=y.shape) * 0.05


@pytest.mark.parametrize("rank", [None, 4])
@pytest.mark.parametrize("ploidy", [1, 2, 4])
def test_interactions_are_second_differences_of_predictions(rank, ploidy):
    x, y = population(ploidy, n=200)
    model = make("bilinear", rank=rank, **QUICK).fit(x, y)
    base = x[:1].astype(float)
    base[:, :4] = 0
    for trait in range(2):
        interactions = model.interactions(trait)
        np.testing.assert_array_equal(np.diag(interactions), 0)
        np.testing.assert_array_equal(interactions, interactions.T)
        for i, j in [(0, 1), (2, 3), (0, 3)]:
            at = {(a, b): base.copy() for a in (0, 1) for b in (0, 1)}
            for (a, b), row in at.items():
                row[0, i], row[0, j] = a, b
            predicted = {key: model.predict(row)[0, trait] for key, row in at.items()}
            second = predicted[1, 1] - predicted[1, 0] - predicted[0, 1] + predicted[0, 0]
            assert interactions[i, j] == pytest.approx(second, abs=2e-4)


@pytest.mark.parametrize("dominance", [False, True])
def test_marker_effects_are_differences_where_nothing_else_is_known(dominance):
    x, y = population(ploidy=2, n=200)
    model = make("bilinear", dominance=dominance, **QUICK).fit(x, y[:, 0], validation=(x, y[:, 0]))
    mean = x.mean(axis=0)
    effects = []
    for i in range(x.shape[1]):
        row = np.full((2, x.shape[1]), np.nan)  # a missing call counts as the mean
        row[:, i] = mean[i] - 0.5, mean[i] + 0.5
        effects.append(np.diff(model.predict(row))[0])
    np.testing.assert_allclose(model.marker_effects_, effects, atol=1e-4)


@pytest.mark.parametrize("hparams", [{}, {"rank": 8}])
def test_it_finds_the_pairs_and_their_effects(hparams):
    x, y = population()
    model = make("bilinear", device="cpu", **hparams).fit(x[:500], y[:500])
    predicted = model.predict(x[500:])
    assert min(np.corrcoef(predicted[:, t], y[500:, t])[0, 1] for t in range(2)) > 0.99
    truth = np.zeros((12, 12))
    truth[0, 1], truth[2, 3] = 2, -3
    np.testing.assert_allclose(model.interactions(0), truth + truth.T, atol=0.3)
    np.testing.assert_allclose(model.interactions(1), 0, atol=0.3)
    np.testing.assert_allclose(model.marker_effects_[:, 1], np.arange(12), atol=0.2)


def test_dominance_is_learnt_where_it_is_asked_for():
    rng = np.random.default_rng(5)
    x = rng.binomial(2, 0.5, (500, 6)).astype(np.int8)
    y = (x[:, 2] == 1) + rng.normal(size=500) * 0.05
    with_it, without = (
        make("bilinear", dominance=d, device="cpu", max_epochs=100).fit(x[:400], y[:400]) for d in (True, False)
    )
    assert np.corrcoef(with_it.predict(x[400:]), y[400:])[0, 1] > 0.97
    assert abs(np.corrcoef(without.predict(x[400:]), y[400:])[0, 1]) < 0.5


def test_sparsity_follows_the_noise():
    x, y = population()
    noise = np.random.default_rng(7).normal(size=y.shape) * 6
    quiet, loud = (make("bilinear", device="cpu").fit(x, values).sparsity_ for values in (y, y + noise))
    assert quiet < loud == 0.6


def test_more_sparsity_leaves_less_interaction():
    x, y = population()
    sums = [np.abs(make("bilinear", **QUICK | {"sparsity": s}).fit(x, y).interactions()).sum() for s in (0, 0.5, 30)]
    assert sums[0] > sums[1] > sums[2]
    assert sums[2] < sums[0] / 4


def test_progress_counts_all_trainings():
    x, y = population(n=100)
    steps = []
    model = make("bilinear", device="cpu", max_epochs=2)
    model.fit(x, y, progress=lambda *step: steps.append(step[:2]))
    assert steps == [(k, 6) for k in range(1, 7)]
    assert model.work(100, 12, 2).steps == 3 * make("bilinear", max_epochs=2, sparsity=0.1).work(100, 12, 2).steps


def test_many_loci_take_factors():
    assert make("bilinear")._build(301, 2).pairs.left_weight.shape == (128, 301)
    assert make("bilinear")._build(300, 2).pairs.weight.shape == (300, 2, 300)


def test_a_trait_that_is_not_there():
    x, y = population(n=50)
    with pytest.raises(ValueError, match="trait 2 is not one of the 2 that were fitted, 0 to 1"):
        make("bilinear", **QUICK).fit(x, y).interactions(2)
