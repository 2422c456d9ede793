"""Real populations in the GPFN experiment: rows of the design, and what is refused, of priors too."""

import pytest
import yaml

from gpatlas.config import parse_experiment
from gpatlas.config.automl import FilesSpec
from gpatlas.config.real_data import DataSpec
from gpatlas.cost.resources import Requests
from gpatlas.design import Design
from gpatlas.errors import ConfigError
from tests.conftest import REPOSITORY

LINES = {
    "files": {"genotypes": "lines.vcf", "phenotypes": "trials.csv", "options": {"missing": -9}},
    "traits": ["yield", "height"],
    "n_samples": 250,
    "n_markers": 1200,
    "splits": 3,
}


def config(data):
    section = yaml.safe_load((REPOSITORY / "tests/smoke/gpfn.yaml").read_text())
    return parse_experiment(section | {"data": data}, "gpfn.yaml")


def test_every_split_is_a_row():
    design = Design(config({"lines": LINES}))
    real = [row for row in design.rows if row.columns["law"] == "data"]
    assert [row.name for row in real] == [
        f"prior~lines+law~data+n_samples~250+n_markers~1200/rep~{rep}" for rep in (1, 2, 3)
    ]
    assert len({design.seed(row, "simulate") for row in real}) == 3
    spec = design.simulation(real[0])
    assert isinstance(spec, DataSpec)
    assert (spec.n_samples, spec.n_loci, spec.n_traits, spec.test) == (250, 1200, 2, 0.2)
    assert design.simulation_job(real[0])["data"]["traits"] == ["yield", "height"]
    assert Requests(design).simulate(real[0].name).mem_mb > 0
    assert design.config.data["lines"].import_arguments == [
        "--phenotypes=trials.csv", "--missing=-9", "--traits=yield,height",
    ]  # fmt: skip
    assert spec.split_arguments == ["--test=0.2", "--validation=0.15", "--size=250x1200"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"unstructured": LINES}, "data.unstructured has the name of a prior"),
        ({"lines": LINES | {"files": {"genotypes": "lines.vcf"}}}, "files.phenotypes is missing"),
        ({"lines": LINES | {"traits": ["yield", "yield"]}}, "traits lists a value twice"),
        ({"lines": {k: v for k, v in LINES.items() if k != "n_markers"}}, "n_markers"),
        ({"a/b": LINES}, "a/b"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(data, message):
    with pytest.raises(ConfigError, match=message) as refused:
        config(data)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("evaluation", "message"),
    [
        ("published", "evaluation published: priors say themselves which samples are test"),
        ({"test": 0.3}, "evaluation.test 0.3: priors say themselves which samples are test"),
    ],
)
def test_priors_say_which_samples_are_test(evaluation, message):
    section = yaml.safe_load((REPOSITORY / "tests/smoke/gpfn.yaml").read_text())
    with pytest.raises(ConfigError, match=message) as refused:
        parse_experiment(section | {"evaluation": evaluation}, "gpfn.yaml")
    assert "\n" not in str(refused.value)


def test_every_file_that_is_read_is_known():
    files = FilesSpec(genotypes="m.tsv", phenotypes="y.csv", options={"chroms": "c.tsv", "marker-map": "m.csv", "n": 1})
    assert files.maps == ["c.tsv", "m.csv"]
    assert files.tables == ["y.csv", "c.tsv", "m.csv"]
    assert set(files.maps) < {word.partition("=")[2] for word in files.genotype_arguments}
