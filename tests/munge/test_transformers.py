"""Transformers of [dosage | covariates]: scikit-learn's checks, no leaks, names, and what each computes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from gpatlas.munge.relationship import relationship_matrix
from gpatlas.munge.transformers import (
    AddPrincipalComponents,
    AdjustForCovariates,
    FrequencyFilter,
    ImputeGenotypes,
    ScaleGenotypes,
    SelectLoci,
    VIFFilter,
)
from gpatlas.munge.transformers.filters import low_inflation

ALL = [
    ImputeGenotypes(),
    ImputeGenotypes("median"),
    ImputeGenotypes("mode"),
    ImputeGenotypes("neighbours", n_neighbours=3),
    ScaleGenotypes(),
    ScaleGenotypes("vanraden"),
    AdjustForCovariates(),
    AdjustForCovariates(normalise=True),
    FrequencyFilter(0.0),
    VIFFilter(),
    SelectLoci(n_loci=2),
    SelectLoci("extra_trees", n_trees=25, kind="continuous"),
    SelectLoci("lasso", kind="continuous"),
    AddPrincipalComponents(2),
]


@parametrize_with_checks(ALL)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def field():
    """60 samples × (30 linked loci + 2 covariates), a tenth of calls missing; y follows locus 3 and a covariate."""
    rng = np.random.default_rng(4)
    x = np.empty((60, 32))
    x[:, 0] = rng.binomial(2, 0.4, 60)
    for j in range(1, 30):
        x[:, j] = np.where(rng.random(60) < 0.7, x[:, j - 1], rng.binomial(2, 0.4, 60))
    x[:, 30:] = rng.normal(size=(60, 2)) * [1, 5] + [10, 0]
    y = x[:, 3] + 0.1 * x[:, 31] + 0.3 * rng.normal(size=60)
    x[:, :30][rng.random((60, 30)) < 0.1] = np.nan
    return x, y


def configured(transformer):
    return clone(transformer).set_params(n_covariates=2)


@pytest.mark.parametrize("transformer", ALL, ids=repr)
def test_nothing_is_learned_from_other_samples(transformer, field):
    """Whatever happens to test rows changes neither what was learned nor how other rows come out."""
    x, y = field
    train, test = np.arange(40), np.arange(40, 60)
    fitted = configured(transformer).fit(x[train], y[train])
    before = fitted.transform(x[train])
    fitted.transform(3 * x[test] + 1)  # whatever it is shown, it keeps what it learned
    np.testing.assert_array_equal(fitted.transform(x[train]), before)
    one_by_one = np.vstack([fitted.transform(x[[i]]) for i in test])
    np.testing.assert_allclose(one_by_one, fitted.transform(x[test]), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("transformer", ALL, ids=repr)
def test_names_stay_with_their_columns(transformer, field):
    """A column's name leads back to the same column of the input, however loci are selected."""
    x, y = field
    names = [f"snp_{j}_A" for j in range(30)] + ["AGE", "SEX"]
    frame = pd.DataFrame(x, columns=names)
    fitted = configured(transformer).fit(frame, y)
    out = pd.DataFrame(fitted.transform(frame), columns=fitted.get_feature_names_out())
    assert list(out.columns[: len(out.columns)])[-2:] == ["AGE", "SEX"] or "pc1" in out.columns
    if hasattr(fitted, "kept_"):
        pd.testing.assert_frame_equal(out, frame[list(out.columns)])


@pytest.mark.parametrize(("strategy", "statistic"), [("mean", np.nanmean), ("median", np.nanmedian)])
def test_simple_imputation(strategy, statistic, field):
    x, _ = field
    complete = ImputeGenotypes(strategy).fit(x[:40]).transform(x)
    np.testing.assert_array_equal(complete[~np.isnan(x)], x[~np.isnan(x)])
    i, j = np.argwhere(np.isnan(x))[-1]
    assert complete[i, j] == pytest.approx(statistic(x[:40, j]))


def test_the_mode_is_the_most_frequent_genotype():
    x = np.array([[0.0], [2], [2], [1], [np.nan]])
    assert ImputeGenotypes("mode").fit(x).transform(x)[-1, 0] == 2


