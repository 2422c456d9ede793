"""Tables of the AutoML experiment: they hold what the runs left, and where the causal loci rank."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from gpatlas.automl.ceiling import ceiling
from gpatlas.automl.collect import CAUSAL_COLUMNS, gather
from gpatlas.automl.explain import explain, write_explanation
from gpatlas.automl.folder import write_model, write_outcome
from gpatlas.automl.outcome import automl
from gpatlas.automl.settings import Settings
from gpatlas.automl.stages import estimate_runs, request_search, unpriced, what_happened_in_runs
from gpatlas.automl.task import make_task
from gpatlas.config import parse_any
from gpatlas.cost import Machine
from gpatlas.errors import StoreError
from gpatlas.io import write_dataset
from gpatlas.runs import dataset_path, model_path, outcome_path, runs_of
from gpatlas.simulate.cohort import simulate_cohort

COHORT = {"n_samples": 160, "n_cases": 64, "n_sites": 30, "linkage": 0.9, "allele_frequency": 0.4}
SECTION = {
    "experiment": "automl",
    "datasets": {"007": {"cohort": COHORT, "replicates": 2}},
    "search": {"candidates": ["rrblup"], "budget_fits": 2, "outer": "2x2", "inner": 2, "permutations": 2},
}
CONFIG = parse_any(SECTION)
RUNTIME = {"stage": "x", "n_rows": 1, "seconds": 1.0, "cpu_seconds": 1.0, "process_seconds": 3.0}
RUNTIME |= {"process_cpu_seconds": 2.0, "max_rss_mb": 90.0}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Both runs, as the workflow leaves them."""
    folder = tmp_path_factory.mktemp("automl")
    for run in runs_of(CONFIG):
        dataset = simulate_cohort(run.entry.cohort, run.rep)
        write_dataset(dataset, folder / dataset_path(run))
        task, settings = make_task(dataset, "Status"), Settings.of(run.entry.search, run.search_seed)
        outcome = automl(task, settings, folder / outcome_path(run) / "j")
        write_outcome(outcome, folder / outcome_path(run), ceiling(dataset, task))
        write_model(outcome, dataset, None, folder / model_path(run))
        write_explanation(explain(outcome.estimator, task, 1), folder / outcome_path(run) / "explanation")
        for product in (dataset_path(run), model_path(run)):
            (folder / product).with_suffix(".runtime.json").write_text(json.dumps(RUNTIME))
    return folder


@pytest.fixture(scope="module")
def tables(results):
    return gather(CONFIG, results)


def test_metrics_have_the_fixed_interface(tables):
    columns = list(tables["metrics"].columns)
    assert columns[:7] == ["dataset", "rep", "model", "trait_id", "fold", "n_train", "n_test"]
    assert columns[7:14] == [
        "predictive_ability", "accuracy", "dispersion", "bias", "rmse", "ceiling", "seconds"
    ]  # fmt: skip
    assert columns[14] == "auc"
    assert (tables["metrics"].dataset == "007").all()
    assert sorted(set(tables["metrics"].fold)) == ["1.1", "1.2", "2.1", "2.2"]
    assert len(tables["metrics"]) == 2 * 4 * 3  # runs × outer folds × (candidate, its stack, the search)


def test_scores_are_those_of_the_leaderboard(tables, results):
    for row in tables["scores"].query("selected_by").itertuples():
        folder = results / f"007/rep~{row.rep}/automl"
        whole = pd.read_csv(folder / "leaderboard.csv").query("model == 'automl'").iloc[0]
        assert (row.score, row.lower, row.upper) == pytest.approx((whole.score, whole.lower, whole.upper))
        assert row.p_null == pytest.approx(whole.p_null)
        assert row.ceiling == pytest.approx(json.loads((folder / "task.json").read_text())["ceiling"]["auc"])
        assert (row.chosen, row.metric, row.source) == ("rrblup", "auc", "cohort")
    assert set(tables["scores"].metric) > {"auc", "accuracy_class", "log_loss"}
    assert tables["scores"].selected_by.sum() == 2


