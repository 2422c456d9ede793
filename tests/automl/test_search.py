"""The search: it finds the best, by any score, within its budget, and never looks where it must not."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gpatlas.automl.board import run_flows
from gpatlas.automl.outcome import automl
from gpatlas.automl.search import Search
from gpatlas.automl.settings import Settings
from gpatlas.errors import ConfigError, DataError
from gpatlas.evaluate.scores import SCORES
from tests.automl import fakes
from tests.automl.fakes import FIRST, NOISE, SECOND, Blend, Flat, Memory, Needy, candidate

SMALL = Settings(budget_fits=60, outer_folds=3, outer_repeats=1, inner_folds=4, permutations=2)


def search(task, settings, folder: Path, name="search"):
    return run_flows({name: Search(task, settings, name).flow()}, folder / f"{name}.journal", {"as": "tested"})[name]


@pytest.mark.parametrize("metric", SCORES)
def test_by_any_score_the_best_is_chosen_not_the_worst(metric, compete, tmp_path):
    compete(*(candidate(name, noise=noise) for name, noise in (("bad", 3.0), ("good", 0.1), ("middle", 1.0))))
    kind = "binary" if SCORES[metric].classes else "continuous"
    found = search(fakes.task(kind, n=120), replace(SMALL, metric=metric, stack=False), tmp_path)
    assert found.winner == "good"
    ranked = sorted(found.best.values(), key=lambda trial: -trial.utility(SCORES[metric]))
    assert [trial.candidate for trial in ranked] == ["good", "middle", "bad"]


def test_a_model_that_knows_its_training_samples_by_heart_is_not_chosen(compete, tmp_path):
    compete(candidate("memory", kind=Memory), candidate("honest", noise=0.5))
    outcome = automl(fakes.task("binary"), SMALL, tmp_path / "j")
    assert outcome.chosen == "honest"
    shown = outcome.tables["predictions"].query("model == 'memory'")
    assert (shown.observed == shown.prediction).mean() < 0.75  # what is shown was predicted out of fold


def test_tuning_finds_better_hyperparameters_and_they_are_what_is_fitted_at_last(compete, tmp_path):
    compete(candidate("tunable", tunable=True, noise=2.0), candidate("fixed", noise=1.0))
    for kind in ("continuous", "binary"):
        outcome = automl(fakes.task(kind), replace(SMALL, stack=False), tmp_path / kind)
        best = outcome.final.found.best["tunable"]
        assert 0 <= best.hyperparameters["noise"] < 0.7
        assert outcome.chosen == "tunable"
        assert outcome.estimator.noise == best.hyperparameters["noise"]
        row = outcome.tables["leaderboard"].query("chosen").iloc[0]
        assert json.loads(row.hyperparameters) == best.hyperparameters


@pytest.mark.parametrize("budget", [1, 7, 20, 60])
def test_the_budget_is_kept(compete, tmp_path, budget):
    compete(*(candidate(f"c{k}", tunable=k % 2 == 0, noise=1 + k / 10) for k in range(8)))
    found = search(fakes.task(), replace(SMALL, budget_fits=budget), tmp_path)
    spent = sum(trial.n_fits for trial in found.trials)
    assert spent == len(Blend.fits)
    assert spent <= max(budget, 4)  # one candidate is always fitted to all folds
    assert spent > 0.9 * budget - 4
    assert list(found.unseen) == [f"c{k}" for k in range(len(found.best), 8)]  # the cheapest come first


def test_a_budget_in_seconds(compete, tmp_path, monkeypatch):
    """Every fit takes a second of this clock."""
    compete(*(candidate(f"c{k}", tunable=True, noise=1 + k / 10, seconds=1.0) for k in range(8)))
    clock = [0.0]

    def fit(self, X, y, honest=Blend.fit):
        clock[0] += 1
        return honest(self, X, y)

    monkeypatch.setattr(Blend, "fit", fit)
    monkeypatch.setattr("gpatlas.automl.trial.time.perf_counter", lambda: clock[0])
    found = search(fakes.task(), replace(SMALL, budget_seconds=30.0), tmp_path)
    assert 26 <= clock[0] <= 30
    assert found.unseen == ("c7",)  # half of the budget is for the first look at two folds each


def test_the_worse_half_and_poor_draws_cost_less(compete, tmp_path):
    compete(*(candidate(f"c{k}", tunable=True, noise=0.5 + k / 2) for k in range(6)))
    found = search(fakes.task(n=200), replace(SMALL, budget_fits=150), tmp_path)
    folds = {name: len(trial.scores) for name, trial in found.best.items()}
    assert folds | {"c3": 2} == {"c0": 4, "c1": 4, "c2": 4, "c3": 2, "c4": 2, "c5": 2}  # one more for what is left
    pruned = [trial for trial in found.trials if trial.state == "pruned"]
    assert pruned
    assert all(2 <= trial.n_fits < 4 for trial in pruned)
    assert all(trial.mean(SCORES["r"]) < found.best["c0"].mean(SCORES["r"]) for trial in pruned)


def test_the_cheapest_within_a_standard_error(compete, tmp_path):
    compete(candidate("cheap", noise=0.42), candidate("dear", noise=0.4), candidate("bad", noise=3.0))
    assert search(fakes.task(), SMALL, tmp_path, "a").winner == "dear"
    assert search(fakes.task(), replace(SMALL, one_se=True), tmp_path, "b").winner == "cheap"


def test_two_halves_are_averaged_and_one_whole_is_not(compete, tmp_path):
    compete(candidate("first", column=FIRST, noise=0.1), candidate("second", column=SECOND, noise=0.1, offset=5.0))
    outcome = automl(fakes.task(), SMALL, tmp_path / "j")
    assert outcome.chosen == "stack"
    board = outcome.tables["leaderboard"].set_index("model")
    assert board.score["automl"] == board.score["stack"] > board.score["first"] + 0.1
    predicted = outcome.estimator.predict(outcome.task.X)
    assert predicted == pytest.approx(outcome.task.y, abs=0.6)  # the other's offset is taken out
    assert predicted.mean() == pytest.approx(outcome.task.y.mean(), abs=0.05)
    alone = automl(outcome.task, replace(SMALL, stack=False), tmp_path / "j")
    assert alone.chosen in ("first", "second")
    assert "stack" not in set(alone.tables["folds"].model)
    compete(candidate("whole", noise=0.01), candidate("first", column=FIRST))
    assert automl(outcome.task, SMALL, tmp_path / "k").chosen == "whole"


def test_what_cannot_be_fitted_is_said_and_the_others_go_on(compete, tmp_path):
    compete(candidate("broken", fails=True), candidate("good", noise=0.1))
    outcome = automl(fakes.task(), SMALL, tmp_path / "j")
    assert outcome.chosen == "good"
    text = " ".join(step["text"] for step in outcome.narrative())
    assert "Broken could not be fitted: ValueError: cannot be fitted." in text
    compete(candidate("broken", fails=True))
    with pytest.raises(DataError, match="no candidate could be fitted; broken: ValueError: cannot be fitted"):
        automl(fakes.task(), SMALL, tmp_path / "k")


@pytest.mark.parametrize("number", range(10))
def test_what_fails_in_a_later_fold_is_out(compete, tmp_path, number):
    compete(candidate("good", noise=0.5), candidate("needy", kind=Needy, noise=0.1, needs=number))
    found = search(fakes.task(), SMALL, tmp_path)
    assert found.winner == "good"
    assert "needy" not in found.best
    assert {trial.state for trial in found.trials if trial.candidate == "needy"} == {"failed"}
    compete(candidate("needy", kind=Needy, needs=number))
    with pytest.raises(DataError, match="no candidate could be fitted; needy: ValueError: not without that one"):
        automl(fakes.task(), SMALL, tmp_path / "alone")


def test_what_cannot_be_fitted_in_some_outer_folds_is_said(compete, tmp_path, monkeypatch):
    compete(candidate("good", noise=0.5), candidate("other", noise=0.7))
    outcome = automl(fakes.task(), SMALL, tmp_path / "j")
    failed = replace(outcome.judged[0].trials["other"], state="failed")
    judged = (replace(outcome.judged[0], trials={**outcome.judged[0].trials, "other": failed}), *outcome.judged[1:])
    texts = [step["text"] for step in replace(outcome, judged=judged).narrative()]
    assert f"Other could not be fitted in 1 of {len(judged)} of these; its scores are of the others." in texts
    few = replace(outcome, final=replace(outcome.final, null=outcome.final.null[:1]))
    missing = SMALL.permutations - 1
    assert f"It could not be fitted to {missing} other" in few.narrative()[-1]["text"]
    none = replace(outcome, final=replace(outcome.final, null=()))
    assert none.narrative()[-1]["text"] == f"Good could be fitted to none of {SMALL.permutations} permutations."


def test_a_score_lies_in_its_interval_where_predictions_are_constant(compete, tmp_path):
    compete(candidate("flat", kind=Flat, noise=0.5))
    outcome = automl(fakes.task(), replace(SMALL, permutations=0), tmp_path / "j")
    assert outcome.tables["folds"].r.isna().any()
    for row in outcome.tables["leaderboard"].itertuples():
        assert row.lower < row.score < row.upper


def test_one_standard_error_where_one_fold_has_a_score(compete, tmp_path):
    compete(candidate("flat", kind=Flat, noise=0.5), candidate("flatter", kind=Flat, noise=0.9))
    assert search(fakes.task(), replace(SMALL, one_se=True), tmp_path).winner in ("flat", "flatter")


def test_predictions_that_are_no_numbers_are_a_failure(compete, tmp_path):
    compete(candidate("nan", offset=np.nan), candidate("good"))
    found = search(fakes.task(), SMALL, tmp_path)
    assert found.winner == "good"
    assert next(t.note for t in found.trials if t.candidate == "nan") == "ValueError: predictions are not all finite"


def test_no_search_sees_the_samples_that_judge_it(compete, tmp_path):
    compete(candidate("a", tunable=True), candidate("b", column=NOISE))
    task = fakes.task()
    outcome = automl(task, replace(SMALL, permutations=0), tmp_path / "j")
    outer = [set(fold.split.train.tolist()) for fold in outcome.judged]
    everything = 0
    for _, numbers in Blend.fits:
        inside = [train for train in outer if set(numbers) <= train]
        everything += not inside
    final = sum(trial.n_fits for trial in outcome.final.found.trials) + 1
    assert everything <= final  # fits that no outer training set holds are those of the search on all samples


def test_a_second_run_fits_nothing_anew_and_another_budget_goes_on(compete, tmp_path):
    compete(candidate("a", tunable=True, noise=2.0), candidate("b", tunable=True, noise=1.5), candidate("c"))
    first = search(fakes.task(), SMALL, tmp_path)
    n_fits = len(Blend.fits)
    again = search(fakes.task(), SMALL, tmp_path)
    assert len(Blend.fits) == n_fits
    assert [t.scores for t in first.trials] == [t.scores for t in again.trials]
    more = search(fakes.task(), replace(SMALL, budget_fits=100), tmp_path)
    went_on = len(Blend.fits) - n_fits
    fresh = search(fakes.task(), replace(SMALL, budget_fits=100), tmp_path / "fresh")
    assert [t.scores for t in more.trials] == [t.scores for t in fresh.trials]
    assert went_on < len(Blend.fits) - n_fits - went_on


def test_a_journal_of_something_else_is_refused(compete, tmp_path):
    compete(candidate("a"))
    automl(fakes.task(), SMALL, tmp_path / "j")
    with pytest.raises(ConfigError, match=r"holds a study that differs in task \(.*\), seed \(1 there, 2 here\)"):
        automl(fakes.task(seed=2), replace(SMALL, seed=2), tmp_path / "j")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"candidates": ("rrblupp",)}, "unknown candidate 'rrblupp'; did you mean 'rrblup'?"),
        ({"candidates": ("gradient_boosting",)}, "unknown candidate 'gradient_boosting'; known are "),
        ({"candidates": ("random forest",)}, "did you mean 'random_forest'?"),
        ({"candidates": ("",)}, "unknown candidate ''; known are "),
        ({"outer_repeats": 100_000}, "outer_repeats must be at most 1000, not 100000"),
        ({"budget_fits": 0}, "budget_fits must be at least 1, not 0"),
        ({"outer_folds": 1}, "outer_folds must be at least 2, not 1"),
        ({"budget_seconds": 0.0}, "budget_seconds must be above 0, not 0"),
    ],
)
def test_mistakes(settings, message):
    with pytest.raises(ConfigError) as error:
        Settings(**settings)
    assert message in str(error.value)
