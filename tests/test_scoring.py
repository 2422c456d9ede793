"""Scoring: what is said of the loci that a model selected, and of the pairs that it found."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin

from gpatlas.config import EvaluationSpec, parse_experiment
from gpatlas.dataset import Fold
from gpatlas.design import Design
from gpatlas.evaluate.metrics import pair_discoveries
from gpatlas.fitting import fit_dataset
from gpatlas.models.work import Work
from gpatlas.predictions import FitResult, Prediction
from gpatlas.scoring import PAIR_COLUMNS, pair_rows, score_fit, selected_rows
from gpatlas.simulate import simulate


@pytest.fixture
def scored():
    """A dilution population whose first trait's QTL, and one other locus, are selected for both traits."""
    config = parse_experiment(
        {
            "experiment": "dilution", "n_samples": 100, "n_qtl": 6, "n_markers": 40, "replicates": 1,
            "models": {"lasso": {}},
        }
    )  # fmt: skip
    design = Design(config)
    data = simulate(design.simulation(design.rows[0]), 3)
    effects = data.truth.effects
    qtl = [set(effects.locus[effects.trait == trait].tolist()) for trait in range(2)]
    other = next(locus for locus in range(40) if locus not in qtl[0] | qtl[1])
    chosen = sorted(qtl[0] | {other})
    selected = np.zeros((40, 2), dtype=bool)
    selected[chosen] = True
    test = data.rows(Fold.test)
    prediction = Prediction(
        fold="test", rows=test, traits=np.arange(2), predicted=data.phenotypes[test], n_train=np.array([70, 70]),
        marker_effects=selected * 0.5, selected=selected,
    )  # fmt: skip
    fit = FitResult(data.content_hash, (prediction,), 1.0, 1.0)
    columns = design.rows[0].columns
    return data, fit, columns, config.trait_columns(columns), qtl, chosen


def test_precision_and_recall_are_about_the_trait_s_own_qtl(scored):
    data, fit, columns, of_traits, qtl, chosen = scored
    _, splits = score_fit(data, fit, "lasso", columns, of_traits)
    assert [row["n_selected"] for row in splits] == [7, 7]
    assert (splits[0]["precision"], splits[0]["recall"]) == (6 / 7, 1.0)
    shared = len(qtl[1] & set(chosen))
    assert (splits[1]["precision"], splits[1]["recall"]) == (shared / 7, shared / 6)


def test_selected_loci_are_listed_by_trait(scored):
    data, fit, columns, of_traits, qtl, chosen = scored
    rows = selected_rows(data, fit, "lasso", columns, of_traits)
    assert len(rows) == 14
    first = [row for row in rows if row["trait_id"] == "Trait1"]
    names = data.locus_id.astype(str)
    assert [row["locus_id"] for row in first] == names[chosen].tolist()
    assert sum(row["is_qtl"] for row in first) == 6
    assert sum(row["is_qtl"] for row in rows if row["trait_id"] == "Trait2") == len(qtl[1] & set(chosen))
    assert {row["effect"] for row in rows} == {0.5}
    assert {row["rel_aa"] for row in first} == {0.0}


class PairFinder(RegressorMixin, BaseEstimator):
    """Stands in for a model that finds pairs: what it is told to find, and predicts nothing."""

    uses_validation = streams = False

    def __init__(self, pairs, effects=None, z=None):
        self.pairs, self.effects, self.z = pairs, effects, z

    def fit(self, X, y):
        self.pairs_, self.shape_ = self.pairs, y.shape[1:]
        if self.effects is not None:
            self.pair_effects_, self.pair_z_ = self.effects, self.z
        return self

    def predict(self, X):
        return np.zeros((len(X), *self.shape_))

    def work(self, n_samples, n_loci, n_traits):
        return Work(flops=0.0, memory=0.0)


def fitted(monkeypatch, dataset, **hparams):
    monkeypatch.setattr("gpatlas.fitting.make", lambda name, **settings: PairFinder(**settings))
    return fit_dataset(dataset, "pair_finder", hparams, EvaluationSpec(), 1)


def true_pairs(data, trait):
    pairs = data.truth.pairs
    return np.column_stack([pairs.locus_1, pairs.locus_2])[pairs.trait == trait].astype(int)


