"""The estimator: what it finds, what it declares, and how it predicts."""

import numpy as np
import pytest
from scipy import stats

from gpatlas.models import make
from gpatlas.models.epistasis import panel as panels
from gpatlas.models.epistasis.cascade import Rules
from gpatlas.packed import PackedBits
from tests.models.epistasis.populations import as_set, population, sparse_pairs


def least_squares(x, y, loci, pairs):
    f = np.column_stack([np.ones(len(x)), x[:, loci], x[:, pairs[:, 0]] * x[:, pairs[:, 1]]]).astype(float)
    b, rss, *_ = np.linalg.lstsq(f, y, rcond=None)
    se = np.sqrt(np.diag(np.linalg.inv(f.T @ f)) * rss[0] / (len(y) - f.shape[1]))
    return f, b, se


@pytest.mark.parametrize(("n", "q"), [(850, 46), (850, 126), (850, 202)])
def test_sparse_pairs_are_found_up_to_twenty_pairs_per_sample(n, q):
    x, y, g, pairs = sparse_pairs(n + 300, q, 0.999, seed=q)
    model = make("interaction_screening").fit(x[:n], y[:n])
    found = as_set(model.pairs_)
    assert len(found - as_set(pairs)) <= 1
    assert len(found & as_set(pairs)) >= 0.85 * len(pairs)
    assert np.corrcoef(model.predict(x[n:]), g[n:])[0, 1] > 0.995


def test_the_posterior_starts_a_cascade_that_cannot():
    """33 pairs of loci per sample: no single one stands out of the others' noise."""
    x, y, g, pairs = sparse_pairs(1000, 240, 0.999, seed=1)
    plain = make("interaction_screening", preset="stagewise").fit(x[:850], y[:850])
    model = make("interaction_screening").fit(x[:850], y[:850])
    assert np.corrcoef(plain.predict(x[850:]), g[850:])[0, 1] < 0.9
    assert np.corrcoef(model.predict(x[850:]), g[850:])[0, 1] > 0.995
    assert len(as_set(model.pairs_) & as_set(pairs)) > 100
    assert len(as_set(model.pairs_) - as_set(pairs)) <= 1


def test_shrunken_effects_predict_better_where_noise_is_half():
    gain = []
    for seed in range(4):
        x, y, _, _ = sparse_pairs(1150, 126, 0.5, seed)
        r = [
            np.corrcoef(make("interaction_screening", effects=kind).fit(x[:850], y[:850]).predict(x[850:]), y[850:])[
                0, 1
            ]
            for kind in ("posterior", "least_squares")
        ]
        gain.append(r[0] - r[1])
    assert np.mean(gain) > 0.02


@pytest.mark.parametrize("ploidy", [1, 2, 4])
def test_effects_are_those_of_joint_least_squares(ploidy):
    x = population(500, 12, ploidy, seed=1, linked=0.3)
    rng = np.random.default_rng(1)
    y = x[:, 2] - x[:, 3] * x[:, 7] + 0.8 * x[:, 5] * x[:, 10] + rng.normal(size=500)
    model = make("interaction_screening", preset="stagewise").fit(x, y)
    assert as_set(model.pairs_) >= {(3, 7), (5, 10)}
    f, b, se = least_squares(x, y, model.loci_, model.pairs_)
    p = len(model.loci_)
    assert np.allclose(model.pair_effects_, b[1 + p :], atol=1e-6)
    assert np.allclose(model.pair_se_, se[1 + p :], rtol=1e-5)
    assert np.allclose(model.pair_z_, b[1 + p :] / se[1 + p :], rtol=1e-5)
    assert np.allclose(model.predict(x), f @ b, atol=1e-5)
    assert (np.diff(np.abs(model.pair_z_)) <= 0).all()
    threshold = stats.t.isf(0.05 / (12 * 11 / 2) / 2, 500 - f.shape[1])
    assert np.abs(model.pair_z_).min() > threshold
    partner = np.where(model.pairs_[:, 0] == 3, model.pairs_[:, 1], model.pairs_[:, 0])
    average = b[1 + 3] + sum(
        effect * x[:, other].mean()
        for pair, effect, other in zip(model.pairs_, b[1 + p :], partner, strict=True)
        if 3 in pair
    )
    assert model.marker_effects_[3] == pytest.approx(average, abs=1e-6)


