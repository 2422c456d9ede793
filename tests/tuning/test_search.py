"""Trials: what they are judged on, what they never see, and what becomes of those that fail."""

from dataclasses import replace

import numpy as np
import optuna
import pytest

from gpatlas.config.simulation import FoldsSpec
from gpatlas.dataset import Fold
from gpatlas.errors import ConfigError, DataError
from gpatlas.models import REGISTRY, make, model_class, search_space
from gpatlas.models.space import Choice, Float, Integer, value_at, with_values
from gpatlas.packed import PackedBits
from gpatlas.simulate import simulate
from gpatlas.tuning import importances, tune_dataset
from gpatlas.tuning.objective import draw
from gpatlas.tuning.search import selection_rows
from tests.tuning.fakes import Fake, Preparing, Several


@pytest.fixture(autouse=True)
def fakes(monkeypatch):
    monkeypatch.setitem(REGISTRY, "fake", "tests.tuning.fakes:Fake")
    monkeypatch.setitem(REGISTRY, "preparing", "tests.tuning.fakes:Preparing")
    monkeypatch.setitem(REGISTRY, "several", "tests.tuning.fakes:Several")
    Fake.seen.clear()
    Preparing.prepared.clear()


@pytest.fixture
def tune(haploids, tmp_path):
    """Tune a fake on the haploids; every call has a journal of its own unless it names one."""
    calls = []

    def run(model="fake", n_trials=6, *, data=None, journal=None, seed=1, space=None, pruner="median", **fixed):
        calls.append(journal)
        path = journal or tmp_path / f"{len(calls)}.journal"
        view = (data or haploids).without_test()
        space = space or search_space(model)
        return tune_dataset(view, model, fixed, space, n_trials, seed, path, pruner=pruner)

    return run


DECLARED = [(name, space) for name in sorted(REGISTRY) for space in model_class(name).search_spaces]


@pytest.mark.parametrize(("name", "space"), DECLARED)
def test_models_accept_what_their_spacesdraw(name, space):
    ranges = search_space(name, space)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    for _ in range(30):
        drawn = draw(study.ask(), ranges)
        made = make(name, **with_values(make(name).get_params(), drawn)).get_params()
        assert {key: value_at(made, key) for key in ranges} == drawn
    for end in ("low", "high"):
        made = make(name)
        ends = {key: getattr(r, end) for key, r in ranges.items() if not isinstance(r, Choice)}
        make(name, **with_values(made.get_params(), ends))


def test_the_published_space_is_the_published_one():
    assert search_space("mlp", "published") == {"learning_rate": Choice((0.5, 0.1, 0.05, 0.01, 0.005, 0.001, 0.0001))}


def test_dotted_keys_reach_into_mappings_without_changing_them():
    given = {"k": 1, "mlp": {"rate": 1, "hidden": [2]}}
    changed = with_values(given, {"mlp.rate": 5, "k": 2, "new.deep": 3})
    assert changed == {"k": 2, "mlp": {"rate": 5, "hidden": [2]}, "new": {"deep": 3}}
    assert given == {"k": 1, "mlp": {"rate": 1, "hidden": [2]}}
    assert (value_at(changed, "mlp.rate"), value_at(changed, "none.at.all")) == (5, None)


@pytest.mark.parametrize(
    ("model", "space", "message"),
    [
        (
            "rrblup",
            "default",
            "model rrblup has no search space to tune; models that have are auto_epistasis, bilinear, fake",
        ),
        ("mlp", "defualt", "unknown search space 'defualt'; did you mean 'default'?"),
    ],
)
def test_spaces_that_are_not_there(model, space, message):
    with pytest.raises(ConfigError) as error:
        search_space(model, space)
    assert message in str(error.value)


