"""The workflow: style, dry runs, one tiny real run, the same bytes on any number of cores, and what reruns when."""

import filecmp
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import yaml

from gpatlas.io import read_dataset
from tests.conftest import REPOSITORY

SMOKE = REPOSITORY / "tests/smoke/scaling.yaml"
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def snakemake(folder: Path, *arguments: object, config: Path = SMOKE) -> subprocess.CompletedProcess:
    command = ["snakemake", "--snakefile", REPOSITORY / "workflow/Snakefile", "--directory", folder]
    command += ["--config", f"scaling={config}", *arguments]
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)], capture_output=True, text=True, env=ENVIRONMENT, cwd=REPOSITORY
    )


def planned(done: subprocess.CompletedProcess) -> dict[str, int]:
    """Jobs of a dry run by rule, without `scaling_`."""
    assert done.returncode == 0, done.stderr
    table = (done.stdout + done.stderr).split("Job stats:")[1]  # it is printed twice
    counts = re.findall(r"^(?:scaling_)?(\w+) +(\d+)$", table, flags=re.MULTILINE)
    total = Counter()
    for rule, n in counts:
        total[rule] += int(n)
    return {rule: n for rule, n in total.items() if rule not in ("total", "all", "scaling")}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A finished run of the smallest experiment, on two cores."""
    folder = tmp_path_factory.mktemp("two_cores")
    done = snakemake(folder, "--cores", 2)
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
    published = planned(snakemake(tmp_path, "-n", config=REPOSITORY / "config/published/scaling.yaml"))
    assert published["simulate"] == 280


def test_an_experiment_runs_by_itself_too(tmp_path):
    command = ["-m", "snakemake", "-s", REPOSITORY / "workflow_sims/scaling.smk", "--directory", tmp_path, "-n"]
    command += ["--configfile", SMOKE, "--config", "seed=5"]
    (tmp_path / "config").mkdir()
    shutil.copy(SMOKE, tmp_path / "config/scaling.yaml")
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr


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


def test_nothing_is_left_to_do(run):
    done = snakemake(run, "-n")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_one_core_gives_the_same_bytes_as_two(run, tmp_path):
    done = snakemake(tmp_path, "--cores", 1)
    assert done.returncode == 0, done.stderr
    datasets = sorted(p.relative_to(run) for p in run.rglob("dataset.h5"))
    assert len(datasets) == 4
    for path in datasets:
        assert filecmp.cmp(run / path, tmp_path / path, shallow=False), path
    for table in ("metrics.csv", "splits.csv", "variances.csv"):
        a, b = (pd.read_csv(folder / "results/scaling" / table) for folder in (run, tmp_path))
        pd.testing.assert_frame_equal(
            a.drop(columns="seconds", errors="ignore"), b.drop(columns="seconds", errors="ignore")
        )


def test_populations_differ(run):
    hashes = {read_dataset(path).content_hash for path in run.rglob("dataset.h5")}
    assert len(hashes) == 4


def test_a_lost_result_is_made_again_and_nothing_else(copy):
    next(copy.rglob("mlp/predictions.h5")).unlink()
    next(copy.rglob("metrics.csv")).unlink()
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
