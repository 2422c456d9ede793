"""The predictions file, and going on after an interruption."""

from dataclasses import replace

import numpy as np
import pytest

from gpatlas.errors import StoreError
from gpatlas.io.predictions import read_part, read_predictions, write_predictions
from gpatlas.predictions import FitResult, FoundPairs, Prediction

MODEL = {"label": "rrblup", "hyperparameters": {"penalty": "reml"}, "seed": 1}


@pytest.fixture
def fit():
    test = Prediction(
        fold="test",
        rows=np.array([1, 4]),
        traits=np.array([0, 1]),
        predicted=np.array([[0.5, 1], [2, 3]]),
        n_train=np.array([8, 7]),
        marker_effects=np.ones((3, 2)),
        pairs=(
            FoundPairs(np.empty((0, 2), dtype=np.intp), np.empty(0), np.empty(0)),
            FoundPairs(np.array([[0, 2], [1, 2]]), np.array([0.5, -1]), np.array([4.0, np.nan])),
        ),
        parameters={"h2": np.array([0.5, 0.1])},
    )
    split = Prediction("split 2", np.array([0]), np.array([1]), np.array([[0.25]]), np.array([9]))
    return FitResult("abc", (test, split), 1.5, 1.2, "cpu")


def test_round_trip(fit, tmp_path):
    write_predictions(tmp_path / "p.h5", {"abc": fit}, MODEL)
    back = read_predictions(tmp_path / "p.h5")["abc"]
    assert (back.dataset_hash, back.seconds, back.cpu_seconds, back.device) == ("abc", 1.5, 1.2, "cpu")
    for a, b in zip(fit.predictions, back.predictions, strict=True):
        assert a.fold == b.fold
        np.testing.assert_array_equal(a.predicted, b.predicted)
        np.testing.assert_array_equal(a.rows, b.rows)
        assert (a.marker_effects is None) == (b.marker_effects is None)
        assert (a.pairs is None) == (b.pairs is None)
        for one, other in zip(a.pairs or (), b.pairs or (), strict=True):
            for name in ("loci", "effect", "z"):
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert a.parameters.keys() == b.parameters.keys()


def test_pairs_of_no_trait_are_not_no_pairs(fit, tmp_path):
    """A model that looks for pairs and finds none differs from one that does not look."""
    none = FoundPairs(np.empty((0, 2), dtype=np.intp), np.empty(0), np.empty(0))
    found = replace(fit.predictions[0], pairs=(none, none))
    write_predictions(tmp_path / "p.h5", {"abc": replace(fit, predictions=(found, fit.predictions[1]))}, MODEL)
    first, second = read_predictions(tmp_path / "p.h5")["abc"].predictions
    assert [pairs.loci.shape for pairs in first.pairs] == [(0, 2), (0, 2)]
    assert second.pairs is None


def test_many_splits_keep_their_order(fit, tmp_path):
    splits = tuple(
        Prediction(f"split {k}", *[getattr(fit.predictions[1], n) for n in ("rows", "traits", "predicted", "n_train")])
        for k in range(12)
    )
    write_predictions(tmp_path / "p.h5", {"abc": FitResult("abc", splits, 1, 1)}, MODEL)
    found = read_predictions(tmp_path / "p.h5")["abc"].predictions
    assert [p.fold for p in found] == [f"split {k}" for k in range(12)]


def test_a_part_is_used_only_for_the_same_model_and_settings(fit, tmp_path):
    path = tmp_path / "part.h5"
    assert read_part(path, MODEL) is None
    write_predictions(path, {"abc": fit}, MODEL)
    assert read_part(path, MODEL).seconds == 1.5
    assert read_part(path, MODEL | {"seed": 2}) is None
    path.write_bytes(path.read_bytes()[:500])
    assert read_part(path, MODEL) is None


def test_something_else_is_refused(haploids, tmp_path):
    from gpatlas.io import write_dataset

    write_dataset(haploids, tmp_path / "d.h5")
    with pytest.raises(StoreError, match="not a gpatlas predictions file"):
        read_predictions(tmp_path / "d.h5")
    with pytest.raises(StoreError, match="no such file"):
        read_predictions(tmp_path / "e.h5")
