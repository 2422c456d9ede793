"""`gpatlas perceiver finetune`: every sample in every environment; options win over files, files over defaults."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from gpatlas.dataset import Fold
from gpatlas.errors import ConfigError, DataError
from gpatlas.finetuning import finetune_dataset, predictor_of
from gpatlas.io import write_dataset
from gpatlas.nn.perceiver.networks import ARCHITECTURES
from gpatlas.predictor import load_predictor, save_predictor
from tests.conftest import one_line_error

QUICK = {"network": {"architecture": "tiny"}, "max_epochs": 4, "device": "cpu", "learning_rate": 0.01}


@pytest.fixture(autouse=True)
def _tiny(monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "tiny", "tests.nn.perceiver.tiny:TinyPerceiver")


@pytest.fixture
def trial(diploids):
    """Two traits as two environments of one, some lines not grown in the second."""
    y = diploids.phenotypes.copy()
    y[::3, 1] = np.nan
    y[5] = np.nan
    first, second = diploids.trait_id.astype(str).tolist()
    return replace(diploids, phenotypes=y, environments={first: ("yield", "north"), second: ("yield", "south")})


def test_every_sample_is_predicted_in_every_environment(trial):
    found = finetune_dataset(trial, QUICK)
    table = pd.DataFrame(found.table)
    assert list(table) == ["sample_id", "trait", "environment", "fold", "observed", "prediction"]
    assert len(table) == 2 * trial.n_samples
    assert table["prediction"].notna().all()
    np.testing.assert_array_equal(table["observed"], trial.phenotypes.ravel())
    assert (table["environment"].tolist()[:2], table["trait"].unique().tolist()) == (["north", "south"], ["yield"])
    assert found.sentences[0].startswith(f"{trial.n_samples - 1} of {trial.n_samples} samples have a phenotype")
    assert found.estimator.refit


def test_phenotypes_of_test_samples_never_matter(trial):
    spoilt = trial.phenotypes.copy()
    rows = trial.rows(Fold.test)
    spoilt[rows] = np.random.default_rng(1).permutation(spoilt[rows])
    one, two = (finetune_dataset(data, QUICK) for data in (trial, replace(trial, phenotypes=spoilt)))
    np.testing.assert_array_equal(one.table["prediction"], two.table["prediction"])


def test_without_test_samples_those_of_validation_are_scored_and_not_trained_on(trial):
    y = trial.phenotypes[:, :1]
    fold = np.where(np.arange(len(y)) % 4 == 0, Fold.validation, Fold.train).astype(np.uint8)
    data = replace(trial, fold=fold, phenotypes=y, trait_id=trial.trait_id[:1], environments={})
    found = finetune_dataset(data, QUICK)
    assert not found.estimator.refit
    assert any("validation samples" in sentence for sentence in found.sentences)
    assert finetune_dataset(data, QUICK | {"refit": True}).estimator.refit
    all_known = finetune_dataset(replace(data, fold=np.full_like(fold, Fold.train)), QUICK)
    assert all_known.estimator.refit  # nothing is scored, nothing is to be kept away
    assert "15% of the training samples, as there are no validation samples" in " ".join(all_known.sentences)
    assert "no test samples" in all_known.sentences[-1]


def test_classes_get_probabilities_by_name(trial):
    name = str(trial.trait_id.astype(str)[0])
    sick = (trial.phenotypes[:, :1] > np.nanmedian(trial.phenotypes[:, 0])).astype(float)
    data = replace(
        trial, phenotypes=sick, trait_id=trial.trait_id[:1], levels={name: ("healthy", "sick")}, environments={}
    )
    table = pd.DataFrame(finetune_dataset(data, QUICK | {"loss": "binary"}).table)
    np.testing.assert_allclose(table["p_healthy"] + table["p_sick"], 1)
    assert set(table["observed"]) == {"healthy", "sick"}
    assert (table["prediction"] == np.where(table["p_sick"] > 0.5, "sick", "healthy")).all()
    with pytest.raises(ConfigError, match=rf"trait {name} has classes \(healthy, sick\); choose a loss of classes"):
        finetune_dataset(data, QUICK)


def test_ordered_classes_are_numbers(trial):
    name = str(trial.trait_id.astype(str)[0])
    scores = np.digitize(trial.phenotypes[:, :1], np.nanquantile(trial.phenotypes[:, 0], [0.3, 0.6])).astype(float)
    scores[np.isnan(trial.phenotypes[:, :1])] = np.nan
    data = replace(trial, phenotypes=scores, trait_id=trial.trait_id[:1], environments={})
    named, numbered = (replace(data, levels={name: classes}) for classes in (("high", "low", "mid"), ("3", "5", "7")))
    with pytest.raises(ConfigError, match=rf"classes of trait {name} are names without an order \(high, low, mid\)"):
        finetune_dataset(named, QUICK | {"loss": "ordinal"})
    table = pd.DataFrame(finetune_dataset(numbered, QUICK | {"loss": "ordinal"}).table)
    np.testing.assert_allclose(table["prediction"], table[["p_3", "p_5", "p_7"]] @ [3, 5, 7])
    assert set(table["observed"]) == {"3", "5", "7", ""}


def test_a_model_file_predicts_the_same(trial, tmp_path):
    name = str(trial.trait_id.astype(str)[0])
    found = finetune_dataset(trial, QUICK, traits=[name])
    save_predictor(predictor_of(found.estimator, trial, name), tmp_path / "m.gpatlas")
    loaded = load_predictor(tmp_path / "m.gpatlas").predict(trial)
    np.testing.assert_array_equal(loaded.table["prediction"], found.table["prediction"])


def test_what_cannot_be_learnt_is_said(trial):
    with pytest.raises(ConfigError, match="no trait 'yeld'"):
        finetune_dataset(trial, QUICK, traits=["yeld"])
    with pytest.raises(ConfigError, match="free: the network has no part 'blok'"):
        finetune_dataset(trial, QUICK | {"free": ["blok"]})
    with pytest.raises(DataError, match=r"trait \w+: 0 training samples have a phenotype, but at least 2"):
        finetune_dataset(replace(trial, phenotypes=np.full_like(trial.phenotypes, np.nan)), QUICK)


def test_options_win_over_files_and_files_over_defaults(gpatlas, trial, tmp_path):
    write_dataset(trial, tmp_path / "d.h5")
    network = "{architecture: published, latent_dim: 4, output_dim: 8, projection_dim: 8, feedforward_dim: 8}"
    (tmp_path / "p.yaml").write_text(f"head: pool\nmax_epochs: 3\ndevice: cpu\npatience: 1000\nnetwork: {network}\n")
    out = tmp_path / "p.tsv"
    done = gpatlas("perceiver", "finetune", tmp_path / "d.h5", "--params", tmp_path / "p.yaml", "-o", out)
    assert done.returncode == 0, done.stderr
    of_file = pd.read_csv(out, sep="\t")
    done = gpatlas(
        "perceiver", "finetune", tmp_path / "d.h5", "--params", tmp_path / "p.yaml", "--head", "latent", "-o", out
    )
    assert done.returncode == 0, done.stderr
    assert not np.array_equal(of_file["prediction"], pd.read_csv(out, sep="\t")["prediction"])


def test_the_example_runs(gpatlas, tmp_path):
    shown = gpatlas("perceiver", "finetune", "--help").stdout
    for example in re.findall(r"^    gpatlas (.*)$", shown, flags=re.MULTILINE):
        words = [str(tmp_path / w) if re.fullmatch(r"\w+\.(h5|csv)", w) else w for w in example.split()]
        done = gpatlas(*words)
        assert done.returncode == 0, done.stderr
    assert re.match(r"finetune: [\d,]+ samples with phenotypes × [\d,]+ markers × \d+ traits?; estimate: ", done.stdout)
    assert "predictive ability" in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--checkpoint", "absent.safetensors"], "absent.safetensors"),
        (["--head", "pol"], "'head' parameter of Perceiver must be a str among"),
        (["--params", "absent.yaml"], "cannot read absent.yaml"),
        (["--preset", "publishd"], "--preset: unknown preset 'publishd'; did you mean 'published'?"),
        (["--model", "m.gpatlas"], "--model: a model file predicts one trait"),
    ],
)
def test_mistakes(gpatlas, trial, tmp_path, words, message):
    write_dataset(trial, tmp_path / "d.h5")
    done = gpatlas("perceiver", "finetune", tmp_path / "d.h5", "--out", tmp_path / "x.csv", *words)
    assert message in one_line_error(done)
    assert not (tmp_path / "x.csv").exists()
