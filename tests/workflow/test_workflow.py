"""The workflow: style, dry runs, one tiny real run, the same bytes on any number of cores, and what reruns when."""

import filecmp
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import product
from pathlib import Path

import pandas as pd
import pytest
import yaml

from gpatlas.evaluate.metrics import METRICS
from gpatlas.io import read_dataset
from tests.conftest import REPOSITORY

EXPERIMENTS = ("scaling", "dilution", "pleiotropy", "frontier", "automl", "gpfn", "perceiver")
SMOKE = REPOSITORY / "tests/smoke/scaling.yaml"
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def snakemake(
    folder: Path, *arguments: object, target: str = "scaling", config: Path | None = None
) -> subprocess.CompletedProcess:
    """Run one experiment, or `all`, at its smallest, or the one that is the target with another configuration."""
    files = {name: SMOKE.with_name(f"{name}.yaml") for name in EXPERIMENTS} | ({target: config} if config else {})
    command = ["snakemake", "--snakefile", REPOSITORY / "workflow/Snakefile", "--directory", folder]
    command += ["--config", *(f"{name}={file}" for name, file in files.items()), *arguments, "--", target]
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)], capture_output=True, text=True, env=ENVIRONMENT, cwd=REPOSITORY
    )


def planned(done: subprocess.CompletedProcess) -> dict[str, int]:
    """Jobs of a dry run by rule, without the experiment's name before it."""
    assert done.returncode == 0, done.stderr
    table = (done.stdout + done.stderr).split("Job stats:")[1]  # it is printed twice
    counts = re.findall(rf"^(?:(?:{'|'.join(EXPERIMENTS)})_)?(\w+) +(\d+)$", table, flags=re.MULTILINE)
    total = Counter()
    for rule, n in counts:
        total[rule] += int(n)
    return {rule: n for rule, n in total.items() if rule not in ("total", "all", *EXPERIMENTS)}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A finished run of every experiment at its smallest, on two cores."""
    folder = tmp_path_factory.mktemp("two_cores")
    done = snakemake(folder, "--cores", 2, target="all")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def copy(run, tmp_path) -> Path:
    """The finished run, to be changed."""
    shutil.copytree(run, tmp_path / "run", symlinks=True)
    return tmp_path / "run"


def edited(tmp_path: Path, **changes) -> Path:
    section = yaml.safe_load(SMOKE.read_text()) | changes
    (tmp_path / "scaling.yaml").write_text(yaml.safe_dump(section, sort_keys=False))
    return tmp_path / "scaling.yaml"


def test_lint():
    """All of snakemake's lints but one: the environment is the run script's, not a rule's."""
    done = snakemake(REPOSITORY, "--lint")
    found = set(re.findall(r"^    \* (.+?):?$", done.stdout + done.stderr, flags=re.MULTILINE))
    assert found <= {"Specify a conda environment or container for each rule."}


def test_dry_run_of_what_we_ship(tmp_path):
    laptop = planned(snakemake(tmp_path, "-n", config=REPOSITORY / "config/scaling.yaml"))
    assert laptop["simulate"] > 20
    assert laptop["figures"] == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("experiment", "rows"), [("scaling", 280), ("dilution", 40), ("pleiotropy", 250), ("frontier", 1164)]
)
def test_dry_run_of_the_published_grids(tmp_path, experiment, rows):
    config = REPOSITORY / f"config/published/{experiment}.yaml"
    plan = planned(snakemake(tmp_path, "-n", target=experiment, config=config))
    assert plan["simulate"] == rows
    assert plan.get("tune", 0) == {"dilution": 80, "pleiotropy": 250}.get(experiment, 0)


@pytest.mark.parametrize(
    ("experiment", "cells", "less"),
    [
        ("scaling", 10, {"n_samples": [1_000_000]}),
        ("dilution", 8, {}),
        ("pleiotropy", 10, {"genetic_correlation": [0]}),
        ("frontier", 24, {"n_samples": [1_000_000]}),
    ],
)
def test_dry_run_of_a_part_of_the_published_grids(tmp_path, experiment, cells, less):
    """One replicate, and the largest populations where there are many."""
    section = yaml.safe_load((REPOSITORY / f"config/published/{experiment}.yaml").read_text())
    config = tmp_path / f"{experiment}.yaml"
    config.write_text(yaml.safe_dump(section | {"replicates": 1} | less, sort_keys=False))
    plan = planned(snakemake(tmp_path, "-n", target=experiment, config=config))
    assert plan["simulate"] == cells
    assert plan.get("tune", 0) == {"dilution": 16, "pleiotropy": 10}.get(experiment, 0)