def test_traits_are_fitted_each_by_itself_on_its_samples():
    x, y, _, _ = sparse_pairs(400, 20, 0.9, seed=5)
    other = np.random.default_rng(1).permutation(y)
    Y = np.column_stack([y, other])
    Y[:30, 1] = np.nan
    both = make("interaction_screening").fit(x, Y)
    first, second = make("interaction_screening").fit(x, y), make("interaction_screening").fit(x[30:], other[30:])
    assert np.array_equal(both.pairs_[0], first.pairs_)
    assert np.array_equal(both.pairs_[1], second.pairs_)
    assert np.allclose(both.predict(x), np.column_stack([first.predict(x), second.predict(x)]))
    assert both.marker_effects_.shape == (20, 2)


def test_missing_genotypes_take_the_training_mean():
    x, y, _, _ = sparse_pairs(400, 16, 0.9, seed=6)
    holes = x.astype(np.float32)
    holes[np.random.default_rng(2).random(x.shape) < 0.02] = np.nan
    filled = np.where(np.isnan(holes), np.nanmean(holes, axis=0, dtype=np.float64), holes)
    a, b = make("interaction_screening").fit(holes, y), make("interaction_screening").fit(filled, y)
    assert np.array_equal(a.pairs_, b.pairs_)
    assert len(a.pairs_) > 4
    new = x[:5].astype(np.float32)
    new[0, 3] = np.nan
    known = new.copy()
    known[0, 3] = np.nanmean(holes[:, 3], dtype=np.float64)
    assert np.allclose(a.predict(new), a.predict(known), atol=1e-5)


def test_engines_threads_and_bits_find_the_same(monkeypatch):
    x, y, _, _ = sparse_pairs(640, 40, 0.8, seed=7)
    expected = make("interaction_screening").fit(x, y)
    assert len(expected.pairs_) > 8
    for other in ({"engine": "int8"}, {"n_jobs": 2}):
        model = make("interaction_screening", **other).fit(x, y)
        assert np.array_equal(model.pairs_, expected.pairs_)
        assert np.allclose(model.predict(x), expected.predict(x), atol=1e-4)
    monkeypatch.setattr(panels, "UNPACKED", 0)
    bits = PackedBits.pack(x)
    model = make("interaction_screening").fit(bits, y)
    assert np.array_equal(model.pairs_, expected.pairs_)
    assert np.allclose(model.predict(bits), expected.predict(x), atol=1e-4)


def test_few_qtl_among_many_loci():
    """More loci than samples, linked: additive terms are selected, too."""
    x = population(300, 400, 2, seed=8, linked=0.8)
    rng = np.random.default_rng(8)
    qtl = rng.choice(400, 8, replace=False)
    z = (x[:, qtl] - x[:, qtl].mean(axis=0)) / x[:, qtl].std(axis=0)
    y = z @ rng.choice([-1.0, 1.0], 8) + 2 * z[:, 0] * z[:, 1] + 2 * z[:, 2] * z[:, 3] + rng.normal(size=300)
    model = make("interaction_screening").fit(x, y)
    assert len(model.pairs_) == 2
    for pair, (a, b) in zip(sorted(model.pairs_.tolist()), sorted([sorted(qtl[:2]), sorted(qtl[2:4])]), strict=True):
        assert max(abs(pair[0] - a), abs(pair[1] - b)) <= 3  # the locus or one linked to it
    assert len(model.loci_) < 40


def test_rules_of_declaration():
    p = np.array([0.0004, 0.5, 0.0011, 0.004])
    t = stats.t.isf(p / 2, 50)
    assert Rules(alpha=0.05).declared(t, 50, 100).tolist() == [True, False, False, False]
    # Benjamini and Hochberg: the third smallest, .004, is above 3 · .05/100, the second below 2 · .05/100? no: .0011
    assert Rules(control="fdr", alpha=0.05).declared(t, 50, 100).tolist() == [True, False, False, False]
    assert Rules(control="fdr", alpha=0.05).declared(t, 50, 40).tolist() == [True, False, True, False]
    assert Rules(control="fdr", alpha=0.15).declared(t, 50, 100).tolist() == [True, False, True, True]