def test_neighbours_beat_the_mean(field):
    rng = np.random.default_rng(2)
    founders = rng.integers(0, 2, (8, 200))
    mosaic = np.repeat(rng.integers(0, 8, (300, 2, 10)), 20, axis=2)
    truth = founders[mosaic, np.arange(200)].sum(axis=1).astype(float)
    x = truth.copy()
    hidden = rng.random(x.shape) < 0.1
    x[hidden] = np.nan
    error = {
        strategy: np.abs(ImputeGenotypes(strategy).fit(x[:200]).transform(x)[200:] - truth[200:])[hidden[200:]].mean()
        for strategy in ("mean", "neighbours")
    }
    assert error["neighbours"] < 0.4 * error["mean"]
    for window in (500, 40):  # reaching the first locus, and not
        linked = ImputeGenotypes("neighbours", n_linked=5, window=window).fit(x)._linked(77)
        assert set(linked) < set(range(60, 80)) - {77}


def test_scaling_uses_training_statistics_only(field):
    """A test set scaled by its own statistics would lose its mean."""
    x, _ = field
    fitted = ScaleGenotypes(n_covariates=2).fit(x[:40])
    z = fitted.transform(x)
    np.testing.assert_allclose(np.nanmean(z[:40], axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.nanstd(z[:40], axis=0), 1)
    assert np.abs(np.nanmean(z[40:], axis=0)).max() > 0.1
    np.testing.assert_allclose(z[40:], (x[40:] - fitted.mean_) / fitted.scale_)


def test_vanradens_coding():
    x = np.array([[0.0, 1, 5], [1, 1, 7], [2, 1, np.nan], [1, 1, 6]])
    z = ScaleGenotypes("vanraden", n_covariates=1).fit_transform(x)
    np.testing.assert_allclose(z[:, 0], (x[:, 0] - 1) / np.sqrt(0.5))
    np.testing.assert_allclose(z[:, 1], 0)
    assert np.isnan(z[2, 2])


def test_constant_and_empty_columns_become_zero():
    x = np.array([[1.0, np.nan, 3.3], [1, np.nan, 3.3], [1, np.nan, 3.3]])
    for method in ("z", "vanraden"):
        z = ScaleGenotypes(method).fit(x).transform(np.array([[1.0, 2, 4.0]]))
        assert (z == 0).all()


def test_adjustment_is_least_squares(field):
    x, _ = field
    complete = ImputeGenotypes().fit_transform(x)
    fitted = AdjustForCovariates(n_covariates=2).fit(complete[:40])
    ols = LinearRegression().fit(complete[:40, 30:], complete[:40, :30])
    expected = complete[:, :30] - ols.predict(complete[:, 30:])
    np.testing.assert_allclose(fitted.transform(complete)[:, :30], expected, atol=1e-10)
    np.testing.assert_allclose(fitted.transform(complete)[:, 30:], complete[:, 30:])
    scaled = AdjustForCovariates(normalise=True, n_covariates=2).fit_transform(complete[:40])[:, :30]
    np.testing.assert_allclose(scaled.std(axis=0), 1)
    # a locus with missing calls is regressed over the samples that have it
    j = int(np.argmax(np.isnan(x[:40, :30]).sum(axis=0)))
    known = ~np.isnan(x[:40, j])
    own = LinearRegression().fit(x[:40][known][:, 30:], x[:40, j][known])
    found = AdjustForCovariates(n_covariates=2).fit(x[:40])
    np.testing.assert_allclose(found.coefficients_[:, j], own.coef_, atol=1e-10)


def test_frequencies_are_those_of_the_training_samples():
    x = np.array([[0.0, 0, 1, np.nan], [0, 2, 1, np.nan], [1, 0, 1, np.nan], [0, 0, 1, np.nan]])
    fitted = FrequencyFilter(0.2).fit(x)
    np.testing.assert_allclose(fitted.minor_allele_frequency_, [0.125, 0.25, 0.5, 0.0])
    assert list(fitted.kept_) == [False, True, False, False]


def vif(x: np.ndarray) -> np.ndarray:
    """By its definition."""
    values = []
    for j in range(x.shape[1]):
        others = np.delete(x, j, axis=1)
        values.append(1 / (1 - LinearRegression().fit(others, x[:, j]).score(others, x[:, j])))
    return np.array(values)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(3, 12))
@example(507, 3)  # the two that are left are equally inflated but for rounding
def test_vif_drops_the_worst_first(seed, n_loci):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(80, n_loci)) + 2 * rng.normal(size=(80, 1)) * (rng.random(n_loci) < 0.6)
    kept = list(range(n_loci))
    while len(kept) > 1 and (values := vif(x[:, kept])).max() > 3:
        del kept[np.flatnonzero(values > values.max() * (1 - 1e-9))[-1]]
    np.testing.assert_array_equal(low_inflation(x, 3), kept)


