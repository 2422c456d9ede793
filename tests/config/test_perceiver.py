"""The perceiver experiment: rows of the design, panels and their checkpoints, and what is refused."""

import pytest
import yaml

from gpatlas.config import parse_experiment
from gpatlas.config.real_data import DataSpec
from gpatlas.config.trials import TrialSpec
from gpatlas.cost.machine import Machine
from gpatlas.cost.resources import Requests
from gpatlas.cost.stages import estimate
from gpatlas.design import Design
from gpatlas.errors import ConfigError
from tests.conftest import REPOSITORY

LINES = {
    "files": {"genotypes": "lines.vcf", "phenotypes": "trials.csv", "options": {"ploidy": 4}},
    "traits": ["dry", "wet"],
    "n_samples": 250,
    "n_markers": 1200,
    "splits": 3,
    "test": 0.2,
}
MODELS = {"rrblup": {}, "pretrained": {"model": "perceiver", "init_from": "one"}}


def config(**changes):
    section = yaml.safe_load((REPOSITORY / "tests/smoke/perceiver.yaml").read_text())
    section |= {"data": {"wheat": LINES}, "pretrain": {"one": {}, "two": {"n_steps": 5}}, "models": MODELS}
    return parse_experiment(section | changes, "perceiver.yaml")


def test_rows_are_numbers_of_phenotyped_lines_on_each_panel():
    design = Design(config())
    assert len(design.rows) == 2 * 2 + 2 * 3
    first = design.rows[0]
    assert first.name == "data~lines+n_phenotyped~12/rep~1"
    assert first.columns == {"data": "lines", "n_samples": 60, "n_markers": 60, "n_phenotyped": 12, "rep": 1}
    simulated, real = (design.row(f"data~{name}+n_phenotyped~20/rep~2") for name in ("lines", "wheat"))
    assert isinstance(design.simulation(simulated), TrialSpec)
    spec = design.simulation(real)
    assert isinstance(spec, DataSpec)
    assert spec.split_arguments == ["--test=0.2", "--validation=0.2", "--phenotyped=20", "--size=250x1200"]
    assert design.config.data["wheat"].panel_arguments == ["--ploidy=4"]  # no phenotypes


def test_fewer_lines_share_their_random_numbers_with_more_and_replicates_do_not():
    design = Design(config())
    seeds = {row.name: design.seed(row, "simulate") for row in design.rows}
    assert seeds["data~lines+n_phenotyped~12/rep~1"] == seeds["data~lines+n_phenotyped~20/rep~1"]
    assert len(set(seeds.values())) == 2 + 3


def test_all_trials_on_a_panel_are_on_the_panel_that_is_pretrained_on():
    design = Design(config())
    job = design.config.panel_job("lines")
    for row in design.rows[:4]:
        spec = design.simulation_job(row)["trial"]
        assert (spec["panel"], spec["panel_seed"]) == (job["panel"], job["seed"])


def test_every_recipe_has_a_checkpoint_of_each_panel_and_jobs_keep_to_one_panel():
    design = Design(config())
    assert list(design.pretrained.values()) == [(r, p) for r in ("one", "two") for p in ("lines", "wheat")]
    for job in design.jobs:
        [panel] = {row.columns["data"] for row in job.rows}
        path = f"pretrain/one/{panel}/checkpoint.safetensors"
        assert design.checkpoints(job, "pretrained") == [path]
        assert path in design.pretrained
        assert design.hparams_paths(job, "pretrained") == [f"hparams/pretrained/{panel}.json"]
        assert design.checkpoints(job, "rrblup") == []
        assert design.hparams_paths(job, "rrblup") == ["hparams/rrblup.json"]


def test_imputed_panels_are_for_models_that_ask_for_them():
    design = Design(config(models=MODELS | {"imputed": {"model": "rrblup", "genotypes": "imputed"}}))
    assert design.imputed_panels == ("lines", "wheat")
    for job in design.jobs:
        assert design.imputed(job, "imputed") == [f"panels/imputed/{job.columns['data']}.h5"]
        assert design.imputed(job, "rrblup") == []
        assert design.hparams_paths(job, "imputed") == ["hparams/imputed.json"]
    stages = {stage.name: stage for stage in estimate(design, Machine(2, 1e11))}
    assert stages["impute"].jobs == 2
    assert Design(config()).imputed_panels == ()
    assert "impute" not in {stage.name for stage in estimate(Design(config()), Machine(2, 1e11))}
    alone = Design(config(pretrain={}, models={"imputed": {"model": "rrblup", "genotypes": "imputed"}}))
    assert {"panels", "impute"} < {stage.name for stage in estimate(alone, Machine(2, 1e11))}


def test_gpfn_recipes_have_a_checkpoint_each():
    section = yaml.safe_load((REPOSITORY / "tests/smoke/gpfn.yaml").read_text())
    design = Design(parse_experiment(section, "gpfn.yaml"))
    assert design.pretrained == {"pretrain/tiny/checkpoint.safetensors": ("tiny", None)}
    assert design.checkpoints(design.jobs[0], "gpfn") == ["pretrain/tiny/checkpoint.safetensors"]
    assert design.hparams_paths(design.jobs[0], "gpfn") == ["hparams/gpfn.json"]


def test_stages_and_requests_know_of_panels_and_pretraining():
    design = Design(config(models={"rrblup": {}}))
    stages = {stage.name: stage for stage in estimate(design, Machine(2, 1e11))}
    assert [stages[name].jobs for name in ("simulate", "panels", "pretrain", "fit rrblup")] == [10, 2, 4, 2]
    one, two = (sum(stages["pretrain"].costs[k].seconds for k in pair) for pair in ((0, 1), (2, 3)))
    assert one > two  # more steps
    assert Requests(design).pretrain("one", "wheat").mem_mb > 600
    assert Requests(design).pretrain("one", "wheat", 2).runtime == 2 * Requests(design).pretrain("one", "wheat").runtime


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"panels": {}, "data": {}}, "panels and data are both empty"),
        ({"data": {"lines": LINES}}, "data.lines has the name of a panel"),
        ({"n_phenotyped": [20, 20]}, "n_phenotyped lists a value twice"),
        ({"n_phenotyped": [20, 43]}, "lines: n_phenotyped 43: of 60 samples, 42 are left beside the test share 0.3"),
        ({"evaluation": "published"}, "evaluation published: test lines are held out here"),
        ({"models": {"perceiver": {"init_from": "three"}}}, "no recipe three in pretrain .one, two."),
        ({"models": {"gpfn": {"init_from": "one"}}}, "recipes of this experiment are for model perceiver alone"),
        ({"models": {"perceiver": {"init_from": "one", "tune": {}}}}, "models.perceiver.tune: a pretrained model"),
        ({"models": {"rrblup": {"genotypes": "imputed", "tune": {}}}}, "models.rrblup.tune: imputed genotypes are not"),
        ({"models": {"rrblup": {"genotypes": "filled"}}}, "models.rrblup.genotypes: .*'called' or 'imputed'"),
        ({"panels": {"a": {"n_markers": 12, "n_chromosomes": 20}}}, "n_markers .12. leaves some of 20 chromosomes"),
        ({"pretrain": {"one": {"n_stepps": 5}}}, "n_stepps"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(changes, message):
    with pytest.raises(ConfigError, match=message) as refused:
        config(**changes)
    assert "\n" not in str(refused.value)