@pytest.mark.parametrize("packed", [True, False])
def test_the_test_fold_never_matters(haploids, tune, packed):
    """Nonsense in genotypes, phenotypes, names and truth of the test samples changes nothing, hashes included."""
    if not packed:
        haploids = replace(haploids, genotypes=haploids.dosage().copy())
    assert isinstance(haploids.genotypes, PackedBits) == packed
    test = haploids.rows(Fold.test)
    dosage, phenotypes, names = haploids.dosage().copy(), haploids.phenotypes.copy(), haploids.sample_id.copy()
    dosage[test], phenotypes[test], names[test] = 1 - dosage[test], np.nan, names[0]
    phenotypes[test[0]] = 1e30
    genotypes = PackedBits.pack(dosage) if packed else dosage
    spoilt = replace(haploids, genotypes=genotypes, phenotypes=phenotypes, sample_id=names)
    view = spoilt.without_test()
    assert view.content_hash == haploids.without_test().content_hash
    assert (view.n_samples, len(view.rows(Fold.train)), len(view.rows(Fold.test))) == (255, 210, 0)
    np.testing.assert_array_equal(view.dosage(), haploids.dosage(haploids.rows(Fold.train, Fold.validation)))
    sgd = {"model": "linear_sgd", "n_trials": 3, "max_epochs": 3}
    honest, blind = tune(data=haploids, **sgd), tune(data=spoilt, **sgd)
    assert without_times(honest.trials) == without_times(blind.trials)
    assert honest.hyperparameters == blind.hyperparameters


def test_a_dataset_with_its_test_fold_is_not_taken(haploids, tmp_path):
    with pytest.raises(AssertionError):
        tune_dataset(haploids, "fake", {}, search_space("fake"), 1, 1, tmp_path / "j")


def test_trials_are_fitted_to_train_and_judged_on_validation(haploids, tune):
    result = tune(n_trials=2)
    for settings, shape, y, y_stop in Fake.seen:
        assert shape == (210, 24)
        np.testing.assert_array_equal(y, haploids.phenotypes[haploids.rows(Fold.train)])
        np.testing.assert_array_equal(y_stop, haploids.phenotypes[haploids.rows(Fold.validation)])
        assert settings["random_state"] == Fake.seen[0][0]["random_state"] != 0
    # the value is what NumPy says of the same predictions
    truth = haploids.phenotypes[haploids.rows(Fold.validation)]
    noise = np.random.default_rng(1).normal(size=truth.shape)
    for row in result.trials:
        predicted = truth / truth.std() + 3 * row["a"] * noise
        expected = np.mean([np.corrcoef(p, t)[0, 1] for p, t in zip(predicted.T, truth.T, strict=True)])
        assert row["value"] == pytest.approx(expected, rel=1e-9)
    best = max(result.trials, key=lambda row: row["value"])
    assert result.hyperparameters == {"a": best["a"], "b": best["b"]}
    assert best["b"] in ((1,), (2, 2), (3,))


def test_without_a_validation_fold_the_last_training_samples_judge(haploid_spec, tune):
    folds = FoldsSpec(validation=0, test=0.15, by="position")
    data = simulate(haploid_spec.model_copy(update={"folds": folds}), 7)
    train, stop = selection_rows(data.without_test())
    assert (list(train), list(stop)) == (list(range(217)), list(range(217, 255)))  # 15 % of 255 is 38
    result = tune(data=data, n_trials=1)
    assert (result.n_train, result.n_validation) == (217, 38)


def test_a_seed_gives_the_same_trials(tune):
    first, again, other = (without_times(tune(n_trials=8, seed=seed).trials) for seed in (1, 1, 2))
    assert first == again
    assert not {row["a"] for row in first} & {row["a"] for row in other}


def test_what_is_gone_on_with_is_what_would_have_been(tune, tmp_path):
    whole = tune(n_trials=9)
    journal = tmp_path / "parts.journal"
    for n in (2, 6, 9, 9):
        parts = tune(n_trials=n, journal=journal)
    assert without_times(parts.trials) == without_times(whole.trials)
    assert parts.fit_seconds == 0  # nothing was left to do


def test_tpe_finds_what_is_good(tune):
    """`a` = 0 is best; later trials are nearer to it than those drawn at random."""
    trials = tune(n_trials=25, pruner="none").trials
    assert np.mean([row["a"] for row in trials[15:]]) < 0.6 * np.mean([row["a"] for row in trials[:5]])


def test_the_pruner_stops_what_is_worse_than_the_median(tune):
    """After five trials: pruned at epoch 5 exactly when the loss (here, `a`) is above the median of complete ones."""
    trials = tune(n_trials=20).trials
    assert {row["state"] for row in trials} == {"complete", "pruned"}
    complete = []
    for row in trials:
        pruned = len(complete) >= 5 and row["a"] > np.median(complete)
        assert (row["state"], row["epochs"]) == (("pruned", 5) if pruned else ("complete", 10))
        assert np.isnan(row["value"]) == pruned
        assert row["validation_loss"] == row["a"]
        if not pruned:
            complete.append(row["a"])
    assert all(row["state"] == "complete" for row in tune(n_trials=20, pruner="none").trials)