def test_causal_loci_rank_as_the_explanation_says(tables, results):
    """Loci that are shuffled together share a rank; brute force over the table of importances."""
    causal = tables["causal"]
    assert list(causal.columns) == ["dataset", "rep", *CAUSAL_COLUMNS]
    assert len(causal) == 4
    linked = 0
    for row in causal.itertuples():
        folder = results / f"007/rep~{row.rep}/automl/explanation"
        table = pd.read_csv(folder / "permutation_importance.csv", keep_default_na=False).query("kind == 'locus'")
        [place] = [
            k
            for k, (first, others) in enumerate(zip(table.feature, table.linked, strict=True), start=1)
            if row.locus_id in (first, *others.split(";"))
        ]
        assert (row.rank, row.importance) == (place, pytest.approx(table.importance.iloc[place - 1]))
        linked += table.feature.iloc[place - 1] != row.locus_id
        effects = pd.read_csv(folder / "marker_effects.csv").set_index("locus_id")
        assert row.p_rank == 1 + (effects.p < effects.p[row.locus_id]).sum()
    assert set(causal.n_causal) == {2}
    assert 0 < linked < 4  # both cases are there


def test_runs_that_are_not_explained_have_no_causal_loci(results):
    config = parse_any(SECTION | {"search": SECTION["search"] | {"explain": False}})
    causal = gather(config, results)["causal"]
    assert causal.empty
    assert list(causal.columns) == ["dataset", "rep", *CAUSAL_COLUMNS]


def test_a_run_that_has_not_finished_is_one_line(results, tmp_path):
    shutil.copytree(results, tmp_path / "r")
    (tmp_path / "r/007/rep~2/automl/metrics.csv").unlink()
    with pytest.raises(StoreError, match=r"rep~2/automl/metrics\.csv: no such file"):
        gather(CONFIG, tmp_path / "r")


class TestCost:
    """What the experiment costs, and what it did."""

    machine = Machine(2, 1e11)

    def test_stages(self, results, tmp_path):
        stages = {stage.name: stage for stage in estimate_runs(CONFIG, self.machine)}
        assert {name: stage.jobs for name, stage in stages.items()} == {
            "simulate": 2, "automl": 2, "figures, report": 4
        }  # fmt: skip
        (tmp_path / "automl").symlink_to(results)
        assert estimate_runs(CONFIG, self.machine, tmp_path) == []  # nothing is left to do

    def test_more_is_asked_for_more(self):
        def seconds(**search):
            config = parse_any(SECTION | {"search": SECTION["search"] | search})
            return {stage.name: stage.seconds for stage in estimate_runs(config, self.machine)}["automl"]

        assert seconds(budget_fits=40) > seconds()
        assert seconds(permutations=40) > seconds()
        budget = {"budget_seconds": 100.0}
        assert seconds(**budget) == pytest.approx(2 * 100 + (seconds(**budget) - 200))
        assert 200 < seconds(**budget) < 220

    def test_files_are_priced_when_they_are_known(self):
        files = {"files": {"genotypes": "nothing.vcf"}, "trait": "yield"}
        config = parse_any(SECTION | {"datasets": {"mine": files}})
        assert unpriced(config) == ["mine"]
        assert [stage.name for stage in estimate_runs(config, self.machine)] == ["import", "figures, report"]
        [run] = runs_of(config)
        assert request_search(run, 2).mem_mb == 16_000

    def test_what_happened(self, results, tmp_path):
        (tmp_path / "automl").symlink_to(results)
        happened, _ = what_happened_in_runs(CONFIG, tmp_path)
        assert {name: (real.jobs, real.seconds) for name, real in happened.items()} == {
            "simulate": (2, 4.0), "automl": (2, 4.0)
        }  # fmt: skip


def test_scores_of_all_samples_are_within_their_interval(tables):
    selected = tables["scores"].query("selected_by")
    assert (selected.lower <= selected.score).all()
    assert (selected.score <= selected.upper).all()
    assert np.isfinite(selected.ceiling).all()