def test_dry_run_of_searches(tmp_path):
    """Simulated data of both kinds and a user's files, each by its own verb."""
    config = yaml.safe_load(SMOKE.with_name("automl.yaml").read_text())
    (tmp_path / "lines.vcf").write_text("")
    (tmp_path / "trials.csv").write_text("")
    population = yaml.safe_load((REPOSITORY / "config/automl.yaml").read_text())["datasets"]["polygenic"]["population"]
    config["datasets"]["clinic"]["replicates"] = 3
    config["datasets"]["polygenic"] = {"population": population}
    config["datasets"]["mine"] = {"files": {"genotypes": "lines.vcf", "phenotypes": "trials.csv"}, "trait": "yield"}
    (tmp_path / "automl.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    done = snakemake(tmp_path, "-n", "--printshellcmds", target="automl", config=tmp_path / "automl.yaml")
    plan = planned(done)
    expected = {"simulate_cohort": 3, "simulate": 1, "import_genotypes": 1, "score": 1, "figures": 2, "report": 1}
    assert plan == expected | {"configuration": 1}
    assert (done.stdout + done.stderr).count("Shell command: gpatlas automl results") == 5
    del config["datasets"]["clinic"]
    (tmp_path / "automl.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    done = snakemake(tmp_path, "-n", target="automl", config=tmp_path / "automl.yaml")
    assert planned(done)["figures"] == 1
    assert "automl_cohort is not drawn: no data set is a cohort" in done.stderr


def test_an_experiment_of_ones_own_on_real_data_alone(tmp_path):
    """A configuration on the command line is the experiment: no panel of the shipped one is added."""
    (tmp_path / "lines.vcf").write_text("")
    (tmp_path / "trials.csv").write_text("")
    files = {"genotypes": "lines.vcf", "phenotypes": "trials.csv"}
    lines = {"files": files, "traits": ["dry", "wet"], "n_samples": 200, "n_markers": 900, "splits": 3}
    section = yaml.safe_load(SMOKE.with_name("perceiver.yaml").read_text()) | {"data": {"lines": lines}}
    del section["panels"], section["trait"]
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(section, sort_keys=False))
    shutil.copytree(REPOSITORY / "config", tmp_path / "config")
    command = ["-m", "snakemake", "-s", REPOSITORY / "workflow/perceiver.smk", "--directory", tmp_path, "-n"]
    command += ["--configfile", tmp_path / "own.yaml"]
    plan = planned(
        subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, env=ENVIRONMENT)
    )
    assert {rule: plan[rule] for rule in ("import_data", "import_panel", "pretrain", "split")} == {
        "import_data": 1,
        "import_panel": 1,
        "pretrain": 1,
        "split": 6,
    }
    assert "simulate" not in plan


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_experiment_runs_by_itself_too(tmp_path, experiment):
    folder = "workflow" if experiment in ("automl", "gpfn", "perceiver") else "workflow_sims"
    command = ["-m", "snakemake", "-s", REPOSITORY / folder / f"{experiment}.smk", "--directory", tmp_path, "-n"]
    command += ["--configfile", SMOKE.with_name(f"{experiment}.yaml"), "--config", "seed=5"]
    (tmp_path / "config").mkdir()
    shutil.copy(SMOKE.with_name(f"{experiment}.yaml"), tmp_path / "config")
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr


def test_a_tiny_gpfn(run):
    results = run / "results/gpfn"
    metrics, splits = (pd.read_csv(results / f"{name}.csv") for name in ("metrics", "splits"))
    assert len(metrics) == 2 * 3  # populations × models
    assert list(metrics.columns[:5]) == ["prior", "law", "n_samples", "n_markers", "rep"]
    assert metrics.accuracy.notna().all()
    assert splits.coverage_90.notna().tolist() == (splits.model == "gpfn").tolist()
    assert "pretrain" in set(pd.read_csv(results / "runtimes.csv").stage)
    assert len(list((results / "figures/fig6_gpfn").glob("*.svg"))) == 2
    page = (run / "results/report.html").read_text()
    assert "Figure 6B" in page
    assert "GPFN: networks trained on simulated breeding populations" in page


