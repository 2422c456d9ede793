"""Intervals after training: they hold what they should on populations that they were adjusted by, and on others."""

import numpy as np
import pytest
import torch

from gpatlas.config import PretrainSpec
from gpatlas.gpfn.calibration import interval_factor
from gpatlas.gpfn.measures import measure, predict_queries
from gpatlas.gpfn.schedule import Schedule
from gpatlas.nn.gpfn.networks import ARCHITECTURES, make_network


def network_of(architecture, factor=1.0):
    torch.manual_seed(4)
    return make_network(architecture, interval_factor=factor).eval()


@pytest.fixture(scope="module")
def populations():
    spec = PretrainSpec(prior={"f2": 1, "nam": 1}, n_calibration=12, n_samples=(40, 80), n_markers=(60, 90))
    return list(Schedule(spec).calibration())


def test_populations_are_of_all_priors_and_of_no_other_use(populations):
    assert [task.scheme for task in populations] == ["f2", "nam"] * 12
    schedule = Schedule(PretrainSpec(prior={"f2": 1, "nam": 1}, n_samples=(40, 80), n_markers=(60, 90)))
    others = [task.seed for prior in ("f2", "nam") for task in schedule.validation(prior)]
    assert len({task.seed for task in populations} | set(others)) == len(populations) + len(others)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_factor_makes_intervals_hold_their_share(architecture, populations):
    factor = interval_factor(network_of(architecture), populations)
    network = network_of(architecture, factor)
    held = [measure(task, *predict_queries(network, task))["coverage"] for task in populations]
    n_queries = min((~task.context).sum() for task in populations)
    assert np.mean(held) == pytest.approx(0.9, abs=1 / n_queries / len(populations) + 1e-9)
    assert interval_factor(network, populations) == pytest.approx(1)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_means_stay(architecture, populations):
    (mean, sd), (same, wider) = (predict_queries(network_of(architecture, f), populations[0]) for f in (1.0, 1.5))
    np.testing.assert_array_equal(mean, same)
    np.testing.assert_allclose(wider, 1.5 * sd, rtol=1e-5)


def test_without_populations_intervals_are_left():
    assert interval_factor(network_of("awg"), []) == 1.0
