"""`gpatlas automl` on files as users have them: what it reads, what it refuses, what it leaves in its folder."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.conftest import one_line_error

QUICK = ("--candidates", "rrblup,knn", "--budget-fits", "4", "--outer", "2x1", "--permutations", "0")


@pytest.fixture(scope="module")
def clinic(gpatlas, tmp_path_factory):
    """A VCF, a table with two traits, a covariate and a note, and a munged dataset file of both."""
    folder = tmp_path_factory.mktemp("clinic")
    cohort = ("--set", "n_samples=80", "--set", "n_cases=35", "--set", "n_sites=30")
    done = gpatlas("simulate-cohort", *cohort, "--out", folder)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(folder / "phenotypes.csv")
    table["Weight"] = np.random.default_rng(1).normal(70, 10, 80).round(1)
    table["Stage"] = np.arange(80) % 3
    table["Broken"] = ["oops", *table["Weight"][1:]]
    table.to_csv(folder / "table.csv", index=False)
    vcf, raw = folder / "genotypes.vcf.gz", folder / "raw.h5"
    options = ("--traits", "Status,Weight", "--covariates", "Gender")
    done = gpatlas("import", vcf, "--phenotypes", folder / "table.csv", *options, "--out", raw)
    assert done.returncode == 0, done.stderr
    assert gpatlas("munge", raw, "--maf", "0.05", "--out", folder / "clean.h5").returncode == 0
    return folder


def automl(gpatlas, clinic, out, *arguments):
    genotypes, table = clinic / "genotypes.vcf.gz", clinic / "table.csv"
    return gpatlas("automl", genotypes, "--phenotypes", table, "--out", out, *QUICK, *arguments)


def told(folder, step):
    steps = json.loads((folder / "narrative.json").read_text())
    return " ".join(one["text"] for one in steps if one["step"] == step)


def test_only_the_columns_that_are_asked_for_are_read(gpatlas, clinic, tmp_path):
    done = automl(gpatlas, clinic, tmp_path / "o", "--trait", "Status", "--covariate", "Gender", "--no-explain")
    assert done.returncode == 0, done.stderr
    task = json.loads((tmp_path / "o/task.json").read_text())
    assert {name.split("=")[0] for name in task["covariates"]} == {"Gender"}
    assert task["classes"] == ["control", "case"]


def test_whole_numbers_are_classes_if_said_to_be(gpatlas, clinic, tmp_path):
    options = ("--trait", "Stage", "--kind", "multiclass", "--no-explain")
    done = automl(gpatlas, clinic, tmp_path / "o", *options)
    assert done.returncode == 0, done.stderr
    assert "Stage is of 3 classes: 27 of '0', 27 of '1', 26 of '2'." in done.stdout


def test_what_munging_dropped_is_told_and_no_explanation_of_another_run_is_left(gpatlas, clinic, tmp_path):
    out = tmp_path / "o"
    run = ("automl", clinic / "clean.h5", "--trait", "Weight", "--out", out, *QUICK)
    done = gpatlas(*run)
    assert done.returncode == 0, done.stderr
    assert (out / "explanation/gebv.csv").exists()
    assert "Loci, minor allele frequency at least 0.05: " in told(out, "munge")
    assert "Quality control." in (out / "report.html").read_text()
    assert gpatlas(*run, "--no-explain").returncode == 0
    assert not (out / "explanation").exists()
    assert "Breeding values" not in (out / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trait", "Stats"], "table.csv: no column 'Stats'; did you mean 'Status'?"),
        (["--trait", "Status", "--covariate", "Gendr"], "no covariate 'Gendr'; it has no covariates"),
        (["--trait", "Status", "--covariate", "Status"], "covariate 'Status' is the trait itself"),
        (["--trait", "Status", "--candidates", ""], "unknown candidate ''; known are "),
        (["--trait", "Status", "--metric", "r"], "not one of a binary trait; take one of auc, balanced_accuracy, acc"),
        (["--trait", "Weight", "--metric", "auc"], "metric auc is not one of a continuous trait"),
        (["--trait", "Weight", "--candidates", "lda"], "candidate lda does not predict a continuous trait"),
        (["--trait", "Weight", "--kind", "binary"], "distinct values, not two"),
        (["--trait", "Broken"], "line 2: Broken 'oops' is not a number"),
        (["--trait", "Stage"], "or --kind multiclass), numbers"),
        (["--trait", "Status", "--family", "Clan"], "no column 'Clan'"),
        (["--trait", "Status", "--covariates", "nowhere.csv"], "nowhere.csv: no such file"),
        (["--trait", "Status", "--outer", "5x100000"], "outer_repeats must be at most 1000"),
        (["--trait", "Status", "--budget-seconds", "nan"], "budget_seconds must be above 0, not nan"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(gpatlas, clinic, tmp_path, arguments, message):
    done = automl(gpatlas, clinic, tmp_path / "o", *arguments)
    assert message in one_line_error(done)
    assert "Estimate" not in done.stdout  # nothing is promised first
    assert not (tmp_path / "o").exists()