def test_a_tiny_perceiver(run):
    results = run / "results/perceiver"
    metrics, imputation = (pd.read_csv(results / f"{name}.csv") for name in ("metrics", "imputation"))
    models = yaml.safe_load(SMOKE.with_name("perceiver.yaml").read_text())["models"]
    assert len(metrics) == 4 * 2 * len(models)  # trials × environments × models
    assert list(metrics.columns[:5]) == ["data", "n_samples", "n_markers", "n_phenotyped", "rep"]
    assert (metrics.n_test == 18).all()
    assert (metrics[metrics.model == "rrblup"].n_train == metrics[metrics.model == "rrblup"].n_phenotyped).all()
    assert metrics.accuracy.notna().all()
    called, imputed = (metrics[metrics.model == model] for model in ("rrblup", "rrblup_imputed"))
    assert (called.predictive_ability.to_numpy() != imputed.predictive_ability.to_numpy()).all()
    assert "impute" in set(pd.read_csv(results / "runtimes.csv").stage)
    assert list(imputation.columns) == ["data", "recipe", "class", "n_calls", "model", "accuracy"]
    assert "Figure 7A" in (run / "results/report.html").read_text()


def test_draws_beforehand_in_shards(tmp_path):
    done = snakemake(tmp_path, "-n", "--config", "draw_shards=3", target="gpfn")
    assert planned(done)["draw"] == 3


def test_dry_run_of_real_data(tmp_path):
    """Files are read once, and split once for each row."""
    (tmp_path / "lines.vcf").write_text("")
    (tmp_path / "trials.csv").write_text("")
    files = {"genotypes": "lines.vcf", "phenotypes": "trials.csv"}
    lines = {"files": files, "traits": ["yield"], "n_samples": 200, "n_markers": 900, "splits": 4}
    section = yaml.safe_load(SMOKE.with_name("gpfn.yaml").read_text()) | {"data": {"lines": lines}}
    (tmp_path / "gpfn.yaml").write_text(yaml.safe_dump(section, sort_keys=False))
    plan = planned(snakemake(tmp_path, "-n", target="gpfn", config=tmp_path / "gpfn.yaml"))
    assert (plan["import_data"], plan["split"], plan["simulate"]) == (1, 4, 2)


def test_a_tiny_real_run(run):
    results = run / "results/scaling"
    metrics = pd.read_csv(results / "metrics.csv")
    assert len(metrics) == 4 * 2 * 2  # populations × traits × models
    assert list(metrics.columns[:6]) == ["n_samples", "qtl_scaling", "heritability", "n_qtl", "rep", "rel_aa"]
    assert metrics.predictive_ability.between(-1, 1).all()
    assert (metrics.ceiling > 0.99).all()
    assert {"metrics.csv", "runtimes.csv", "splits.csv", "variances.csv"} <= {p.name for p in results.iterdir()}
    figures = [p.suffix for p in (results / "figures/fig1_scaling").iterdir() if not p.name.startswith(".")]
    assert sorted(figures) == [".png"] * 3 + [".svg"] * 3
    assert "<svg" not in (run / "results/report.html").read_text()  # figures are embedded as data
    assert (run / "results/report.html").stat().st_size > 50_000
    runtimes = pd.read_csv(results / "runtimes.csv")
    assert (runtimes.stage == "simulate").sum() == 4
    assert (runtimes.cpu_seconds <= runtimes.process_cpu_seconds).all()


def test_a_tiny_dilution(run):
    """Selected loci and tuned hyperparameters are where they should be."""
    results = run / "results/dilution"
    metrics, splits = (pd.read_csv(results / f"{name}.csv") for name in ("metrics", "splits"))
    assert len(metrics) == 4 * 2 * 3
    assert list(metrics.columns[:6]) == ["n_samples", "n_qtl", "n_markers", "heritability", "rep", "rel_aa"]
    selected = pd.read_csv(results / "selected.csv")
    counts = splits.dropna(subset=["n_selected"])
    assert set(counts.model) == {"lasso_pruned", "lasso_mlp"}
    assert len(selected) == counts.n_selected.sum()
    kept = selected.groupby(["model", "n_markers", "rep", "trait_id"]).is_qtl.mean()
    precision = counts.set_index(["model", "n_markers", "rep", "trait_id"]).precision.dropna()
    pd.testing.assert_series_equal(kept.sort_index(), precision.sort_index(), check_names=False)
    tuned = sorted(results.rglob("rep~*/lasso_mlp/hparams.json"))
    assert [path.parents[1].name for path in tuned] == ["rep~1", "rep~1"]  # the first replicate of each cell
    assert all(len(pd.read_csv(next(path.parent.glob("*.trials.csv")))) == 2 for path in tuned)
    assert all((path.parent / "tuning.svg").exists() for path in tuned)
    assert (pd.read_csv(results / "runtimes.csv").stage == "tune").sum() == 2
    assert len(list((results / "figures/fig2_dilution").glob("*.svg"))) == 3


