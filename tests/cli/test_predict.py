"""`gpatlas predict` and the model as a reference of `gpatlas harmonize`, on files as others send them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gpatlas.io import read_dataset, write_dataset
from gpatlas.predictor import save_predictor
from tests.conftest import one_line_error
from tests.predictor.fitted import clinic, fitted


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model, and new samples without phenotypes and covariates, as genotypes come."""
    folder = tmp_path_factory.mktemp("predict")
    save_predictor(fitted("lasso", "binary", clinic("binary")), folder / "m.gpatlas")
    new = clinic("binary", 60, number=2)
    bare = replace(
        new, phenotypes=np.empty((60, 0)), trait_id=np.empty(0, "S1"), covariates=None, covariate_id=np.empty(0, "S1"),
        levels={}, truth=None,
    )  # fmt: skip
    write_dataset(bare, folder / "new.h5")
    table = pd.DataFrame({
        "ID": new.sample_id,
        "Gender": np.array(new.levels["Gender"])[new.covariates[:, 0].astype(int)],
        "age": new.covariates[:, 1],
        "Status": new.phenotypes[:, 0].astype(int),
    })  # fmt: skip
    table.sample(frac=1, random_state=1).to_csv(folder / "table.csv", index=False)
    return folder


def test_predictions_of_new_samples_with_a_table(gpatlas, folder, tmp_path):
    out, loci = tmp_path / "new" / "p.csv", tmp_path / "loci.csv"
    done = gpatlas(
        "predict", folder / "m.gpatlas", folder / "new.h5", "--table", folder / "table.csv", "--out", out,
        "--account", loci,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(out)
    assert list(table["sample_id"]) == [f"clinic-2-sample-{k}" for k in range(1, 61)]  # not the training samples' ids
    assert list(table.columns[:4]) == ["sample_id", "prediction", "p_control", "p_case"]
    new = clinic("binary", 60, number=2)
    expected = fitted("lasso", "binary", clinic("binary")).predict(new).table
    np.testing.assert_allclose(table["p_case"], expected["p_case"], rtol=1e-6)
    assert list(table["observed"]) == [("control", "case")[int(code)] for code in new.phenotypes[:, 0]]
    for text in ("0 is taken as control, 1 as case.", "Scored on 60 of 60 samples.", "area under the ROC curve"):
        assert text in done.stdout
    accuracy = (table["prediction"] == table["observed"]).mean()
    assert f"accuracy                    {accuracy:8.4f}" in done.stdout
    assert len(pd.read_csv(loci)) == 40


def test_training_samples_under_other_names_are_not_scored(gpatlas, folder, tmp_path):
    old = clinic("binary")
    write_dataset(replace(old, sample_id=np.array([f"new-{k}" for k in range(120)])), tmp_path / "d.h5")
    done = gpatlas("predict", folder / "m.gpatlas", tmp_path / "d.h5", "--out", tmp_path / "p.csv")
    assert "120 of 120 samples have the genotypes of training samples (new-0, new-1, new-2, …)" in done.stdout
    assert "120 samples with a phenotype are copies of training samples and are not scored." in done.stdout
    assert "ROC" not in done.stdout


def test_what_is_absent_is_refused_in_one_line(gpatlas, folder, tmp_path):
    model, out = folder / "m.gpatlas", tmp_path / "p.csv"
    line = one_line_error(gpatlas("predict", model, folder / "new.h5", "--out", out))
    assert "the model uses the covariates Gender, age, which the new data lack" in line
    write_dataset(read_dataset(folder / "new.h5").loci(np.arange(10)), tmp_path / "few.h5")
    table = ("--table", folder / "table.csv")
    line = one_line_error(gpatlas("predict", model, tmp_path / "few.h5", *table, "--out", out))
    assert "75.0% of the model's 40 loci are absent from the new data" in line
    assert not out.exists()
    done = gpatlas("predict", model, tmp_path / "few.h5", *table, "--out", out, "--anyway")
    assert "30 are not in the new data: set to missing." in done.stdout
    assert len(pd.read_csv(out)) == 60


def test_tables_and_models_that_are_none(gpatlas, folder, tmp_path):
    model, new, out = folder / "m.gpatlas", folder / "new.h5", tmp_path / "p.csv"
    (tmp_path / "t.csv").write_text("ID,height\nclinic-2-sample-1,3\n")
    line = one_line_error(gpatlas("predict", model, new, "--table", tmp_path / "t.csv", "--out", out))
    assert "none of its columns is one of the model's (Status, Gender, age)" in line
    assert "not a gpatlas model" in one_line_error(gpatlas("predict", folder / "table.csv", new, "--out", out))


def test_a_model_is_a_reference_to_harmonize_with(gpatlas, folder, tmp_path):
    new = read_dataset(folder / "new.h5")
    dosage = np.where(new.genotypes < 0, -1, 2 - new.genotypes).astype(np.int8)
    turned = replace(new, genotypes=dosage, alleles=new.alleles[:, ::-1])
    write_dataset(turned.loci(np.arange(39, -1, -1)), tmp_path / "turned.h5")
    done = gpatlas("harmonize", folder / "m.gpatlas", tmp_path / "turned.h5", "--out", tmp_path / "h.h5")
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(read_dataset(tmp_path / "h.h5").genotypes, new.genotypes)
