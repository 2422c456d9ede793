"""rrBLUP as an estimator: missing data, constant traits, shapes."""

import numpy as np
import pytest

from gpatlas.models import make


@pytest.fixture
def data(rng):
    x = rng.integers(0, 3, (80, 12)).astype(np.int8)
    return x, x @ rng.normal(size=(12, 2)) + rng.normal(size=(80, 2))


def test_missing_phenotypes_leave_out_their_sample_for_that_trait_only(data):
    x, y = data
    y = y.copy()
    y[:10, 1] = np.nan
    together = make("rrblup").fit(x, y)
    np.testing.assert_allclose(together.marker_effects_[:, 0], make("rrblup").fit(x, y[:, 0]).marker_effects_)
    np.testing.assert_allclose(together.marker_effects_[:, 1], make("rrblup").fit(x[10:], y[10:, 1]).marker_effects_)


def test_a_missing_genotype_says_nothing(data):
    x, y = data
    holes = x.astype(float)
    holes[3, 5] = np.nan
    filled = x.astype(float)
    filled[3, 5] = np.delete(x[:, 5], 3).mean()
    np.testing.assert_allclose(
        make("rrblup").fit(holes, y).marker_effects_, make("rrblup").fit(filled, y).marker_effects_, rtol=1e-6
    )
    model = make("rrblup").fit(x, y)
    nothing = model.predict(np.full((1, 12), np.nan))
    np.testing.assert_allclose(nothing[0], y.mean(axis=0))


def test_dosage_types_do_not_matter(data):
    x, y = data
    reference = make("rrblup").fit(x, y).predict(x)
    for kind in (np.int64, np.uint8, np.float32, np.float64):
        np.testing.assert_allclose(make("rrblup").fit(x.astype(kind), y).predict(x.astype(kind)), reference, atol=1e-5)


def test_a_constant_trait_is_predicted_by_its_mean(data):
    x, _ = data
    for penalty in ("reml", "loo", "gcv"):
        model = make("rrblup", penalty=penalty).fit(x, np.full(80, 3.5))
        np.testing.assert_allclose(model.predict(x), 3.5)
        np.testing.assert_array_equal(model.marker_effects_, 0)
        assert model.h2_ == 0


def test_monomorphic_markers_have_no_effect(data):
    _, y = data
    for fixed in (np.zeros((80, 12), dtype=int), np.full((80, 12), 2)):
        model = make("rrblup").fit(fixed, y)
        np.testing.assert_allclose(model.predict(fixed), np.tile(y.mean(axis=0), (80, 1)))


def test_shapes_follow_the_phenotype(data):
    x, y = data
    assert make("rrblup").fit(x, y[:, 0]).predict(x).shape == (80,)
    assert make("rrblup").fit(x, y[:, :1]).predict(x).shape == (80, 1)
    assert make("rrblup").fit(x, y).marker_effects_.shape == (12, 2)


def test_too_few_phenotypes_are_refused(data):
    x, y = data
    y = y.copy()
    y[1:, 1] = np.nan
    with pytest.raises(ValueError, match="trait 1 has 1 phenotyped samples, but at least 2"):
        make("rrblup").fit(x, y)


def test_prediction_is_intercept_plus_effects(data):
    x, y = data
    model = make("rrblup").fit(x, y)
    np.testing.assert_allclose(model.predict(x), model.intercept_ + x @ model.marker_effects_)


def test_far_from_zero_is_as_good_as_near(data):
    x, y = data
    near, far = make("rrblup").fit(x, y), make("rrblup").fit(x, y + 1e8)
    np.testing.assert_allclose(far.marker_effects_, near.marker_effects_, rtol=1e-5)
    shifted = make("rrblup").fit(x + 1e6, y)
    np.testing.assert_allclose(shifted.marker_effects_, near.marker_effects_, rtol=1e-6)
    np.testing.assert_allclose(shifted.predict(x + 1e6), near.predict(x), atol=1e-6)