def test_vif_with_copies_sums_and_constants():
    rng = np.random.default_rng(5)
    x = rng.binomial(2, 0.5, (100, 6)).astype(float)
    x = np.column_stack([x, x[:, 0], 2 - x[:, 1], x[:, 2] + x[:, 3], np.ones(100)])
    fitted = VIFFilter(5).fit(x)
    np.testing.assert_array_equal(np.flatnonzero(fitted.kept_), [0, 1, 2, 3, 4, 5, 9])
    neighbours = np.repeat(x[:, :6], 2, axis=1)
    for chunk in (2, 3, 4, 5):  # a copy is found wherever chunks are cut
        assert VIFFilter(5, chunk=chunk).fit(neighbours).kept_.reshape(6, 2).sum(axis=1).tolist() == [1] * 6
        assert VIFFilter(5, chunk=chunk).fit(neighbours[:, 1:]).kept_.sum() == 6
    assert VIFFilter(5).fit(rng.normal(size=(10, 300))).kept_.sum() >= 5  # more loci than samples


@pytest.mark.parametrize("method", ["univariate", "extra_trees", "lasso"])
@pytest.mark.parametrize("kind", ["continuous", "binary", "multiclass"])
def test_selection_finds_the_causal_loci(method, kind):
    rng = np.random.default_rng(6)
    x = rng.binomial(2, 0.4, (200, 40)).astype(float)
    x = np.column_stack([x, rng.normal(size=200)])
    value = x[:, 7] - x[:, 21] + 0.5 * x[:, 40] + 0.5 * rng.normal(size=200)
    y = {
        "continuous": value,
        "binary": np.where(value > np.median(value), "case", "control"),
        "multiclass": np.digitize(value, np.quantile(value, [0.33, 0.67])),
    }[kind]
    fitted = SelectLoci(method, n_loci=2, n_trees=200, n_covariates=1).fit(x, y)
    np.testing.assert_array_equal(np.flatnonzero(fitted.get_support()), [7, 21, 40])
    free = SelectLoci(method, n_trees=200, n_covariates=1).fit(x, y)
    assert free.kept_[[7, 21]].all()
    assert free.kept_.sum() < 35


def test_components_separate_populations_and_project(field):
    rng = np.random.default_rng(8)
    frequency = rng.uniform(0.1, 0.9, (2, 500))
    of = np.arange(100) % 2
    x = rng.binomial(2, frequency[of]).astype(float)
    x[rng.random(x.shape) < 0.02] = np.nan
    fitted = AddPrincipalComponents(3, seed=1).fit(x[:60])
    scores = fitted.transform(x)[:, 500:]
    assert abs(np.corrcoef(scores[60:, 0], of[60:])[0, 1]) > 0.99
    assert fitted.variance_shares_[0] > 5 * fitted.variance_shares_[1]
    assert list(fitted.get_feature_names_out()[-3:]) == ["pc1", "pc2", "pc3"]
    z = np.nan_to_num(ScaleGenotypes("vanraden").fit_transform(x[:60]))
    u, s, _ = np.linalg.svd(z - z.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(scores[:60, 0]), np.abs(u[:, 0] * s[0]), rtol=1e-6)


@pytest.mark.parametrize("method", [1, 2])
@pytest.mark.parametrize("ploidy", [1, 2, 4])
def test_relationships_by_their_definition(method, ploidy):
    rng = np.random.default_rng(9)
    x = rng.binomial(ploidy, rng.uniform(0.1, 0.9, 50), (12, 50)).astype(np.int8)
    x[:, 3] = ploidy
    f = x.mean(axis=0) / ploidy
    expected = np.zeros((12, 12))
    for j in range(50):
        if 0 < f[j] < 1:
            z = x[:, j] - ploidy * f[j]
            expected += np.outer(z, z) / (1 if method == 1 else ploidy * f[j] * (1 - f[j]))
    varies = (f > 0) & (f < 1)
    expected /= (ploidy * f * (1 - f)).sum() if method == 1 else varies.sum()
    np.testing.assert_allclose(relationship_matrix(x, ploidy, method), expected, atol=1e-12)
    missing = x.astype(float)
    missing[0, 0] = np.nan
    coded = np.where(np.isnan(missing), -1, missing).astype(np.int8)
    np.testing.assert_allclose(relationship_matrix(missing, ploidy, method), relationship_matrix(coded, ploidy, method))