def test_false_discoveries_are_bounded_where_there_is_much_to_find():
    false = found = 0
    for seed in range(5):
        x, y, _, pairs = sparse_pairs(1500, 60, 0.5, seed=100 + seed)
        model = make("interaction_screening", control="fdr", alpha=0.1).fit(x, y)
        false += len(as_set(model.pairs_) - as_set(pairs))
        found += len(model.pairs_)
    assert found > 50
    assert false / found < 0.2


def test_bad_input():
    with pytest.raises(ValueError, match="a minimum of 5 is required"):
        make("interaction_screening").fit(np.zeros((4, 3)), np.zeros(4))
    x = PackedBits.pack(np.random.default_rng(1).integers(0, 2, (50, 6)))
    model = make("interaction_screening").fit(x, np.random.default_rng(1).normal(size=50))
    with pytest.raises(ValueError, match="X has 3 loci, but InteractionScreening was fitted to 6"):
        model.predict(PackedBits.pack(np.zeros((2, 3))))


@pytest.mark.parametrize("additive", ["auto", "all"])
def test_loci_that_cannot_be_in_the_model_do_not_turn_all_into_selected(additive):
    """With a locus that does not vary and one that is there twice, insignificant loci stay in."""
    x, y, _, _ = sparse_pairs(400, 16, 0.5, seed=11)
    plain = make("interaction_screening", additive=additive).fit(x, y)
    more = np.column_stack([x, np.ones_like(x[:, 0]), x[:, 3], 1 - x[:, 5]])
    model = make("interaction_screening", additive=additive).fit(more, y)
    assert model.loci_.tolist() == plain.loci_.tolist() == list(range(16))
    assert np.abs(model.locus_z_).min() < 1
    original = np.array([*range(17), 3, 5])  # a pair may be named by either of two loci that are the same
    assert as_set(np.sort(original[model.pairs_], axis=1)) == as_set(plain.pairs_) != set()
    assert np.allclose(np.abs(model.pair_z_), np.abs(plain.pair_z_), atol=1e-4)


def test_loci_that_are_selected_are_significant():
    """However many the posterior hands in: a model that happens to hold every locus does not keep them for it."""
    x, y, _, _ = sparse_pairs(300, 20, 0.8, seed=4)
    model = make("interaction_screening", additive="selected").fit(x, y)
    assert 0 < len(model.loci_) < 20
    freedom = 300 - 1 - len(model.loci_) - len(model.pairs_)
    assert np.abs(model.locus_z_).min() > stats.t.isf(0.025 / 20 / 2, freedom)  # half of alpha is the cascade's


def test_all_loci_need_samples():
    x = population(60, 50, 2, seed=12)
    y = np.random.default_rng(12).normal(size=60)
    with pytest.raises(ValueError, match=r"at most 0.8 loci per sample, there are 50 loci and 60 samples; use"):
        make("interaction_screening", additive="all").fit(x, y)
    model = make("interaction_screening", additive="all").fit(x[:, :48], y)
    assert model.loci_.tolist() == list(range(48))


def test_a_posterior_that_is_left_out_is_said(monkeypatch):
    x, y, _, _ = sparse_pairs(300, 16, 0.9, seed=13)
    both = np.column_stack([y, y + 1])
    stagewise = make("interaction_screening", preset="stagewise").fit(x, both)
    assert stagewise.effects_ == ["least_squares"] * 2
    assert make("interaction_screening").fit(x, y).effects_ == "posterior"
    complete = make("interaction_screening").work(300, 16, 1)
    monkeypatch.setattr("gpatlas.models.epistasis.shrunken.FEATURES_HELD", 300 * 250)
    with pytest.warns(UserWarning, match="least squares predicts in place of the posterior") as caught:
        model = make("interaction_screening").fit(x, both)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert model.effects_ == ["least_squares"] * 2
    assert np.isnan(np.concatenate(model.pair_probability_)).all()
    assert np.array_equal(model.predict(x), stagewise.predict(x))
    without = make("interaction_screening").work(300, 16, 1)
    assert without.traffic == 0 < complete.traffic
    assert make("interaction_screening", additive="selected").fit(x, y).effects_ == "posterior"  # of what fits
