"""The rounds of cascade and posterior: what comes in between them, and that effects belong to the model at the end."""

import numpy as np
import pytest

from gpatlas.models.epistasis import cascade as stages
from gpatlas.models.epistasis import discovery
from gpatlas.models.epistasis.cascade import Rules, cascade
from gpatlas.models.epistasis.discovery import discover, likely_terms
from gpatlas.models.epistasis.joint import JointModel
from gpatlas.models.epistasis.panel import make_panel
from gpatlas.models.epistasis.posterior import Posterior, Slab
from gpatlas.models.epistasis.shrunken import Candidates
from tests.models.epistasis.populations import as_set, population, sparse_pairs

SELECTED = np.empty(0, np.intp)


def believed(loci, of_loci, pairs, of_pairs):
    """Candidates, and a posterior that has these inclusion probabilities."""
    slab = Slab(1.0, 1.0, 10.0)
    posterior = Posterior(
        *(np.zeros(len(loci)), np.zeros(len(pairs)), np.array(of_pairs), np.array(of_loci)), 1.0, slab, slab, 1
    )
    return Candidates(np.array(loci), np.array(pairs), *[np.empty(0)] * 3), posterior


def test_the_likeliest_terms_come_in_as_far_as_there_is_room():
    panel = make_panel(population(10, 12, 2, seed=1))
    model = JointModel(panel, np.random.default_rng(1).normal(size=10), np.array([0, 1]))
    assert model.room == 6
    pairs = [[0, 5], [1, 6], [2, 7], [3, 8], [4, 9], [5, 10], [6, 11]]
    candidates, posterior = believed([0, 2, 4, 6], [0.9, 0.7, 0.4, 0.8], pairs, [0.6, 0.9, 0.55, 0.95, 0.51, 0.3, 0.7])
    loci, found = likely_terms(model, candidates, posterior)
    assert loci.tolist() == [2, 6]  # of those not in the model
    assert found.tolist() == [[0, 5], [1, 6], [3, 8], [6, 11]]
    model.add(SELECTED, np.array([[0, 5], [3, 8], [4, 9]]))
    loci, found = likely_terms(model, candidates, posterior)
    assert (loci.tolist(), found.tolist()) == ([2, 6], [[1, 6]])
    model.add(np.array([2, 6, 8]), np.empty((0, 2), np.intp))
    assert [len(terms) for terms in likely_terms(model, candidates, posterior)] == [0, 0]


def test_a_model_of_all_loci_takes_pairs_only():
    x = population(40, 6, 1, seed=2)
    x[:, 4] = x[:, 1]
    model = JointModel(make_panel(x), np.random.default_rng(1).normal(size=40), None)
    loci, found = likely_terms(model, *believed(range(6), [0.9] * 6, [[0, 1], [2, 3]], [0.9, 0.2]))
    assert (loci.tolist(), found.tolist()) == ([], [[0, 1]])


@pytest.mark.parametrize("rounds", [0, 1, 5])
def test_effects_are_those_of_the_last_model(rounds, monkeypatch):
    """Also where rounds come to an end while pairs are still being found."""
    x, y, _, _ = sparse_pairs(850, 240, 0.999, seed=1)
    of_models, estimate = [], discovery.shrunken_effects

    def spied(panel, trait, model, fitted, **settings):
        found = estimate(panel, trait, model, fitted, **settings)
        if panel.n_samples == 850:
            of_models.append((as_set(model.pairs), found[0]))
        return found

    monkeypatch.setattr(discovery, "shrunken_effects", spied)
    monkeypatch.setattr(discovery, "_ROUNDS", rounds)
    found = discover(make_panel(x), y, Rules())
    pairs, effects = of_models[-1]
    assert as_set(found.pairs) == pairs
    assert found.effects is effects
    assert len({frozenset(pairs) for pairs, _ in of_models}) == len(of_models) >= min(2, rounds + 1)
    assert not np.isnan(found.probability).any()


def test_likely_pairs_that_do_not_predict_stay_out(monkeypatch):
    """However sure a posterior is of them: here of ten pairs of a trait that has none, tested jointly."""
    x = population(200, 30, 2, seed=5)
    y = x @ np.random.default_rng(5).normal(size=30) + np.random.default_rng(6).normal(size=200)
    estimate, asked, runs = discovery.shrunken_effects, [], []

    def sure(*values, **settings):
        effects, candidates, posterior = estimate(*values, **settings)
        posterior.inclusion[:10] = 1.0
        return effects, candidates, posterior

    def spied(model, *values):
        asked.append(likely_terms(model, *values))
        return asked[-1]

    monkeypatch.setattr(discovery, "shrunken_effects", sure)
    monkeypatch.setattr(discovery, "likely_terms", spied)
    monkeypatch.setattr(discovery, "cascade", lambda *values: runs.append(cascade(*values)) or runs[-1])
    found = discover(make_panel(x), y, Rules(alpha=0.05))
    assert [len(pairs) for _, pairs in asked] == [10]
    assert len(runs) == 1  # none goes on with them
    assert len(found.pairs) == 0


def test_a_pair_is_tested_given_its_loci_and_those_linked_to_them():
    x = population(400, 30, 2, seed=6, linked=0.0, rare=0.3)
    x[:300, 11], x[:350, 12] = x[:300, 10], x[:350, 10]
    model = JointModel(make_panel(x), np.random.default_rng(6).normal(size=400), np.array([12, 20]))
    pairs = np.array([[10, 20], [3, 25]])
    near = stages._neighbourhoods(model, pairs)
    squares = np.corrcoef(x.T) ** 2
    for pair, found in zip(pairs, near, strict=True):
        linked = {int(k) for locus in pair for k in np.flatnonzero(squares[locus] > stages._LINKED)}
        assert set(found.tolist()) == linked - {12, 20}
    assert 11 in near[0]
    assert stages._neighbourhoods(JointModel(model.panel, model.trait, None), pairs) == []


def test_a_pair_that_was_dropped_twice_is_not_tried_again():
    x, y, _, _ = sparse_pairs(300, 10, 0.9, seed=7)
    model = JointModel(make_panel(x), y, None)
    rules = Rules()
    first = tuple(stages._new_pairs(model, model.fit(), rules, 45, {})[0].tolist())
    tried = [as_set(stages._new_pairs(model, model.fit(), rules, 45, {first: times})) for times in (0, 1, 2)]
    assert [first in found for found in tried] == [True, True, False]
    assert tried[0] - {first} == tried[2]


def test_a_screen_takes_both_main_effects_for_fitted(monkeypatch):
    """Also where the model is empty: t is of a regression on the mean, both loci, and their product."""
    x = population(80, 6, 2, seed=3)
    y = np.random.default_rng(3).normal(size=80)
    covariates, screen = [], stages.screen

    def spied(*values, n_covariates, **settings):
        covariates.append(n_covariates)
        return screen(*values, n_covariates=n_covariates, **settings)

    monkeypatch.setattr(stages, "screen", spied)
    for loci, expected in (([], 3), ([1], 3), ([1, 2], 3), ([1, 2, 4], 4)):
        model = JointModel(make_panel(x), y, None)
        model.drop(~np.isin(model.loci, loci), np.empty(0, bool))
        cascade(model, Rules())
        assert covariates.pop() == expected
