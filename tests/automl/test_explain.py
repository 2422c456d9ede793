"""Explanation: every number against a closed form, a dense computation, or a truth that was put in."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor

from gpatlas.automl.candidates import CANDIDATES
from gpatlas.automl.explain import explain, write_explanation
from gpatlas.automl.explain.association import associate
from gpatlas.automl.explain.attribution import attribute, linear_values, switched
from gpatlas.automl.explain.blocks import LINKED, Block, covariate_blocks, linkage_blocks
from gpatlas.automl.explain.breeding_values import breeding_values
from gpatlas.automl.explain.importance import permutation_importance
from gpatlas.automl.explain.margins import margins, slopes
from gpatlas.automl.explain.structure import filled, principal_components, standardised
from gpatlas.automl.resampling import Split
from tests.automl import tasks


def quiet(done, total, note):
    pass


# structure


def test_components_are_those_of_a_dense_svd():
    for n, p in ((40, 90), (90, 40)):
        x = np.random.default_rng(n).integers(0, 3, (n, p)).astype(float)
        left, singular, _ = np.linalg.svd((x - x.mean(0)) / x.std(0), full_matrices=False)
        found = principal_components(x, 10)
        np.testing.assert_allclose(np.abs(found.scores), np.abs(left * singular)[:, :10], atol=1e-8)
        np.testing.assert_allclose(found.shares, singular[:10] ** 2 / (singular**2).sum(), atol=1e-10)
        largest = found.scores[np.abs(found.scores).argmax(axis=0), np.arange(10)]
        assert (largest > 0).all()


def test_large_matrices_give_the_same_leading_components(monkeypatch):
    rng = np.random.default_rng(3)
    population = rng.integers(0, 3, 200)
    x = rng.binomial(2, np.array([0.2, 0.5, 0.8])[population][:, None] * np.ones(300)).astype(float)
    exact = principal_components(x, 2)
    monkeypatch.setattr("gpatlas.automl.explain.structure.LARGEST_EXACT", 50)
    near = principal_components(x, 2, seed=1)
    np.testing.assert_allclose(near.scores[:, 0], exact.scores[:, 0], atol=1e-3 * np.abs(exact.scores[:, 0]).max())


def test_few_samples_constant_and_missing_loci_leave_fewer_components():
    x = np.array([[0, 1, np.nan, 2], [0, np.nan, np.nan, 0], [0, 2, np.nan, 1]])
    found = principal_components(x, 10)
    assert found.scores.shape == (3, 2)
    assert found.n_loci == 2
    assert np.isfinite(found.scores).all()
    np.testing.assert_array_equal(filled(x)[1], [0, 1.5, 0, 0])
    assert standardised(x).shape == (3, 2)


# association


@pytest.mark.parametrize("n_fixed", [0, 3])
def test_association_is_ordinary_least_squares(n_fixed, rng):
    n = 50
    x = rng.integers(0, 3, (n, 6)).astype(float)
    fixed, y = rng.normal(size=(n, n_fixed)), rng.normal(size=n)
    y += 0.5 * x[:, 2]
    found = associate(x, y, fixed)
    for j in range(6):
        design = np.column_stack([np.ones(n), fixed, x[:, j]])
        inverse = np.linalg.inv(design.T @ design)
        beta = inverse @ design.T @ y
        freedom = n - design.shape[1]
        se = np.sqrt(((y - design @ beta) ** 2).sum() / freedom * inverse[-1, -1])
        np.testing.assert_allclose([found.effect[j], found.se[j]], [beta[-1], se], rtol=1e-10)
        np.testing.assert_allclose(found.p[j], 2 * stats.t.sf(abs(beta[-1] / se), freedom), rtol=1e-9)
    if not n_fixed:
        np.testing.assert_allclose(found.p[3], stats.linregress(x[:, 3], y).pvalue, rtol=1e-9)


def test_several_classes_are_tested_together(rng):
    """Without covariates it is the analysis of variance of dosage between classes."""
    x, y = rng.integers(0, 3, (60, 5)).astype(float), rng.integers(0, 3, 60)
    found = associate(x, y.astype(float), np.empty((60, 0)), n_classes=3)
    for j in range(5):
        expected = stats.f_oneway(*(x[y == k, j] for k in range(3)))
        np.testing.assert_allclose(found.p[j], expected.pvalue, rtol=1e-9)
    assert np.isnan(found.se).all()
    assert ((found.effect >= 0) & (found.effect <= 1)).all()


def test_two_classes_as_several_give_the_t_test(rng):
    x, y = rng.integers(0, 3, (60, 5)).astype(float), rng.integers(0, 2, 60).astype(float)
    three = associate(x, y, np.empty((60, 0)), n_classes=3)  # the third is empty
    np.testing.assert_allclose(three.p, associate(x, y, np.empty((60, 0))).p, rtol=1e-9)


def test_what_cannot_be_tested_is_nan(rng):
    x = rng.integers(0, 3, (40, 4)).astype(float)
    x[:, 1] = 1
    x[:, 2] = np.nan
    covariate = x[:, [0]] * 2 + 1  # locus 0 itself
    found = associate(x, rng.normal(size=40), np.hstack([covariate, covariate]))
    assert np.isnan(found.p).tolist() == [True, True, True, False]
    assert np.isnan(associate(x, np.ones(40), np.empty((40, 0))).p).all()
    assert np.isnan(associate(x[:2], rng.normal(size=2), np.empty((2, 0))).p).all()


def test_inflation_is_one_without_association_and_large_with_structure(rng):
    n, p = 400, 2000
    population = rng.integers(0, 2, n)
    x = rng.binomial(2, np.where(population[:, None] == 1, 0.6, 0.4) * np.ones(p)).astype(float)
    y = rng.normal(size=n) + population
    assert associate(x, rng.normal(size=n), np.empty((n, 0))).inflation == pytest.approx(1, abs=0.15)
    assert associate(x, y, np.empty((n, 0))).inflation > 5
    corrected = associate(x, y, principal_components(x, 1).scores)
    assert corrected.inflation == pytest.approx(1, abs=0.2)


# blocks


def test_linked_loci_are_one_block_within_their_chromosome(rng):
    x = rng.integers(0, 3, (100, 6)).astype(float)
    x[:, 3] = 2 - x[:, 0]  # the same, counted the other way
    x[:, 5] = x[:, 0]  # the same, on another chromosome
    x[:, 4] = 1  # says nothing
    chromosome = np.array(["1", "1", "1", "1", "1", "2"])
    blocks = [block.columns.tolist() for block in linkage_blocks(x, chromosome, np.arange(6.0))]
    assert blocks == [[0, 3], [1], [2], [5]]
    reversed_map = linkage_blocks(x, chromosome, -np.arange(6.0))
    assert [block.columns.tolist() for block in reversed_map] == [[3, 0], [2], [1], [5]]


@given(st.integers(0, 1000))
def test_blocks_are_a_partition_linked_to_its_first_loci(seed):
    rng = np.random.default_rng(seed)
    base = rng.integers(0, 3, (30, 3))
    x = np.where(rng.random((30, 12)) < 0.8, base[:, rng.integers(0, 3, 12)], rng.integers(0, 3, (30, 12))).astype(
        float
    )
    blocks = [block.columns for block in linkage_blocks(x, np.zeros(12), np.arange(12.0))]
    varies = x.std(axis=0) > 0
    assert sorted(np.concatenate(blocks).tolist()) == np.flatnonzero(varies).tolist()
    r2 = np.corrcoef(x[:, varies].T) ** 2
    place = {column: k for k, column in enumerate(np.flatnonzero(varies).tolist())}
    for block in blocks:
        first = place[block[0]]
        assert all(r2[first, place[column]] >= LINKED - 1e-9 for column in block.tolist())
    firsts = [place[block[0]] for block in blocks]
    among = r2[np.ix_(firsts, firsts)]
    assert (among[np.triu_indices(len(firsts), 1)] < LINKED).all()


def test_levels_of_a_covariate_are_one_block():
    blocks = covariate_blocks(["age", "site=York", "site=Bath"], 10)
    assert [(block.covariate, block.columns.tolist()) for block in blocks] == [("age", [10]), ("site", [11, 12])]


# importance


def splits_of(n, k=4):
    fold = np.arange(n) % k
    return [Split(0, f, np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(k)]


def test_importance_of_a_linear_model_is_twice_the_variance_it_explains(rng):
    """Shuffling independent x_j costs 2 β_j² var(x_j) of squared error: Gregorutti et al. 2017, proposition 1."""
    n = 4000
    x = rng.normal(size=(n, 3))
    y = x @ [1.0, 0.5, 0.0] + 0.1 * rng.normal(size=n)
    blocks = [Block(np.array([k])) for k in range(3)]
    found = permutation_importance(LinearRegression, x, y, "continuous", blocks, splits_of(n), rng, quiet)
    np.testing.assert_allclose(found.mean, 2 * np.array([1, 0.25, 0]) / y.var(), atol=0.05)
    assert np.isnan(found.rest)
    assert found.n_tested.tolist() == [4, 4, 4]


def test_twins_hide_each_other_unless_they_are_shuffled_together(rng):
    n = 400
    x = rng.normal(size=(n, 3))
    x[:, 1] = x[:, 0]
    y = x[:, 0] + 0.1 * rng.normal(size=n)
    alone = [Block(np.array([k])) for k in range(3)]
    together = [Block(np.array([0, 1])), Block(np.array([2]))]
    hidden = permutation_importance(Ridge, x, y, "continuous", alone, splits_of(n), rng, quiet).mean
    shown = permutation_importance(Ridge, x, y, "continuous", together, splits_of(n), rng, quiet).mean
    assert hidden[:2].max() < 0.8 < 1.5 < shown[0]


def test_noise_that_a_model_fitted_by_heart_is_worth_nothing():
    """On training samples its importance would be large; the samples left out know better."""
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(200, 30)), rng.integers(0, 2, 200).astype(float)
    make = lambda: RandomForestClassifier(30, random_state=0)  # noqa: E731
    blocks = [Block(np.arange(30))]
    found = permutation_importance(make, x, y, "binary", blocks, splits_of(200), rng, quiet)
    assert abs(found.mean[0]) < 0.1


def test_a_fold_without_one_of_the_classes_does_not_count():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(150, 2))
    y = (x[:, 0] > 0).astype(float)
    healthy = np.flatnonzero(y == 0)[:40]
    splits = [*splits_of(150), Split(0, 5, np.setdiff1d(np.arange(150), healthy), healthy)]
    blocks = [Block(np.array([0])), Block(np.array([1]))]
    found = permutation_importance(LogisticRegression, x, y, "binary", blocks, splits, rng, quiet)
    assert found.mean[0] > 0.3
    assert abs(found.mean[1]) < 0.05
    assert found.n_tested.tolist() == [len(splits) - 1] * 2


def test_what_is_too_much_is_shuffled_at_once(rng, monkeypatch):
    monkeypatch.setattr("gpatlas.automl.explain.importance._VALUES_PREDICTED", 0)
    n = 300
    x = rng.normal(size=(n, 60))
    y = x[:, 7] + x[:, 59] + 0.1 * rng.normal(size=n)
    blocks = [*(Block(np.array([k])) for k in range(59)), Block(np.array([59]), "age")]
    found = permutation_importance(Ridge, x, y, "continuous", blocks, splits_of(n), rng, quiet)
    assert set(np.argsort(-found.mean)[:2]) == {7, 59}
    assert found.n_tested.sum() == 4 * 20
    assert found.n_tested[59] == 4
    assert abs(found.rest) < 0.05


# SHAP


@pytest.mark.parametrize("kind", ["continuous", "binary", "multiclass"])
def test_linear_models_are_known_by_their_answers(kind):
    task = tasks.make(kind, missing=0)
    model = (Ridge() if kind == "continuous" else LogisticRegression(C=0.1, max_iter=1000)).fit(task.X, task.y)
    found = slopes(margins(model, kind, task.y), task.X, np.random.default_rng(1))
    expected = np.atleast_2d(model.coef_)
    if kind == "multiclass":
        expected = expected - expected.mean(axis=0)
    np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())


def test_models_that_are_not_linear_are_not_taken_for_it():
    task = tasks.make("binary", missing=0)
    for model in (RandomForestClassifier(20, random_state=0), GaussianNB()):
        model.fit(task.X, task.y)
        assert slopes(margins(model, "binary", task.y), task.X, np.random.default_rng(1)) is None


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_shap_of_a_linear_model_is_slope_times_deviation():
    import shap

    task = tasks.make(missing=0)
    model = Ridge().fit(task.X, task.y)
    rows = np.arange(20)
    expected = model.coef_ * (task.X[rows] - task.X.mean(axis=0))
    found_slopes = slopes(margins(model, "continuous", task.y), task.X, np.random.default_rng(1))
    found = attribute(model, task.X, task.y, "continuous", found_slopes, rows, rows, np.random.default_rng(1), quiet)
    np.testing.assert_allclose(found.values[0], expected, atol=1e-3)
    library = shap.LinearExplainer(model, shap.maskers.Independent(task.X, max_samples=1000)).shap_values(task.X[rows])
    np.testing.assert_allclose(linear_values(model.coef_[None], task.X, rows)[0], library, atol=1e-4)


def test_switching_adds_up_and_finds_slopes(rng):
    x = rng.normal(size=(200, 6))
    beta = np.array([1.0, -2.0, 0.5, 0, 0, 3.0])
    top, rows = np.array([0, 1, 2]), np.arange(150)
    values = switched(lambda z: (z @ beta)[:, None], x, rows, top, rng, quiet)[0]
    # of a linear function every order gives β (x - background) exactly, so only the background is random
    error = values - beta[top] * (x[rows][:, top] - x[:, top].mean(axis=0))
    np.testing.assert_allclose(error.std(axis=0), np.abs(beta[top]) / np.sqrt(5), rtol=0.2)
    backgrounds = (x[rows][:, top] - values / beta[top])[:, 0]
    assert backgrounds.std() < 0.6


def test_switching_shares_an_interaction_equally(rng):
    x = np.vstack([np.zeros((50, 2)), np.ones((1, 2))])
    values = switched(lambda z: z[:, [0]] * z[:, [1]], x, np.array([50]), np.array([0, 1]), rng, quiet)
    np.testing.assert_allclose(values[0, 0], [0.5, 0.5], atol=0.12)  # a background may be the sample itself


@pytest.mark.parametrize("kind", ["continuous", "binary", "multiclass"])
def test_shap_of_forests_adds_up_to_the_prediction(kind):
    task = tasks.make(kind)
    model = CANDIDATES["random_forest"].make(kind, 2, 1).fit(task.X, task.y)
    rows = np.arange(10)
    found = attribute(model, task.X, task.y, kind, None, rows, rows, np.random.default_rng(1), quiet)
    predicted = model.predict(task.X[rows]) if kind == "continuous" else model.predict_proba(task.X[rows]).T
    predicted = predicted[1:] if kind == "binary" else np.atleast_2d(predicted)
    base = predicted - found.values.sum(axis=2)
    np.testing.assert_allclose(base, np.repeat(base[:, :1], 10, axis=1), atol=1e-6)
    assert found.method == "by TreeSHAP"


# breeding values


def test_reliabilities_are_those_of_the_mixed_model_equations():
    """Henderson's equations written out: PEV is the block of the inverse that belongs to the breeding values."""
    task = tasks.make(n=40, p=30, missing=0)
    x, w = task.X[:, :30].astype(float), task.X[:, 30:].astype(float)
    found = breeding_values(task.X, task.y[:, None], 2)
    z = x - x.mean(axis=0)
    from gpatlas.models import make

    model = make("rrblup", n_covariates=2).fit(task.X.astype(float), task.y)
    design = np.column_stack([np.ones(40), w, z])
    lhs = design.T @ design
    lhs[3:, 3:] += np.eye(30) * model.penalty_
    inverse = np.linalg.inv(lhs)
    solution = inverse @ design.T @ task.y
    np.testing.assert_allclose(found.gebv[:, 0], z @ solution[3:], atol=1e-5)
    pev = np.einsum("ij,jk,ik->i", z, inverse[3:, 3:], z) * model.var_e_
    np.testing.assert_allclose(found.se[:, 0] ** 2, pev, rtol=1e-4)
    np.testing.assert_allclose(found.reliability[:, 0], 1 - pev / (model.var_u_ * (z**2).sum(axis=1)), atol=1e-4)


