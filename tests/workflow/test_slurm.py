"""The workflow on a Slurm cluster of our own, through the profile that we ship: the same numbers as without."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.workflow.slurm_cluster import Cluster, absent
from tests.workflow.test_workflow import SMOKE, snakemake

pytestmark = pytest.mark.slurm
TABLES = ("metrics.csv", "splits.csv", "variances.csv")


@pytest.fixture(scope="module")
def cluster():
    if missing := absent():
        pytest.skip(f"no Slurm on this machine: {', '.join(missing)} not found")
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        pytest.skip("no Slurm plugin for Snakemake: pip install -e '.[slurm]'")
    folder = Path(tempfile.mkdtemp(prefix="slurm"))  # sockets need a short path, which pytest's is not
    try:
        with Cluster(folder) as running:
            yield running
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def submit(cluster: Cluster, folder: Path, config: Path, *flags: object) -> subprocess.CompletedProcess:
    """Run the scaling experiment through the shipped profile, with the waiting that a quick test can do without."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", REPOSITORY / "workflow/Snakefile"]
    command += ["--directory", folder, "--workflow-profile", "slurm", "--default-resources", "slurm_partition=main"]
    command += ["slurm_account=nobody", "--slurm-init-seconds-before-status-checks", 1, "--latency-wait", 5]
    command += ["--seconds-between-status-checks", 1, "--slurm-no-account", "--slurm-status-command", "squeue"]
    command += ["--slurm-logdir", folder / "slurm_logs", *flags, "--config", f"scaling={config}", "--", "scaling"]
    environment = {
        **cluster.environment,
        "PATH": f"{cluster.environment['PATH']}{os.pathsep}{Path(sys.executable).parent}",
    }
    return subprocess.run(
        list(map(str, command)), env=environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=900
    )


def test_jobs_on_the_cluster_give_the_numbers_of_a_local_run(cluster, tmp_path):
    done = submit(cluster, tmp_path / "cluster", SMOKE)
    assert done.returncode == 0, done.stdout + done.stderr
    local = snakemake(tmp_path / "local", "--cores", 2)
    assert local.returncode == 0, local.stderr
    for table in TABLES:
        a, b = (pd.read_csv(tmp_path / where / "results/scaling" / table) for where in ("cluster", "local"))
        pd.testing.assert_frame_equal(*(t.drop(columns="seconds", errors="ignore") for t in (a, b)))
    jobs = cluster.finished()
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    assert len(jobs) == 4 + 2 + 1 + 1 + 1  # simulations, fits, score, figures, report; settings are written here
    for job in jobs:  # what was asked for came with it: MB, minutes, one core, no GPU
        tres = dict(item.split("=") for item in job["Tres"].split(","))
        assert tres["cpu"] == "1"
        assert 600 <= float(tres["mem"].rstrip("M")) <= 4000
        assert 10 <= int(job["TimeLimit"]) <= 60
        assert not any("gpu" in name for name in tres)


def test_a_failing_job_fails_the_run_and_shows_its_log(cluster, tmp_path):
    section = yaml.safe_load(SMOKE.read_text()) | {"models": {"rrblup": {}, "mlp": {"device": "cuda:7", "hidden": [4]}}}
    config = tmp_path / "scaling.yaml"
    config.write_text(yaml.safe_dump(section, sort_keys=False))
    before = len(cluster.finished())
    done = submit(cluster, tmp_path / "cluster", config, "--retries", 1, "--until", "scaling_fit")
    assert done.returncode != 0
    assert "device 'cuda:7' is not available here" in done.stdout + done.stderr
    failed = [job for job in cluster.finished()[before:] if job["JobState"] == "FAILED"]
    asked = [int(job["Tres"].split("mem=")[1].split("M")[0]) for job in failed]
    assert len(failed) == 2
    assert asked[1] == 2 * asked[0]  # more at the second attempt
