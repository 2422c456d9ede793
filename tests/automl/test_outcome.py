"""What is told of a run: tables that fit together, intervals and p values, and a folder with a model that predicts."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gpatlas.automl.ceiling import ceiling
from gpatlas.automl.folder import MODEL, write_model, write_outcome
from gpatlas.automl.nested import _permuted, p_value
from gpatlas.automl.outcome import automl
from gpatlas.automl.price import ESTIMATED, seconds_of_run
from gpatlas.automl.settings import Settings
from gpatlas.automl.task import make_task
from gpatlas.config import CohortSpec
from gpatlas.evaluate.intervals import corrected_interval
from gpatlas.evaluate.scores import all_scores
from gpatlas.predictor import load_predictor
from gpatlas.simulate.cohort import simulate_cohort
from tests.automl import fakes
from tests.automl.fakes import candidate

SMALL = Settings(budget_fits=30, outer_folds=3, outer_repeats=2, inner_folds=4, permutations=4)


@pytest.fixture(params=["continuous", "binary"])
def outcome(request, compete, tmp_path):
    compete(candidate("good", tunable=True, noise=0.4), candidate("bad", noise=3.0), candidate("middle"))
    return automl(fakes.task(request.param), SMALL, tmp_path / "j")


def test_the_same_number_in_every_table(outcome):
    tables, score = outcome.tables, outcome.score
    board = tables["leaderboard"].set_index("model")
    assert list(board.index[:1]) == ["automl"]
    assert set(board.index) == {"automl", "stack", "good", "bad", "middle"}
    assert board.index[board.chosen].tolist() == [outcome.chosen]
    folds, predictions = tables["folds"], tables["predictions"]
    rows = folds.set_index(["model", "repeat", "fold"])
    for key, part in predictions.groupby(["model", "repeat", "fold"]):
        row = rows.loc[key]
        observed, predicted = part.observed.to_numpy(), part.prediction.to_numpy()
        if outcome.task.classes:
            observed = (observed == "yes").astype(int)
            predicted = part[["p_no", "p_yes"]].to_numpy()
        for name, value in all_scores(outcome.task.kind, observed, predicted).items():
            assert row[name] == pytest.approx(value, rel=1e-6, nan_ok=True)
    means = folds.groupby("model")[score.name].mean()
    assert board.score.to_dict() == pytest.approx(means.to_dict())
    assert score.utility(board.score).iloc[1:].is_monotonic_decreasing  # below the procedure, the best comes first
    assert len(tables["metrics"]) == len(folds) == 5 * 6
    assert tables["metrics"].fold.iloc[0] == "1.1"
    assert {"predictive_ability", "rmse", "seconds"} <= set(tables["metrics"])


def test_every_sample_is_predicted_once_in_each_repeat(outcome):
    counts = outcome.tables["predictions"].groupby(["model", "repeat", "sample_id"]).size()
    assert (counts == 1).all()
    assert len(counts) == 5 * 2 * 60


def test_trials_and_costs_add_up(outcome):
    trials, board = outcome.tables["trials"], outcome.tables["leaderboard"].set_index("model")
    assert set(trials.outer) == {-1, *range(6)}
    judged = sum(trial.n_fits for fold in outcome.judged for trial in fold.trials.values())
    searched = sum(t.n_fits for f in (*outcome.judged, outcome.final) for t in f.found.trials)
    assert board.n_fits["automl"] == searched + judged + 4 * 6
    assert board.n_fits[["good", "bad", "middle"]].sum() == searched + judged
    assert trials.query("outer == -1").n_folds.sum() == sum(len(t.scores) for t in outcome.final.found.trials)


def test_the_null_is_about_nothing(outcome):
    null = outcome.tables["null"]
    assert len(null) == 4
    board = outcome.tables["leaderboard"].set_index("model")
    better = (null.score >= board.score["automl"]).sum()
    assert board.p_null["automl"] == (1 + better) / 5


def test_the_interval_is_nadeaus_and_bengios():
    values, n_train, n_test = [0.7, 0.8, 0.75, 0.9], 75.0, 25.0
    half = stats.t.ppf(0.975, 3) * np.sqrt((1 / 4 + 25 / 75) * np.var(values, ddof=1))
    assert corrected_interval(values, n_train, n_test) == pytest.approx((0.7875 - half, 0.7875 + half))
    assert corrected_interval([*values, np.nan], n_train, n_test) == corrected_interval(values, n_train, n_test)
    assert np.isnan(corrected_interval([0.7], 9, 1)).all()


def test_p_values_count_the_observed_one():
    assert p_value(0.9, [0.5, 0.6, 0.4], True) == 1 / 4
    assert p_value(0.5, [0.5, 0.6, 0.4], True) == 3 / 4
    assert p_value(0.5, [0.5, 0.6, 0.4], False) == 3 / 4
    assert np.isnan(p_value(0.5, [], True))


def test_records_are_permuted_within_their_environment(rng):
    places = np.repeat(["dry", "wet"], 30)
    task = replace(fakes.task(), groups=places, grouping="environment")
    y = _permuted(task, rng)
    assert (y != task.y).any()
    for place in ("dry", "wet"):
        assert sorted(y[places == place]) == sorted(task.y[places == place])
    families = _permuted(replace(task, grouping="family"), rng)
    assert sorted(families) == sorted(task.y)
    assert sorted(families[:30]) != sorted(task.y[:30])


def test_the_narrative_has_the_counts(outcome):
    steps = outcome.narrative()
    assert [step["step"] for step in steps] == ["task", "search", "search", "stack", "nest", "null"]
    text = steps[1]["text"]
    assert text.startswith(f"3 candidates competed for the best {outcome.score.text}, on a budget of 30 fits: ")
    fits = sum(trial.n_fits for trial in outcome.final.found.trials)
    assert f" {fits} fits. 4 " in text
    score = outcome.tables["leaderboard"].score[0]
    assert f"{outcome.score.text} {score:.3f} (95 % interval" in steps[4]["text"]


def test_a_folder_is_written_and_its_model_predicts(tmp_path):
    dataset = simulate_cohort(CohortSpec(n_samples=90, n_sites=20, n_cases=40), seed=3)
    task = make_task(dataset, "Status")
    settings = replace(SMALL, candidates=("rrblup",), budget_fits=5, outer_repeats=1, permutations=2)
    outcome = automl(task, settings, tmp_path / "j")
    known = ceiling(dataset, task)
    coin = replace(dataset, trait_id=np.array([b"coin"]), levels={"coin": ("heads", "tails")}, truth=None)
    assert ceiling(coin, make_task(coin, "coin")) is None
    write_outcome(outcome, tmp_path / "out", known, [("read", "d.h5: 90 samples.")])
    record = json.loads((tmp_path / "out/task.json").read_text())
    assert record["ceiling"]["auc"] == pytest.approx(dataset.provenance["cohort"]["ceiling"]["values"]["auc"])
    assert (record["n_loci"], record["classes_counts"]) == (20, {"control": 50, "case": 40})
    assert record["covariates"] == task.feature_id[20:].tolist()
    assert json.loads((tmp_path / "out/narrative.json").read_text())[0] == {"step": "read", "text": "d.h5: 90 samples."}
    board = pd.read_csv(tmp_path / "out/leaderboard.csv")
    assert board.score[0] == pytest.approx(outcome.tables["leaderboard"].score[0], rel=1e-9)
    metrics = pd.read_csv(tmp_path / "out/metrics.csv")
    assert metrics.ceiling.to_numpy() == pytest.approx(known["predictive_ability"])
    whole, test = metrics[metrics.model == "automl"].iloc[0], outcome.judged[0].split.test
    probability = outcome.judged[0].predictions["automl"][:, 1]
    ill = dataset.truth.genetic_values[task.row[test], 0]
    assert whole.predictive_ability == pytest.approx(np.corrcoef(probability, task.y[test])[0, 1])
    assert whole.accuracy == pytest.approx(np.corrcoef(probability, ill)[0, 1])
    write_model(outcome, dataset, None, tmp_path / "out" / MODEL)
    table = load_predictor(tmp_path / "out" / MODEL).predict(dataset).table
    assert table["p_case"] == pytest.approx(outcome.estimator.predict_proba(task.X)[:, 1], abs=1e-6)


def test_the_ceiling_of_a_simulated_trait(diploids):
    task = make_task(diploids, "Trait1")
    found = ceiling(diploids, task)
    truth = diploids.truth.genetic_values[:, 0]
    assert found["r"] == pytest.approx(np.corrcoef(truth, diploids.phenotypes[:, 0])[0, 1])
    assert found["mse"] == pytest.approx(np.mean((truth - diploids.phenotypes[:, 0]) ** 2))
    assert ceiling(replace(diploids, truth=None), make_task(replace(diploids, truth=None), "Trait1")) is None


def test_the_estimate_grows_with_what_is_asked(compete):
    compete(candidate("cheap", seconds=0.1), candidate("dear", seconds=1.0))
    one = seconds_of_run(100, 10, "binary", 5, SMALL)
    assert one == pytest.approx(ESTIMATED * (0.55 * (5 * (30 + 4) + 30) + 5 * 1.1))
    assert seconds_of_run(100, 10, "binary", 10, SMALL) > one
    assert seconds_of_run(100, 10, "binary", 5, replace(SMALL, budget_seconds=7.0)) == 7
