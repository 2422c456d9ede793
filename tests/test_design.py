"""The design table: the published grid, names, jobs and seeds."""

import csv

import pytest

from gpatlas.config import read_experiment
from gpatlas.config.scaling import ScalingConfig, n_qtl_at
from gpatlas.design import GENOTYPES_PER_JOB, Design
from gpatlas.errors import ConfigError
from tests.conftest import REPOSITORY

MODELS = {"rrblup": {"max_n_samples": 150}, "mlp": {}}


def design(**changes) -> Design:
    section = {"n_samples": [100, 200], "qtl_scaling": [0.1, 1], "replicates": 3, "models": MODELS}
    return Design(ScalingConfig(**(section | changes)))


def test_the_published_grid_row_by_row():
    """tests/reference/published_scaling_grid.csv lists what the published configuration holds."""
    rows = Design(read_experiment(REPOSITORY / "config/published/scaling.yaml")).rows
    with (REPOSITORY / "tests/reference/published_scaling_grid.csv").open() as file:
        lines = csv.DictReader(line for line in file if not line.startswith("#"))
        expected = [
            (int(line["n_samples"]), float(line["qtl_scaling"]), int(line["n_qtl"]), rep)
            for line in lines
            for rep in range(1, int(line["replicates"]) + 1)
        ]
    found = [tuple(row.columns[k] for k in ("n_samples", "qtl_scaling", "n_qtl", "rep")) for row in rows]
    assert len(found) == 280
    assert found == expected


@pytest.mark.parametrize(("n", "s", "q"), [(1000, 0.1, 16), (1000, 20, 202), (10_000, 1, 142), (1_000_000, 20, 6326)])
def test_number_of_qtl(n, s, q):
    assert n_qtl_at(n, s) == q


def test_every_row_is_in_exactly_one_job_and_names_are_unique():
    table = Design(read_experiment(REPOSITORY / "config/published/scaling.yaml"))
    rows = [row.name for job in table.jobs for row in job.rows]
    assert sorted(rows) == sorted(row.name for row in table.rows)
    assert len(set(rows)) == len(rows)
    assert len({job.name for job in table.jobs}) == len(table.jobs)
    for job in table.jobs:
        size = sum(table.genotypes(row) for row in job.rows)
        assert size <= GENOTYPES_PER_JOB or len(job.rows) == 1


def test_jobs_of_one_sample_size_do_not_depend_on_another():
    alone, together = design(n_samples=[100]), design()
    assert [job.name for job in alone.jobs] == [job.name for job in together.jobs if "n_samples~100+" in job.name]


def test_models_are_left_out_above_their_sample_size():
    table = design()
    for job in table.jobs:
        expected = ["rrblup", "mlp"] if job.rows[0].columns["n_samples"] == 100 else ["mlp"]
        assert table.models(job) == expected


def test_models_are_left_out_above_their_number_of_loci():
    """Rows that a model takes do not share a job with rows that it does not."""
    table = design(qtl_scaling=[0.1, 1, 2], models={"rrblup": {}, "mlp": {"max_n_loci": 16}})
    for job in table.jobs:
        assert len({row.columns["n_qtl"] <= 16 for row in job.rows}) == 1
        assert table.models(job) == (["rrblup", "mlp"] if job.rows[0].columns["n_qtl"] <= 16 else ["rrblup"])
    assert sum(len(job.rows) for job in table.jobs) == len(table.rows)
    assert len({job.name for job in table.jobs}) == len(table.jobs) == 4
    unlimited = [job.name for job in design(qtl_scaling=[0.1, 1, 2]).jobs]
    assert unlimited == ["n_samples~100+small/part~1", "n_samples~200+small/part~1"]


def test_seeds_differ_by_row_and_stage_and_not_by_noise():
    table = design(heritability=[0.5, 0.9])
    noisy = {h2: table.row(f"n_samples~100+qtl_scaling~1+heritability~{h2}/rep~2") for h2 in (0.5, 0.9)}
    assert table.seed(noisy[0.5], "simulate") == table.seed(noisy[0.9], "simulate")
    quiet = [row for row in table.rows if row.columns["heritability"] == 0.9]
    assert len({table.seed(row, stage) for row in quiet for stage in ("simulate", "fit")}) == 2 * len(quiet)
    assert design(seed=1).seed(quiet[0], "x") != design(seed=2).seed(quiet[0], "x")


def test_a_row_keeps_its_seed_when_others_are_added():
    small, large = design(), design(n_samples=[50, 100, 200], replicates=9)
    for row in small.rows:
        assert small.seed(row, "simulate") == large.seed(large.row(row.name), "simulate")


def test_an_unknown_row_is_refused():
    with pytest.raises(ConfigError, match=r"no row 'x'; its 12 rows go from 'n_samples~100\+"):
        design().row("x")


TUNED = {"rrblup": {}, "mlp": {"tune": {"n_trials": 3}}}


def test_tuned_models_take_the_hyperparameters_of_a_cell_s_first_replicate_or_their_own():
    table = design(models=TUNED)
    (job, *_) = table.jobs
    assert table.hparams_paths(job, "rrblup") == ["hparams/rrblup.json"]
    paths = table.hparams_paths(job, "mlp")
    assert len(paths) == len(job.rows)
    assert {path.rsplit("/", 2)[0] for path in paths} == {f"{row.cell}/rep~1" for row in job.rows}
    assert [row.columns["rep"] for row in table.tuned_rows(job, "mlp")] == [1] * len({row.cell for row in job.rows})
    each = design(models={"mlp": {"tune": {"per": "row"}}})
    assert each.hparams_paths(each.jobs[0], "mlp") == [f"{row.name}/mlp/hparams.json" for row in each.jobs[0].rows]


def test_more_trials_keep_the_journal_and_other_settings_start_one():
    row = design(models=TUNED).rows[0]

    def path(**tune) -> str:
        return design(models={"rrblup": {}, "mlp": {"tune": {"n_trials": 3, **tune}}}).study_path(row, "mlp")

    assert path() == path(n_trials=30)
    assert path() != path(space="published")
    assert path() != design(models=TUNED, seed=2).study_path(row, "mlp")