def test_a_tiny_pleiotropy(run):
    results = run / "results/pleiotropy"
    metrics = pd.read_csv(results / "metrics.csv")
    assert len(metrics) == 4 * 2 * 3
    assert set(metrics.pairing) == {"shared", "separate"}
    assert set(metrics.genetic_correlation) == {0, 0.5}
    assert len(list((results / "figures/fig3_pleiotropy").glob("*.svg"))) == 4


def test_a_tiny_frontier(run):
    results = run / "results/frontier"
    metrics = pd.read_csv(results / "metrics.csv")
    assert list(metrics.columns[:6]) == ["n_samples", "qtl_scaling", "heritability", "architecture", "n_qtl", "rep"]
    assert metrics.groupby("model").size().to_dict() == {"rrblup": 6, "mlp": 3, "interaction_screening": 6}
    assert set(metrics.architecture) == {"sparse", "dense", "triples"}
    pairs, splits = (pd.read_csv(results / f"{name}.csv") for name in ("pairs", "splits"))
    found = splits.dropna(subset=["n_pairs"])
    assert set(found.model) == {"interaction_screening"}
    assert len(pairs) == found.n_pairs.sum() > 0
    assert (~pairs.is_pair).sum() == found.pair_false.sum()
    assert len(list((results / "figures/fig4_frontier").glob("*.svg"))) == 2


def test_a_tiny_search(run):
    results = run / "results/automl"
    metrics, scores, causal, runtimes = (
        pd.read_csv(results / f"{name}.csv") for name in ("metrics", "scores", "causal", "runtimes")
    )
    fixed = ["model", "trait_id", "fold", "n_train", "n_test", *METRICS, "seconds"]
    assert list(metrics.columns[:14]) == ["dataset", "rep", *fixed]
    assert len(metrics) == 2 * metrics.model.nunique() == 8  # two folds of two candidates, the stack and the search
    assert metrics.predictive_ability.between(-1, 1).all()
    assert metrics.accuracy.notna().all()
    assert metrics.ceiling.between(0.5, 1).all()
    [auc] = scores[scores.selected_by].itertuples()
    assert (auc.metric, auc.kind, auc.n_samples, auc.source) == ("auc", "binary", 120, "cohort")
    assert auc.lower <= auc.score <= auc.upper
    assert len(causal) == 2
    assert list(runtimes.stage) == ["simulate", "automl"]
    assert (runtimes.cpu_seconds <= runtimes.process_cpu_seconds).all()
    assert len(list((results / "figures/automl_cohort").glob("*.svg"))) == 9
    assert len(list((results / "figures/fig5_automl").glob("*.svg"))) == 2
    page = (run / "results/report.html").read_text()
    assert 'href="automl/clinic/rep~1/automl/report.html"' in page
    assert (run / "results/automl/clinic/rep~1/automl/report.html").exists()


def test_a_search_that_was_killed_goes_on_with_its_journal(copy):
    """The journal is kept: fits that it holds are not done again, and the same comes out."""
    folder = copy / "results/automl/clinic/rep~1/automl"
    before = pd.read_csv(folder / "leaderboard.csv")
    [journal] = folder.glob("*.journal")
    n_bytes = journal.stat().st_size
    (folder / "model.gpatlas").unlink()
    (copy / "results/automl/metrics.csv").unlink()
    done = snakemake(copy, "--cores", 2, "--until", "automl_automl", target="automl")
    assert done.returncode == 0, done.stdout + done.stderr
    assert journal.stat().st_size < 1.05 * n_bytes
    pd.testing.assert_frame_equal(pd.read_csv(folder / "leaderboard.csv"), before)