# all together


@pytest.mark.parametrize("kind", ["continuous", "binary", "multiclass"])
@pytest.mark.parametrize("name", ["rrblup", "random_forest"])
def test_an_explanation_finds_what_was_put_in(kind, name, tmp_path):
    task = tasks.make(kind, n=240, families=kind == "continuous")
    model = CANDIDATES[name].make(kind, task.n_covariates, 1).fit(task.X, task.y)
    found = explain(model, task, seed=3)
    importance = found.permutation_importance
    # locus 0 has a twin, locus 1, and either may name the two; age acts as well
    leading = importance.feature[:3].tolist()
    assert {"snp20", "age"} <= set(leading)
    assert {"snp0", "snp1"} & set(leading)
    twins = importance[importance.feature.isin(["snp0", "snp1"])]
    assert twins.n_loci.tolist() == [2]
    assert set(found.shap.feature.unique()[:4]) >= {"snp0", "snp20"}
    assert set(found.marker_effects.sort_values("p").locus_id[:3]) == {"snp0", "snp1", "snp20"}
    assert found.marker_effects.columns.str.startswith("model_effect").any() == (
        name == "rrblup" and kind != "multiclass"
    )
    assert len(found.gebv) == 240 * (3 if kind == "multiclass" else 1)
    assert found.gebv.reliability.between(0, 1).all()
    assert found.structure.columns[:3].tolist() == ["sample_id", "pc1", "pc2"]
    assert ("family" in found.structure) == (kind == "continuous")
    write_explanation(found, tmp_path)
    for file in ("permutation_importance", "shap", "marker_effects", "gebv", "structure"):
        assert len(pd.read_csv(tmp_path / f"{file}.csv")) == len(getattr(found, file))
    assert len(json.loads((tmp_path / "structure.json").read_text())["variance_shares"]) == 10


def test_an_explanation_is_repeated_by_its_seed():
    task = tasks.make("continuous", n=60, p=30)
    model = KNeighborsRegressor().fit(filled(task.X), task.y)

    class Complete(KNeighborsRegressor):
        def fit(self, X, y):
            return super().fit(filled(X), y)

        def predict(self, X):
            return super().predict(filled(X))

    model = Complete().fit(task.X, task.y)
    first, again, other = (explain(model, task, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first.shap, again.shap)
    pd.testing.assert_frame_equal(first.permutation_importance, again.permutation_importance)
    assert not first.permutation_importance.equals(other.permutation_importance)
    assert "in trait units, found by switching the top 20 features" in first.methods["shap"]
