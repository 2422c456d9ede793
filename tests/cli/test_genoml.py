"""GenoML's own example cohorts from files to predictions; each test names the defect of GenoML that it is about."""

import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from gpatlas.dataset import as_text
from gpatlas.io import read_dataset
from tests.conftest import REFERENCE, one_line_error

pytestmark = pytest.mark.skipif(not REFERENCE.exists(), reason="the reference data are not here")

SEARCH = ("--budget-fits", "16", "--outer", "2x1", "--permutations", "0", "--no-explain")
RUNS = {
    "discrete": ("--candidates", "knn,rrblup"),
    "continuous": ("--candidates", "knn,rrblup", "--metric", "mse"),
    "multiclass": ("--candidates", "knn,lda", "--kind", "multiclass"),
}


@pytest.fixture(scope="module", params=RUNS)
def cohort(request):
    return request.param


@pytest.fixture(scope="module")
def run(gpatlas, cohort, tmp_path_factory):
    """Search in a folder that is not there yet; its first README command crashes without its folder."""
    folder, data = tmp_path_factory.mktemp(cohort) / "not" / "there", REFERENCE / "genoml" / cohort
    tables = ("--phenotypes", data / "training_pheno.csv", "--covariates", data / "training_addit.csv")
    done = gpatlas("automl", data / "training.bed", *tables, "--trait", "PHENO", *RUNS[cohort], *SEARCH, "-o", folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


@pytest.fixture(scope="module")
def predicted(gpatlas, cohort, run):
    """Predictions of the training samples, and of the same ones renamed, whose files list A1 and A2 anew."""
    folder, data = run[0], REFERENCE / "genoml" / cohort
    tables, said = {}, {}
    for part in ("training", "validation"):
        new, out = folder / f"{part}.h5", folder / f"{part}.csv"
        assert gpatlas("import", data / f"{part}.bed", "--out", new).returncode == 0
        done = gpatlas("predict", folder / "model.gpatlas", new, "--table", data / f"{part}_addit.csv", "--out", out)
        assert done.returncode == 0, done.stderr
        tables[part], said[part] = pd.read_csv(out, dtype={"sample_id": str}), done.stdout
    return tables, said


def test_predictions_carry_the_new_samples_names(cohort, predicted):
    """Continuous predictions carried the training samples' names."""
    for part in ("training", "validation"):
        assert predicted[0][part]["sample_id"].tolist() == read_names(cohort, part)


def read_names(cohort: str, part: str) -> list[str]:
    return [line.split()[1] for line in (REFERENCE / f"genoml/{cohort}/{part}.fam").read_text().splitlines()]


def test_alleles_in_the_other_order_change_no_prediction(predicted):
    """Alleles flipped in silence."""
    tables, said = predicted
    assert "in the other order: dosages were turned round" in said["validation"]
    values = [name for name in tables["training"].columns if name == "prediction" or name.startswith("p_")]
    known = {tuple(row) for row in tables["training"][values].round(4).itertuples(index=False)}
    renamed = [tuple(row) for row in tables["validation"][values].round(4).itertuples(index=False)]
    assert sum(row in known for row in renamed) == len(renamed)


def test_renamed_training_samples_are_reported(predicted):
    """Its validation cohort is a part of its training cohort under other names."""
    tables, said = predicted
    assert "100 of 100 samples have the genotypes of training samples" in said["validation"]
    assert tables["validation"]["in_training"].all()


def test_every_sample_is_judged_out_of_its_fold(run):
    """ "tune" plotted on training data, and one unstratified split of 150 rows decided."""
    folder, said = run
    predictions, folds = pd.read_csv(folder / "predictions.csv"), pd.read_csv(folder / "folds.csv")
    of_model = predictions[predictions.model == predictions.model.iloc[0]]
    assert len(of_model) == of_model["sample_id"].nunique() == 500
    assert (folds.n_train + folds.n_test == 500).all()
    assert ("2 random folds" if "mse" in folds else "2 folds, each with its share of every class") in said


def test_the_best_is_chosen_and_not_the_worst(cohort, run):
    """Selection by MSE or MAE picked the worst; there was no ridge or GBLUP among the learners."""
    board = pd.read_csv(run[0] / "leaderboard.csv")
    compared = board[board.inner_score.notna() & (board.model != "stack")]
    assert set(compared.model) == set(RUNS[cohort][1].split(","))
    best = compared.inner_score.min() if cohort == "continuous" else compared.inner_score.max()
    chosen = compared[compared.chosen]
    assert chosen.empty or (chosen.inner_score == best).all()  # empty: an average of them was better yet


def test_the_area_is_of_probabilities_and_the_same_everywhere(cohort, run):
    """The area under the ROC curve was that of hard labels; table and plot disagreed."""
    if cohort != "discrete":
        pytest.skip("of two classes")
    predictions, folds = pd.read_csv(run[0] / "predictions.csv"), pd.read_csv(run[0] / "folds.csv")
    for (model, repeat, fold), part in predictions.groupby(["model", "repeat", "fold"]):
        row = folds[(folds.model == model) & (folds.repeat == repeat) & (folds.fold == fold)].iloc[0]
        assert row.auc == pytest.approx(roc_auc_score(part.observed == 1, part.p_1))
        assert row.auc != pytest.approx(roc_auc_score(part.observed == 1, part.prediction == 1), abs=1e-6)


@pytest.fixture
def copies(tmp_path):
    for file in (REFERENCE / "genoml/discrete").glob("training*"):
        shutil.copy(file, tmp_path)
    return tmp_path


def test_a_missing_phenotype_is_no_third_class(gpatlas, copies):
    table = (copies / "training_pheno.csv").read_text().splitlines()
    gone = [line.partition(",")[0] + "," + ("-9", "", "NA", ".")[k % 4] for k, line in enumerate(table[1:41])]
    (copies / "p.csv").write_text("\n".join([table[0], *gone, *table[41:]]) + "\n")
    done = gpatlas("import", copies / "training", "--phenotypes", copies / "p.csv", "--out", copies / "d.h5")
    data = read_dataset(copies / "d.h5")
    assert "40 of 500 values are missing" in done.stdout
    assert data.levels["PHENO"] == ("0", "1")
    assert np.isnan(data.phenotypes).sum() == 40


def test_names_are_neither_cut_nor_numbers(gpatlas, copies):
    """SNP ids were cut at the first _; samples named by numbers alone crashed."""
    bim = [line.split() for line in (copies / "training.bim").read_text().splitlines()]
    fam = [line.split() for line in (copies / "training.fam").read_text().splitlines()]
    loci = [f"{chromosome}_{k}_{name}_x" for k, (chromosome, name, *_) in enumerate(bim)]
    samples = [f"{k:04d}" if k % 2 else str(1000 + k) for k in range(500)]
    renamed = dict(zip((row[1] for row in fam), samples, strict=True))
    for name, rows, names in (("bim", bim, loci), ("fam", fam, samples)):
        lines = ("\t".join([row[0], to, *row[2:]]) + "\n" for row, to in zip(rows, names, strict=True))
        (copies / f"training.{name}").write_text("".join(lines))
    head, *lines = (copies / "training_pheno.csv").read_text().splitlines()
    pairs = [line.split(",") for line in lines]
    (copies / "p.csv").write_text("\n".join([head, *(f"{renamed[a]},{b}" for a, b in reversed(pairs))]) + "\n")
    done = gpatlas("import", copies / "training.bed", "--phenotypes", copies / "p.csv", "--out", copies / "d.h5")
    assert "500 of 500 genotyped samples have a row" in done.stdout
    data = read_dataset(copies / "d.h5")
    assert as_text(data.locus_id).tolist() == loci
    assert as_text(data.sample_id).tolist() == samples
    truth = {renamed[name]: float(value) for name, value in pairs}
    assert data.phenotypes[:, 0].tolist() == [truth[name] for name in samples]


def test_no_name_in_both_is_one_line(gpatlas, copies):
    """It was a FileNotFoundError."""
    text = (copies / "training_pheno.csv").read_text().replace("sample", "patient")
    (copies / "p.csv").write_text(text)
    line = one_line_error(
        gpatlas("import", copies / "training", "--phenotypes", copies / "p.csv", "--out", copies / "d.h5")
    )
    assert "p.csv: no sample of it has genotypes; its names are patient1, patient2, patient3, …, the genotypes'" in line
    assert not (copies / "d.h5").exists()