def test_found_pairs_are_scored_and_listed(monkeypatch, haploids):
    """Trait 2 has twelve pairs; three of them are found, one with its loci swapped, and a false one beside them."""
    true = true_pairs(haploids, 1)
    false = next(
        [i, j] for i in range(24) for j in range(i + 1, 24) if not (np.sort(true, axis=1) == [i, j]).all(1).any()
    )
    found = np.array([true[0], true[1][::-1], true[2], false])
    pairs = [np.empty((0, 2), dtype=int), found]
    effects, z = ([np.empty(0), values] for values in (np.array([1.0, 2, 3, 4]), np.array([9.0, 8, 7, 6])))
    fit = fitted(monkeypatch, haploids, pairs=pairs, effects=effects, z=z)
    columns, of_traits = {"rep": 1}, {"rel_aa": [0.0, 1.0]}
    _, splits = score_fit(haploids, fit, "finder", columns, of_traits)
    names = ("n_pairs", "pair_false", "pair_fdp", "pair_recall")
    assert [splits[1][name] for name in names] == [4, 1, 0.25, 3 / 12]
    assert [splits[0][name] for name in names[:3]] == [0, 0, 0.0]
    assert np.isnan(splits[0]["pair_recall"])  # the additive trait has no pairs to find
    rows = pair_rows(haploids, fit, "finder", columns, of_traits)
    assert [tuple(row)[2:] for row in rows] == [PAIR_COLUMNS] * 4
    loci = haploids.locus_id.astype(str)
    assert [(row["locus_1"], row["locus_2"]) for row in rows] == [tuple(loci[pair]) for pair in found]
    assert [(row["effect"], row["z"], bool(row["is_pair"])) for row in rows] == [
        (1, 9, True), (2, 8, True), (3, 7, True), (4, 6, False),
    ]  # fmt: skip
    assert {(row["trait_id"], row["rel_aa"]) for row in rows} == {("Trait2", 1.0)}


def test_one_trait_needs_no_list_and_z_scores_may_be_absent(monkeypatch, haploids):
    truth = haploids.truth
    kept = truth.pairs.trait == 1
    one = replace(
        haploids,
        phenotypes=haploids.phenotypes[:, 1:],
        trait_id=haploids.trait_id[1:],
        truth=replace(
            truth,
            genetic_values=truth.genetic_values[:, 1:],
            effects=replace(truth.effects, trait=truth.effects.trait - 1),
            pairs=replace(truth.pairs, trait=truth.pairs.trait[kept] - 1),
        ),
    )
    fit = fitted(monkeypatch, one, pairs=true_pairs(haploids, 1))
    _, (split,) = score_fit(one, fit, "finder", {}, {})
    assert (split["pair_recall"], split["pair_false"]) == (1, 0)
    rows = pair_rows(one, fit, "finder", {}, {})
    assert len(rows) == 12
    assert all(np.isnan(row["z"]) and np.isnan(row["effect"]) for row in rows)


def test_models_that_find_no_pairs_say_nothing_of_them(haploids):
    fit = fit_dataset(haploids, "rrblup", {}, EvaluationSpec(), 1)
    _, splits = score_fit(haploids, fit, "rrblup", {}, {})
    assert not any("pair" in key for key in splits[0])
    assert pair_rows(haploids, fit, "rrblup", {}, {}) == []


PAIR_SETS = st.sets(st.tuples(st.integers(0, 12), st.integers(0, 12)).filter(lambda pair: pair[0] < pair[1]))


@given(PAIR_SETS, PAIR_SETS, st.randoms())
def test_discoveries_are_those_of_sets(found, true, order):
    def table(pairs):
        swapped = [pair[::-1] if order.random() < 0.5 else pair for pair in pairs]
        return np.array(swapped, dtype=np.int32).reshape(-1, 2)

    score = pair_discoveries(table(found), table(true))
    right = len(found & true)
    assert score["pair_false"] == len(found) - right
    assert score["pair_fdp"] == pytest.approx(1 - right / len(found) if found else 0)
    assert score["pair_recall"] == right / len(true) if true else np.isnan(score["pair_recall"])
