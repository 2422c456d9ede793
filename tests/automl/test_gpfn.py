"""gpfn as a candidate: offered where its checkpoint is there, competes, is saved and predicts as before."""

import numpy as np
import pytest

from gpatlas.automl.candidates import CANDIDATES, portfolio
from gpatlas.automl.outcome import automl
from gpatlas.automl.settings import Settings
from gpatlas.automl.task import make_task
from gpatlas.io import checkpoints
from gpatlas.predictor import load_predictor, save_predictor
from tests.gpfn.networks import write_network
from tests.predictor.fitted import clinic, fitted


@pytest.fixture
def shipped(monkeypatch, tmp_path):
    """A tiny network takes the place of the one that comes with gpatlas."""
    write_network(tmp_path / "default.safetensors")
    monkeypatch.setattr(checkpoints, "_shipped", lambda: tmp_path)
    monkeypatch.setitem(CANDIDATES, "gpfn", portfolio.offered()["gpfn"])


@pytest.mark.usefixtures("shipped")
def test_it_is_offered_for_numbers_in_order_of_its_cost():
    costs = [one.work(500, 1000, "binary") for one in portfolio.offered().values()]
    assert costs == sorted(costs)
    assert "gpfn" in Settings().competing("continuous")
    assert "gpfn" not in Settings().competing("binary")


def test_it_is_not_offered_without_its_checkpoint(monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoints, "_shipped", lambda: tmp_path)
    assert "gpfn" not in portfolio.offered()
    assert "rrblup" in portfolio.offered()


@pytest.mark.usefixtures("shipped")
def test_it_competes(tmp_path):
    dataset = clinic("continuous", 80)
    settings = Settings(
        candidates=("rrblup", "gpfn"), budget_fits=10, outer_folds=2, outer_repeats=1, inner_folds=2, permutations=0
    )
    outcome = automl(make_task(dataset, "yield"), settings, tmp_path / "journal")
    board = outcome.tables["leaderboard"].set_index("model")
    assert {"rrblup", "gpfn"} <= set(board.index)
    assert np.isfinite(board["score"]["gpfn"])


@pytest.mark.usefixtures("shipped")
def test_it_predicts_as_before_it_was_saved(tmp_path, monkeypatch):
    """Bit by bit, from the file alone: the network travels with the model."""
    predictor = fitted("gpfn", "continuous", clinic("continuous"))
    save_predictor(predictor, tmp_path / "m.gpatlas")
    new = clinic("continuous", 60, number=2)
    before = predictor.predict(new)
    monkeypatch.setattr(checkpoints, "_shipped", lambda: tmp_path / "absent")
    after = load_predictor(tmp_path / "m.gpatlas").predict(new)
    assert list(before.table) == list(after.table)
    for column, values in before.table.items():
        np.testing.assert_array_equal(values, after.table[column], err_msg=column)
