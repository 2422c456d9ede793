"""The extrapolation's arithmetic: two epochs give the coefficients, fits are those of the design."""

import pytest

from gpatlas.models import make
from tests.benchmarks.study import Epoch, coefficients, seconds_of_networks


def made(flops, steps, per_step=2e-4, per_flop=1e-14):
    return Epoch(0, 0, 128, per_step * steps + per_flop * flops, flops, steps)


def test_two_epochs_give_what_they_were_made_of():
    assert coefficients(made(1e13, 700), made(1e11, 8)) == pytest.approx((2e-4, 1e-14))


def test_no_coefficient_is_negative():
    noisy = Epoch(0, 0, 128, 0.1, 1e13, 700), Epoch(0, 0, 128, 0.1, 1e11, 8)
    per_step, per_flop = coefficients(*noisy)
    assert (per_step >= 0, per_flop) == (True, 0.0)
    assert per_step * 8 == pytest.approx(0.1)


def test_fits_are_counted_row_by_row(tmp_path):
    text = (
        "experiment: scaling\nn_samples: [1000]\nqtl_scaling: [0.5, 1]\nreplicates: 3\n"
        "evaluation: {test: 0.15, protocol: published}\nmodels:\n  rrblup: {}\n  mlp: {preset: published}\n"
    )
    (tmp_path / "scaling.yaml").write_text(text)
    work = make("mlp", preset="published").work(850, 10, 5)
    assert seconds_of_networks(1.0, 0.0, tmp_path)["scaling"] == pytest.approx(6 * work.steps)
