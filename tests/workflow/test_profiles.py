"""Profiles: how the workflow runs elsewhere, and what its jobs ask for."""

import importlib.util
import re

import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.workflow.test_workflow import snakemake

PROFILES = sorted(path.parent.name for path in REPOSITORY.glob("workflow/profiles/*/config.yaml"))


def dry_run(folder, *flags: object) -> str:
    """What a dry run prints."""
    done = snakemake(folder, "-n", *flags)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def plan(tmp_path_factory) -> str:
    """The dry run on one core."""
    return dry_run(tmp_path_factory.mktemp("plan"), "--cores", 1)


def asked(plan: str, rule: str) -> list[dict[str, str]]:
    """Resources of a rule's jobs in a dry run."""
    found = re.findall(rf"^(?:local)?rule {rule}:\n(?:    .*\n)*?    resources: (.*)$", plan, re.M)
    assert found, plan
    return [dict(item.split("=", 1) for item in line.split(", ")) for line in found]


def test_profiles_say_how_and_not_what():
    assert PROFILES == ["default", "gpu", "slurm"]
    folder = REPOSITORY / "workflow/profiles"
    settings = {name: yaml.safe_load((folder / name / "config.yaml").read_text()) for name in PROFILES}
    shared = set(settings["default"]) - {"cores"}
    for name, of_profile in settings.items():
        assert "config" not in of_profile
        assert {key: of_profile[key] for key in shared} == {key: settings["default"][key] for key in shared}, name
    assert "default-resources" not in settings["slurm"]  # partition and account are the user's


def test_jobs_ask_for_memory_and_time(plan):
    for rule in ("scaling_simulate", "scaling_fit", "scaling_score", "scaling_figures", "scaling_report"):
        for job in asked(plan, rule):
            assert 600 <= int(job["mem_mb"]) <= 4000
            assert 10 <= int(job["runtime"]) <= 60


def test_networks_ask_for_a_gpu_where_there_are_some_to_give(plan, tmp_path):
    of_two = dry_run(tmp_path, "--cores", 1, "--resources", "gpu=2")
    without, given = asked(plan, "scaling_fit"), asked(of_two, "scaling_fit")
    assert [job["gpu"] for job in without] == ["0", "0"]
    assert sorted(job["gpu"] for job in given) == ["0", "1"]


def test_small_networks_share_a_gpu(tmp_path):
    jobs = asked(dry_run(tmp_path, "--workflow-profile", "gpu"), "scaling_fit")
    shares = sorted(int(job["gpu_share"]) for job in jobs)
    assert shares[0] == 0  # rrBLUP
    assert 0 < shares[1] <= 10


@pytest.mark.skipif(
    importlib.util.find_spec("snakemake_executor_plugin_slurm") is None,
    reason="no Slurm plugin for Snakemake: pip install -e '.[slurm]'",
)
def test_partition_and_account_come_from_the_command_line(tmp_path):
    flags = ("--workflow-profile", "slurm", "--default-resources", "slurm_partition=short", "slurm_account=lab")
    for job in asked(dry_run(tmp_path, *flags), "scaling_fit"):
        assert (job["slurm_partition"], job["slurm_account"]) == ("short", "lab")
        assert "gpu_share" in job


def test_names_can_be_handed_to_a_cluster(plan):
    """Snakemake sends a job as `rule:name=value,name=value`, so that no value may hold a comma."""
    lines = re.findall(r"^    wildcards: (.*)$", plan, re.M)
    assert len(lines) >= 6
    assert all(re.fullmatch(r"(\w+=[^,]+)(, \w+=[^,]+)*", line) for line in lines)