def test_more_trials_go_on_with_the_journal(copy, tmp_path):
    """The journal is kept, so that the two trials that are there are not run again."""
    section = yaml.safe_load(SMOKE.with_name("dilution.yaml").read_text())
    section["models"]["lasso_mlp"]["tune"]["n_trials"] = 3
    (tmp_path / "dilution.yaml").write_text(yaml.safe_dump(section, sort_keys=False))
    more = ("--until", "dilution_tune")
    done = snakemake(copy, "--cores", 2, *more, target="dilution", config=tmp_path / "dilution.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    logs = [path.read_text() for path in copy.rglob("tune.log")]
    assert len(logs) == 2
    assert all("2 of 3 trials were in" in log for log in logs)


def test_what_happened_is_shown_beside_the_estimate(run, gpatlas):
    done = gpatlas("cost", SMOKE, "--compare", "--results", run / "results", "--cores", 2)
    assert done.returncode == 0, done.stderr
    stages = re.findall(r"^scaling +(\w+(?: \w+)?) +(\d+ of \d+) ", done.stdout, flags=re.MULTILINE)
    assert stages == [("simulate", "4 of 4"), ("fit rrblup", "1 of 1"), ("fit mlp", "1 of 1")]
    assert "from first product to last: " in done.stdout


def test_nothing_is_left_to_do(run):
    done = snakemake(run, "-n", target="all")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_one_core_gives_the_same_bytes_as_two(run, tmp_path):
    """What is simulated, tuned, searched and scored; figures take longer than all of it."""
    designed, searched = ("scaling", "dilution"), "automl"
    names = (*designed, searched)
    done = snakemake(tmp_path, "--cores", 1, "--until", *(f"{name}_score" for name in names), target="all")
    assert done.returncode == 0, done.stderr
    datasets = [path.relative_to(run) for name in names for path in (run / "results" / name).rglob("dataset.h5")]
    assert len(datasets) == 4 + 4 + 1
    for path in datasets:
        assert filecmp.cmp(run / path, tmp_path / path, shallow=False), path
    of_design = product(designed, ("metrics", "splits", "selected", "pairs", "variances"))
    for experiment, table in (*of_design, *product([searched], ("metrics", "scores", "causal"))):
        a, b = (pd.read_csv(folder / "results" / experiment / f"{table}.csv") for folder in (run, tmp_path))
        pd.testing.assert_frame_equal(
            a.drop(columns="seconds", errors="ignore"), b.drop(columns="seconds", errors="ignore")
        )


def test_populations_differ(run):
    hashes = [read_dataset(path).content_hash for path in run.rglob("dataset.h5")]
    assert len(hashes) == len(set(hashes)) == 25


def test_a_lost_result_is_made_again_and_nothing_else(copy):
    results = copy / "results/scaling"
    next(results.rglob("mlp/predictions.h5")).unlink()
    (results / "metrics.csv").unlink()
    assert planned(snakemake(copy, "-n")) == {"fit": 1, "score": 1, "figures": 1, "report": 1}


def test_a_new_model_refits_no_other_and_simulates_nothing(copy, tmp_path):
    models = yaml.safe_load(SMOKE.read_text())["models"] | {"ridge_loo": {"model": "rrblup", "penalty": "loo"}}
    plan = planned(snakemake(copy, "-n", config=edited(tmp_path, models=models)))
    assert plan == {"configuration": 1, "hparams": 1, "fit": 1, "score": 1, "figures": 1, "report": 1}


def test_a_changed_hyperparameter_refits_its_model(copy, tmp_path):
    models = yaml.safe_load(SMOKE.read_text())["models"] | {"mlp": {"hidden": [8], "max_epochs": 3}}
    plan = planned(snakemake(copy, "-n", config=edited(tmp_path, models=models)))
    assert plan["fit"] == 1
    assert "simulate" not in plan


def test_a_changed_heritability_simulates_anew(copy, tmp_path):
    plan = planned(snakemake(copy, "-n", config=edited(tmp_path, heritability=0.5)))
    assert plan["simulate"] == 4


def test_more_replicates_simulate_only_the_new(copy, tmp_path):
    plan = planned(snakemake(copy, "-n", config=edited(tmp_path, replicates=3)))
    assert plan["simulate"] == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"qtl_scalling": 1}, "unknown key 'qtl_scalling'; did you mean 'qtl_scaling'?"),
        ({"heritability": 2}, "heritability.0: input should be less than or equal to 1, not 2"),
    ],
)
def test_a_mistake_in_the_configuration_stops_before_anything_runs(tmp_path, changes, message):
    done = snakemake(tmp_path, "--cores", 1, config=edited(tmp_path, **changes))
    assert done.returncode != 0
    assert message in done.stderr
    assert not (tmp_path / "results").exists()


