"""`gpatlas impute`, and `gpatlas fit` on what it writes."""

import re
from dataclasses import replace

import numpy as np
import pytest

from gpatlas.dataset import Fold
from gpatlas.io import read_dataset, write_dataset
from gpatlas.io.predictions import read_predictions
from gpatlas.models import make
from tests.conftest import one_line_error


@pytest.fixture(scope="module")
def files(gpatlas, diploids, tmp_path_factory):
    """A population that lacks a fifth of its calls, and what `gpatlas impute` makes of it."""
    folder = tmp_path_factory.mktemp("files")
    dosage = np.array(diploids.dosage())
    dosage[np.random.default_rng(1).random(dosage.shape) < 0.2] = -1
    write_dataset(replace(diploids, genotypes=dosage), folder / "d.h5")
    done = gpatlas("impute", folder / "d.h5", "--out", folder / "i.h5", "--runtime", folder / "r.json")
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def test_all_calls_are_known_and_it_is_said_how_well(files):
    folder, said = files
    called, imputed = (read_dataset(folder / name) for name in ("d.h5", "i.h5"))
    assert (called.dosage() < 0).any()
    assert (imputed.dosage() >= 0).all()
    assert (folder / "r.json").exists()
    assert re.search(r"d.h5: 150 samples × 50 loci, [\d,]+ calls missing; estimate: \d+ s on one core", said)
    assert "i.h5: 150 samples × 50 loci" in said
    assert "of known calls that were hidden to choose these, 0." in said


def test_a_model_is_fitted_to_imputed_genotypes(gpatlas, files, tmp_path):
    folder, _ = files
    words = ["fit", folder / "d.h5", "--model", "rrblup", "--genotypes", folder / "i.h5", "--out", tmp_path / "p.h5"]
    done = gpatlas(*words)
    assert done.returncode == 0, done.stderr
    called, imputed = (read_dataset(folder / name) for name in ("d.h5", "i.h5"))
    fit = read_predictions(tmp_path / "p.h5")[called.content_hash]  # what is scored is the dataset as it was
    train, test = imputed.rows(Fold.train, Fold.validation), imputed.rows(Fold.test)
    expected = make("rrblup").fit(imputed.features(train), imputed.phenotypes[train]).predict(imputed.features(test))
    np.testing.assert_allclose(fit.predictions[0].predicted, expected, rtol=1e-5)


def test_what_was_done_on_reading_is_said(gpatlas, tmp_path):
    (tmp_path / "t.csv").write_text("name,m1,m1\na,0,1\nb,-1,2\n")
    done = gpatlas("impute", "t.csv", "--out", "i.h5", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 loci shared 1 name and were renamed" in done.stdout
    assert "t.csv: 2 samples × 2 loci, 1 call missing; estimate: 0 s on one core" in done.stdout


def test_genotypes_of_others_are_refused(gpatlas, files, haploids, tmp_path):
    folder, _ = files
    write_dataset(haploids, tmp_path / "other.h5")
    words = ["fit", folder / "d.h5", "--model", "rrblup", "--genotypes", tmp_path / "other.h5", "--out", tmp_path / "p"]
    assert "other.h5: ploidy is 1, that of the dataset 2" in one_line_error(gpatlas(*words))
    assert one_line_error(gpatlas("impute", tmp_path / "none.h5", "--out", tmp_path / "i.h5"))
    assert not (tmp_path / "i.h5").exists()
