"""`gpatlas split`: folds are random, seeded and in the file; nothing else changes."""

import numpy as np
import pytest

from gpatlas.dataset import Fold
from gpatlas.io import read_dataset, write_dataset
from tests.conftest import one_line_error


@pytest.fixture
def data_file(haploids, tmp_path):
    write_dataset(haploids, tmp_path / "d.h5")
    return tmp_path / "d.h5"


def folds(gpatlas, data_file, *options):
    out = data_file.with_name("split.h5")
    done = gpatlas("split", data_file, "--out", out, *options)
    assert done.returncode == 0, done.stderr
    return read_dataset(out), done.stdout


def test_folds_follow_the_seed_and_nothing_else_changes(gpatlas, data_file):
    before = read_dataset(data_file)
    split, printed = folds(gpatlas, data_file, "--test", 0.2, "--validation", 0.1, "--seed", 2**100)
    assert "300 samples × 24 loci; 210 train, 30 validation, 60 test" in printed
    assert [(split.fold == fold).sum() for fold in Fold] == [210, 30, 60]
    np.testing.assert_array_equal(split.dosage(), before.dosage())
    np.testing.assert_array_equal(split.phenotypes, before.phenotypes)
    again = folds(gpatlas, data_file, "--test", 0.2, "--validation", 0.1, "--seed", 2**100)[0]
    other = folds(gpatlas, data_file, "--test", 0.2, "--validation", 0.1, "--seed", 7, "--size", "300x24")[0]
    np.testing.assert_array_equal(split.fold, again.fold)
    assert (split.fold != other.fold).any()
    assert split.content_hash != other.content_hash


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--test", "1"], "leave some to train on"),
        (["--test", "0.6", "--validation", "0.5"], "leave some to train on"),
        (["--test", "0.001"], "a fold would be empty"),
        (["--phenotyped", "280"], "280 phenotyped samples are asked for, but 240 are left beside 60 of test"),
        (["--size", "300"], "expected samples x loci"),
        (["--size", "300x25"], "has 300 samples × 24 loci, not 300 × 25; in a configuration, write n_samples: 300"),
    ],
)
def test_mistakes_are_one_line(gpatlas, data_file, options, message):
    done = gpatlas("split", data_file, "--out", data_file.with_name("x.h5"), *options)
    assert message in one_line_error(done)
    assert not data_file.with_name("x.h5").exists()


def test_few_samples_keep_their_phenotypes(gpatlas, data_file):
    before = read_dataset(data_file)
    options = ("--test", 0.2, "--validation", 0.2, "--seed", 3)
    few, printed = folds(gpatlas, data_file, *options, "--phenotyped", 40)
    assert "300 samples × 24 loci; 232 train, 8 validation, 60 test, of which 200 without phenotypes" in printed
    known = np.isfinite(few.phenotypes).all(axis=1)
    assert known.sum() == 100
    assert known[few.fold != Fold.train].all()
    np.testing.assert_array_equal(few.phenotypes[known], before.phenotypes[known])
    np.testing.assert_array_equal(few.dosage(), before.dosage())
    more = folds(gpatlas, data_file, *options, "--phenotyped", 90)[0]
    assert np.isfinite(more.phenotypes[known]).all()
    np.testing.assert_array_equal(few.fold == Fold.test, more.fold == Fold.test)
