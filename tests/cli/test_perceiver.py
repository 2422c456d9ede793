"""`gpatlas perceiver pretrain`: its example runs, and every mistake is one line and exit 2."""

import re

import pytest

from gpatlas.dataset import Dataset
from gpatlas.io import write_dataset
from tests.conftest import one_line_error

TINY = "{n_steps: 6, batch_size: 8, validate_every: 3, checkpoint_every: 3, network: {architecture: published, " + (
    "latent_dim: 4, output_dim: 8, projection_dim: 8, feedforward_dim: 8, allele_embed_dim: 8, position_embed_dim: 8, "
    "num_self_attention_heads: 2, num_self_attention: 1, num_encode_iters: 1, num_decode_iters: 1}}"
)
LEFT = {
    "checkpoint.safetensors",
    "last.safetensors",
    "state.safetensors",
    "training.csv",
    "validation.csv",
    "imputation.csv",
    "curves.svg",
    ".lock",
}


@pytest.fixture(scope="module")
def population(diploids: Dataset, tmp_path_factory):
    path = tmp_path_factory.mktemp("population") / "population.h5"
    write_dataset(diploids, path)
    return path


def test_the_example_runs(gpatlas, tmp_path):
    shown = gpatlas("perceiver", "pretrain", "--help").stdout
    for example in re.findall(r"^    gpatlas (.*)$", shown, flags=re.MULTILINE):
        words = [str(tmp_path / w) if w in ("population.h5", "pretrained") else w for w in example.split()]
        done = gpatlas(*[w.replace("n_steps=200", "n_steps=5") for w in words])
        assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "pretrained").iterdir()} == LEFT


def test_a_recipe_from_a_file_and_the_command_line(gpatlas, population, tmp_path):
    (tmp_path / "recipe.yaml").write_text(TINY)
    words = ["perceiver", "pretrain", population, "--recipe", tmp_path / "recipe.yaml", "--out", tmp_path / "out"]
    done = gpatlas(*words, "--device", "cpu", "--runtime", tmp_path / "runtime.json")
    assert done.returncode == 0, done.stderr
    assert "150 samples × 50 markers on 2 chromosomes, ploidy 2, 2 alleles, 0.0% of calls missing" in done.stdout
    assert re.search(r"checkpoint.safetensors: [\d,]+ weights, 6 steps, .*; best at step \d: loss \d", done.stdout)
    assert re.search(r"0\.\d+ by the network, 0\.\d+ by nearest .*, 0\.\d+ by the most frequent call", done.stdout)
    assert {path.name for path in (tmp_path / "out").iterdir()} == LEFT
    assert '"stage": "pretrain"' in (tmp_path / "runtime.json").read_text()
    again = one_line_error(gpatlas(*words, "--set", "network.latent_dim=2"))
    assert "is of a training with network = " in again
    anew = gpatlas(*words, "--set", "learning_rate=1e-4", "--set", "objective=contrastive", "--replace")
    assert anew.returncode == 0, anew.stderr
    assert "hidden calls" not in anew.stdout  # alleles were not learnt


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--recipe-text", "{objectiv: masked}"], "--recipe-text: unknown key 'objectiv'; did you mean 'objective'?"),
        (
            ["--recipe-text", "{prop_y: 0.9}"],
            "prop_y: input should be less than or equal to 0.5, not 0.9",
        ),
        (["--recipe-text", "{allele_weight: 1}"], "allele_weight 1 is of the contrastive objective, not of masked"),
        (["--recipe-text", "{}", "--recipe", "a.yaml"], "comes from --recipe or from --recipe-text, not from both"),
        (["--recipe", "absent.yaml"], "cannot read absent.yaml"),
        (["--set", "n_steps"], "--set n_steps: expected KEY=VALUE, such as n_steps=500"),
        (["--set", "n_steps=0"], "--set n_steps=0: n_steps: input should be greater than or equal to 1, not 0"),
        (["--set", "seed.x=0"], "--set seed.x=0: seed: input should be a valid integer"),
        (["--set", "network.architecture=windwed"], "unknown architecture 'windwed'; did you mean 'windowed'?"),
        (["--device", "gpuu"], "--device: unknown device 'gpuu'; name auto, cpu, cuda"),
    ],
)
def test_mistakes(gpatlas, population, words, message, tmp_path):
    done = gpatlas("perceiver", "pretrain", population, *words, "--out", tmp_path / "x")
    assert message in one_line_error(done)
    assert not (tmp_path / "x").exists()


def test_markers_that_stand_twice_and_a_single_sample(gpatlas, diploids, tmp_path):
    import dataclasses

    import numpy as np

    names = diploids.locus_id.copy()
    names[3] = names[1]
    write_dataset(dataclasses.replace(diploids, locus_id=names, truth=None), tmp_path / "twice.h5")
    write_dataset(diploids.samples(np.array([0])), tmp_path / "one.h5")
    words = ["--recipe-text", TINY, "--out", tmp_path / "x"]
    done = one_line_error(gpatlas("perceiver", "pretrain", tmp_path / "twice.h5", *words))
    assert "markers must have different names, but " in done
    done = one_line_error(gpatlas("perceiver", "pretrain", tmp_path / "one.h5", *words))
    assert "1 sample is too few to pretrain on" in done