def test_fits_of_several_networks_are_not_pruned(tune):
    assert Several.search_spaces
    assert {row["state"] for row in tune("several", n_trials=20).trials} == {"complete"}


def test_the_linear_stage_is_run_once_for_all_trials(tune, monkeypatch):
    from gpatlas.models.lasso_mlp import LassoMLP

    prepared, whole = [], LassoMLP.prepare
    monkeypatch.setattr(LassoMLP, "prepare", lambda *given: prepared.append(given[0]) or whole(*given))
    mlp = {"hidden": [4], "max_epochs": 2, "device": "cpu"}
    result = tune("lasso_mlp", n_trials=4, space=search_space("lasso_mlp", "published"), mlp=mlp)
    assert len(result.trials) == 4
    assert len(prepared) == 1
    assert result.hyperparameters["mlp"]["hidden"] == [4]
    assert {"max_loci", "mlp.learning_rate"} <= set(result.trials[0])


def test_what_was_tried_is_not_fitted_again(tune):
    trials = tune(n_trials=9, space={"b": search_space("fake")["b"]}, pruner="none").trials
    tried = [settings["b"] for settings, *_ in Fake.seen]
    assert len(tried) == len(set(tried)) == len({row["b"] for row in trials})
    assert [row["fit_seconds"] > 0 for row in trials] == [
        row["b"] not in [other["b"] for other in trials[:k]] for k, row in enumerate(trials)
    ]
    assert len({(row["b"], row["value"], row["epochs"]) for row in trials}) == len(tried)


def test_a_diverged_trial_is_the_worst_and_no_crash(tune):
    result = tune(n_trials=12, kind="diverges above", pruner="none")
    states = {row["state"]: row["value"] for row in result.trials}
    assert states["diverged"] == -1
    assert all((row["state"] == "diverged") == (row["a"] > 0.5) for row in result.trials)
    assert result.hyperparameters["a"] <= 0.5


def test_nothing_but_divergence(tune):
    with pytest.raises(DataError, match="model fake: training diverged in all 3 trials"):
        tune(n_trials=3, kind="diverges")


def test_a_constant_prediction_counts_as_zero(tune):
    assert tune(n_trials=1, kind="constant").value == 0


def test_a_refusal_is_one_line_and_leaves_nothing_running(tune, tmp_path):
    journal = tmp_path / "j"
    with pytest.raises(DataError, match="model fake: cannot be fitted"):
        tune(kind="refuses", journal=journal)
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(journal)))
    study = optuna.load_study(study_name=None, storage=storage)
    assert [t.state.name for t in study.trials] == ["FAIL"]


def test_a_preparation_serves_all_trials_that_share_it(tune):
    result = tune("preparing", n_trials=12, inner={"width": 4, "rate": 0}, pruner="none")
    assert sorted(Preparing.prepared) == [(1, (210, 24)), (2, (210, 24))]
    assert set(result.hyperparameters["inner"]) == {"width", "rate"}


def test_importance_is_where_the_variance_is():
    rng = np.random.default_rng(1)
    space = {"a": Float(0, 1), "b": Float(1e-3, 1, log=True), "c": Choice(((1,), (2,))), "d": Integer(1, 9)}
    trials = [
        {"state": "complete", "a": a, "b": b, "c": (int(c),), "d": int(d), "value": a + 0.01 * b}
        for a, b, c, d in zip(
            *rng.uniform(1e-3, 1, (2, 40)), rng.integers(1, 3, 40), rng.integers(1, 9, 40), strict=True
        )
    ]
    found = importances(trials, space)
    assert next(iter(found)) == "a"
    assert found["a"] > 0.9
    assert sum(found.values()) == pytest.approx(1)
    assert found == importances(trials, space)
    assert importances(trials[:2], space) == {}
    assert importances(trials, {"a": Float(0, 1)}) == {}
    assert importances([row | {"value": 1.0} for row in trials], space) == {}


def without_times(trials):
    """Rows as text (NaN equals itself there) without what the clock says."""
    return [
        {key: str(v) if key in ("value", "validation_loss") else v for key, v in row.items() if key != "fit_seconds"}
        for row in trials
    ]