def test_a_failing_job_shows_its_log(tmp_path):
    models = {"rrblup": {}, "mlp": {"learning_rat": 1}}
    done = snakemake(tmp_path, "--cores", 1, config=edited(tmp_path, models=models))
    assert done.returncode != 0
    assert "unknown hyperparameter 'learning_rat'; did you mean 'learning_rate'?" in done.stdout + done.stderr


def test_figures_that_need_an_absent_model_are_named(tmp_path):
    done = snakemake(tmp_path, "-n")
    assert "supp_linear_check is not drawn: no model linear_sgd" in done.stderr


def test_a_killed_run_goes_on(run, tmp_path):
    """Killed without mercy in the middle, run again: the same results as of an unbroken run."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "workflow/Snakefile")]
    command += ["--directory", str(tmp_path), "--config", f"scaling={SMOKE}", "--cores", "1", "--", "scaling"]
    first = subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    while not list(tmp_path.rglob("hparams/*.json")):
        time.sleep(0.05)
        assert first.poll() is None
    time.sleep(1.0)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert not list(tmp_path.rglob("metrics.csv"))
    assert snakemake(tmp_path, "--unlock").returncode == 0
    done = snakemake(tmp_path, "--cores", 2, "--until", "scaling_score")
    assert done.returncode == 0, done.stderr
    a, b = (pd.read_csv(folder / "results/scaling/metrics.csv") for folder in (run, tmp_path))
    pd.testing.assert_frame_equal(a.drop(columns="seconds"), b.drop(columns="seconds"))


def environment_is_current() -> bool:
    """Whether the run script would find its environment made (elsewhere it would make one, which takes minutes)."""
    stamp = REPOSITORY / ".venv/stamp"
    wanted = subprocess.run(
        "cat pyproject.toml constraints.txt | cksum", shell=True, cwd=REPOSITORY, capture_output=True
    )
    return stamp.exists() and stamp.read_bytes() == wanted.stdout


@pytest.mark.skipif(not environment_is_current(), reason="the run script's environment is not made")
class TestRunScript:
    """The command that people type."""

    @staticmethod
    def run(*arguments: str) -> subprocess.CompletedProcess:
        command = ["bash", str(REPOSITORY / "run_snakemake_pipeline.sh"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd="/")

    def test_a_dry_run_says_the_cost_and_the_plan(self):
        done = self.run("scaling", "-n", "--cores", "2", "--scale", "published")
        assert done.returncode == 0, done.stderr
        assert "time of one core" in done.stdout
        assert "Estimate: " in done.stdout
        assert "on 2 cores" in done.stdout
        assert "scaling_simulate" in done.stdout + done.stderr
        assert "Report:" not in done.stdout  # nothing was made

    def test_what_does_not_fit_is_refused_and_started_anyway(self, tmp_path):
        config = edited(tmp_path, n_samples=[10**9], qtl_scaling=[0.1])
        refused = self.run("scaling", "--config", f"scaling={config}")
        assert refused.returncode == 2
        assert "gpatlas: error: scaling: " in refused.stderr
        plan = self.run("scaling", "-n", "--config", f"scaling={config}")
        assert plan.returncode == 0
        assert "gpatlas: warning: scaling: " in plan.stderr

    def test_flags_pass_through(self):
        assert "scaling_simulate" in self.run("--list-rules").stdout
        assert "Estimate" not in self.run("--version").stdout

    def test_another_scale_is_refused(self):
        done = self.run("--scale", "huge")
        assert done.returncode == 2
        assert done.stderr.strip() == "error: --scale huge: it must be laptop or published"

    def test_an_unknown_experiment_is_refused(self):
        done = self.run("scalling", "-n")
        assert done.returncode == 2
        known = " ".join(EXPERIMENTS)
        assert done.stderr.strip() == f"error: no experiment 'scalling'; known are: {known}, all"

    def test_a_mistake_stops_before_snakemake(self, tmp_path):
        config = edited(tmp_path, qtl_scalling=1)
        done = self.run("--config", f"scaling={config}", "-n")
        assert done.returncode == 2
        assert done.stderr.strip().endswith("unknown key 'qtl_scalling'; did you mean 'qtl_scaling'?")
