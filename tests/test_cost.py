"""The estimate: sizes that can be known are right, what is there is left out, times say which device."""

import pytest

from gpatlas.config import ScalingConfig
from gpatlas.cost import Machine, duration, estimate
from gpatlas.design import Design, dataset_path
from gpatlas.engines import make_dataset
from gpatlas.io import write_dataset

MACHINE = Machine(cores=2, flops=1e11)


def design(**changes) -> Design:
    section = {"n_samples": (2000,), "qtl_scaling": (2,), "replicates": 2, "models": {"rrblup": {}, "mlp": {}}}
    return Design(ScalingConfig(**(section | changes)))


def simulate_row(design: Design, number: int, results):
    row = design.rows[number]
    path = results / "scaling" / dataset_path(row)
    dataset = make_dataset(design.simulation(row), design.config.engine, design.seed(row, "simulate"), row.columns)
    write_dataset(dataset, path)
    return path


@pytest.mark.parametrize("ploidy", [1, 2])
def test_disk_is_what_datasets_take(ploidy, tmp_path):
    table = design(ploidy=ploidy)
    before = estimate(table, MACHINE, tmp_path)[0]
    size = simulate_row(table, 0, tmp_path).stat().st_size
    assert before.disk / 2 == pytest.approx(size, rel=0.15)
    after = estimate(table, MACHINE, tmp_path)[0]
    assert (before.jobs, after.jobs) == (2, 1)  # what is there is not done again
    assert after.disk == before.disk / 2


def test_stages_are_those_of_the_workflow():
    stages = estimate(design(), MACHINE)
    assert [(s.name, s.jobs) for s in stages] == [
        ("simulate", 2),
        ("fit rrblup", 1),
        ("fit mlp", 1),
        ("figures, report", 4),
    ]
    assert not any(stage.on_gpu for stage in stages)


def test_larger_populations_and_slower_machines_cost_more():
    def mlp(n_samples: int, flops: float) -> float:
        return estimate(design(n_samples=(n_samples,)), Machine(2, flops))[2].seconds

    assert mlp(4000, 1e11) > 1.5 * mlp(2000, 1e11) > 0
    assert mlp(2000, 1e10) > mlp(2000, 1e11)


def test_networks_are_priced_on_the_gpu_and_ridge_is_not():
    stages = estimate(design(), Machine(2, 1e11, "T4", 2e13))
    assert [stage.on_gpu for stage in stages] == [False, False, True, False]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (89, "89 s"), (100, "1.7 min"), (3000, "50 min"), (9000, "2.5 h"), (3e5, "3.5 days")],
)
def test_durations_are_said_as_one_would(seconds, text):
    assert duration(seconds) == text
