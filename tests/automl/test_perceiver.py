"""perceiver as a candidate: it competes where it is named, is saved, and predicts as before."""

import numpy as np

from gpatlas.automl.candidates import CANDIDATES
from gpatlas.automl.settings import Settings
from gpatlas.predictor import load_predictor, save_predictor
from tests.predictor.fitted import clinic, fitted


def test_it_competes_where_it_is_named():
    assert "perceiver" in CANDIDATES
    assert "perceiver" not in Settings().competing("continuous")
    assert Settings(candidates=("rrblup", "perceiver")).competing("continuous") == ("rrblup", "perceiver")


def test_it_predicts_as_before_it_was_saved(tmp_path):
    predictor = fitted("perceiver", "continuous", clinic("continuous"))
    save_predictor(predictor, tmp_path / "m.gpatlas")
    new = clinic("continuous", 60, number=2)
    before, after = predictor.predict(new), load_predictor(tmp_path / "m.gpatlas").predict(new)
    assert list(before.table) == list(after.table)
    for column, values in before.table.items():
        np.testing.assert_array_equal(values, after.table[column], err_msg=column)
