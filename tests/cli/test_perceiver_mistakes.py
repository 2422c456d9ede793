"""What a user of the perceiver may get wrong: one line, exit 2, and no file left behind."""

import json
import re
import sys
import warnings
from dataclasses import replace
from subprocess import CompletedProcess

import numpy as np
import pytest

from gpatlas.cli import main
from gpatlas.dataset import Fold
from gpatlas.io import write_dataset
from gpatlas.io.arrays import read_arrays, write_arrays
from gpatlas.io.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from gpatlas.io.gperceiver import write_gperceiver
from tests.allele_panels import panel_of
from tests.conftest import one_line_error

NETWORK = "network: {window: 10, flank: 0, hidden: 4, width: 4, n_heads: 1, n_global: 0, pair_width: 2}"
RECIPE = f"{{n_steps: 2, batch_size: 8, validate_every: 1, {NETWORK}}}"


@pytest.fixture
def refused(monkeypatch, capsys, tmp_path):
    """Run the command line in this process; returns the one line that it says."""
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)  # `main` changes it
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["gpatlas", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return one_line_error(CompletedProcess(words, end.value.code, said.out, said.err))

    return run


@pytest.fixture(scope="module")
def pretrained(gpatlas, diploids, tmp_path_factory):
    """A folder with a population, and with what pretraining on it leaves."""
    folder = tmp_path_factory.mktemp("pretrained")
    write_dataset(diploids, folder / "population.h5")
    words = ["population.h5", "--recipe-text", RECIPE, "--device", "cpu", "--out", "out"]
    done = gpatlas("perceiver", "pretrain", *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def finetune(refused, data, folder, **checkpoint):
    """What is said of a dataset, or of another checkpoint than the folder's."""
    words = ["--checkpoint", checkpoint.get("checkpoint", folder / "out/checkpoint.safetensors"), "--device", "cpu"]
    return refused("perceiver", "finetune", data, *words, "--max-epochs", 2, "--out", "x.csv")


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("markers", (r"^s2\t\d+", "s2\t99"), "code '99' at marker 'm0'"),
        ("chroms", ("2\tm7\t", "2\tm77\t"), "1 marker is not in the map (m7)"),
        ("chroms", ("\tm7\t", "\tm6\t"), "locus 'm6' stands more than once in the map"),
        ("markers", ("\tm7\t", "\tm6\t"), "1 marker stands more than once (m6)"),
        (
            "phenotypes",
            ("\tblock", "\twhere"),
            "only for gperceiver's --phenotypes, with columns name, response, block and",
        ),
        ("phenotypes", (r"\t1\t0$", r"\t\t0"), "has no block; blocks are numbered 0, 1, …"),
        ("phenotypes", ("^s", "t"), "no sample of it has genotypes"),
    ],
)
def test_tables(refused, tmp_path, table, change, message):
    write_gperceiver(panel_of(4, 3), *(tmp_path / f"{name}.tsv" for name in ("chroms", "markers", "phenotypes")))
    path = tmp_path / f"{table}.tsv"
    text = path.read_text()
    changed = re.sub(change[0], change[1], text, flags=re.MULTILINE)
    assert changed != text
    path.write_text(changed)
    files = ["markers.tsv", "--chroms", "chroms.tsv", "--phenotypes", "phenotypes.tsv"]
    assert message in refused("import", *files, "--ploidy", 4, "--n-alleles", 3, "--cv", 0, "--out", "x.h5")
    assert not (tmp_path / "x.h5").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("n_steps=-1", "--set n_steps=-1: n_steps: input should be greater than or equal to 1, not -1"),
        ("n_stepz=3", "--set n_stepz=3: unknown key 'n_stepz'; did you mean 'n_steps'?"),
        ("n_steps=", "n_steps: input should be a valid integer, not None"),
        ("n_steps=[1", "--set n_steps=[1, line 1: not valid YAML"),
        ("learning_rate=.nan", "learning_rate: input should be a finite number, not nan"),
        ("learning_rate=fast", "learning_rate: input should be a valid number"),
        ("seed=99999999999999999999", "seed 99999999999999999999: torch takes those below 2^63"),
        ("threads=100000000000", "threads: input should be less than or equal to 1024"),
        ("validation=1", "validation: input should be less than 1, not 1"),
        ("network=3", "network: input should be keys and values, not 3"),
        ("network.width=-1", "architecture windowed: width is -1; it must be a whole number of at least 1"),
        ("network.widht=8", "architecture windowed: unknown setting 'widht'; did you mean 'width'?"),
        ("network.layout=8", "architecture windowed: unknown setting 'layout'; known are window, "),
        ("network.feed_forward=.inf", "feed_forward is inf; it must be a finite number above 0"),
        ("network.feed_forward=true", "feed_forward is true; it must be a finite number above 0"),
        ("network.architecture=3", "unknown architecture '3'; known are windowed, published"),
        ("network.architecture=[a]", "unknown architecture '['a']'"),
        ("network.width=10000000", "50 markers are more than fit: their network has "),
    ],
)
def test_recipes(refused, pretrained, tmp_path, change, message):
    words = ["--device", "cpu", "--out", "x", "--set", change]
    said = refused("perceiver", "pretrain", pretrained / "population.h5", *words)
    assert message in said
    assert said.count("--set") <= 1
    assert not (tmp_path / "x").exists()


def test_a_folder_of_another_recipe_or_with_a_damaged_state(refused, pretrained, tmp_path):
    pretrain = ["perceiver", "pretrain", pretrained / "population.h5", "--recipe-text", RECIPE, "--device", "cpu"]
    said = refused(*pretrain, "--out", pretrained / "out", "--set", "batch_size=7")
    assert "is of a training with batch_size = 8, not 7; train into another folder" in said
    state = pretrained / "out/state.safetensors"
    damaged = tmp_path / "damaged/state.safetensors"
    damaged.parent.mkdir()
    damaged.write_bytes(state.read_bytes()[:-100])
    assert "not a file of arrays that gpatlas wrote, or damaged" in refused(*pretrain, "--out", damaged.parent)
    arrays, record = read_arrays(state)
    write_arrays(damaged, {key: value for key, value in arrays.items() if "allele_vectors" not in key}, record)
    assert "state.safetensors is damaged, or of another network" in refused(*pretrain, "--out", damaged.parent)


def test_checkpoints(refused, pretrained, tmp_path):
    population = pretrained / "population.h5"
    good = read_checkpoint(pretrained / "out/checkpoint.safetensors")

    def said(name, arrays=good.arrays, change=lambda config: None):
        config = json.loads(json.dumps(good.config))
        change(config["perceiver"])
        write_checkpoint(Checkpoint(arrays, config), tmp_path / name)
        return finetune(refused, population, pretrained, checkpoint=name)

    first = next(iter(good.arrays))
    others = {key: value for key, value in good.arrays.items() if key != first}
    assert "not all finite: training diverged, or the file is damaged" in said(
        "nan.safetensors", {**others, first: good.arrays[first] * np.nan}
    )
    assert "less.safetensors: weights do not fit the network" in said("less.safetensors", others)
    for key in ("network", "layout"):
        found = said("part.safetensors", change=lambda config, key=key: config.pop(key))
        assert f"part.safetensors: damaged, it does not say of which network or panel (KeyError('{key}'))" in found
    (tmp_path / "cut.safetensors").write_bytes((pretrained / "out/checkpoint.safetensors").read_bytes()[:5000])
    found = finetune(refused, population, pretrained, checkpoint="cut.safetensors")
    assert "cut.safetensors: not a file of arrays that gpatlas wrote, or damaged" in found
    (tmp_path / "empty").mkdir()
    found = finetune(refused, population, pretrained, checkpoint="empty")
    assert "empty/checkpoint.safetensors: no such file" in found
    found = finetune(refused, population, pretrained, checkpoint="defaul")
    assert "`gpatlas perceiver pretrain` make them" in found


def test_a_checkpoint_of_the_other_family(refused, pretrained, tmp_path):
    population = pretrained / "population.h5"
    found = finetune(refused, population, pretrained, checkpoint="default")  # that of gpfn, which comes with gpatlas
    assert "a checkpoint, but not of a perceiver (`gpatlas perceiver pretrain` makes one)" in found
    of_perceiver = pretrained / "out/checkpoint.safetensors"
    record = {"label": "gpfn", "model": "gpfn", "hyperparameters": {"checkpoint": str(of_perceiver)}}
    (tmp_path / "p.json").write_text(json.dumps(record))
    found = refused("fit", population, "--hparams", "p.json", "--out", "x.h5")
    assert "a checkpoint, but not of a prior-fitted network (`gpatlas gpfn train` makes one)" in found


def test_data_to_finetune_on(refused, pretrained, diploids, tmp_path):
    def said(data):
        write_dataset(data, tmp_path / "d.h5")
        return finetune(refused, tmp_path / "d.h5", pretrained)

    names = diploids.locus_id.copy()
    other = np.char.add(b"x", names)
    assert "none of the data's 50 markers (x" in said(replace(diploids, locus_id=other, truth=None))
    names[3] = names[1]
    assert "markers must have different names, but " in said(replace(diploids, locus_id=names, truth=None))
    nothing = replace(diploids, phenotypes=diploids.phenotypes[:, :0], trait_id=diploids.trait_id[:0], truth=None)
    assert "the dataset has no phenotypes to finetune on" in said(nothing)
    y = diploids.phenotypes.copy()
    y[:, 1] = np.nan
    second = str(diploids.trait_id.astype(str)[1])
    assert f"trait {second}: 0 training samples have a phenotype, but at least 2" in said(
        replace(diploids, phenotypes=y)
    )
    for fold in (Fold.test, Fold.validation):
        none = replace(diploids, fold=np.full(diploids.n_samples, fold, dtype=np.uint8))
        assert "0 training samples, but at least 3 are needed to finetune on" in said(none)
    one = diploids.samples(diploids.rows(Fold.train)[:1])
    assert "1 training sample, but at least 3 are needed to finetune on" in said(one)
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--free", "blok"], "free: the network has no part 'blok'"),
        (["--learning-rate", "-1"], "'learning_rate' parameter of Perceiver must be a float in the range (0.0, inf)"),
        (["--learning-rate", "nan"], "Got nan instead"),
        (["--max-epochs", "0"], "'max_epochs' parameter of Perceiver must be an int in the range [1, inf)"),
        (["--frozen-epochs", "-2"], "'frozen_epochs' parameter of Perceiver must be an int in the range [0, inf)"),
        (["--loss", "poisson"], "loss poisson is of counts, but a phenotype is -"),
        (["--device", "gpuu"], "unknown device 'gpuu'"),
    ],
)
def test_options_of_finetuning(refused, pretrained, words, message, tmp_path):
    start = ["perceiver", "finetune", pretrained / "population.h5", "--checkpoint", pretrained / "out"]
    assert message in refused(*start, "--out", "x.csv", *words)
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("{heads: pool}", "unknown hyperparameter 'heads'; did you mean 'head'?"),
        ("{network: {architecture: [1]}}", "unknown architecture '[1]'"),
        ("{pretrain: {n_stepz: 3}}", "pretrain: unknown key 'n_stepz'; did you mean 'n_steps'?"),
        (
            "{network: {width: 8}, pretrain: {network: {width: 8}}}",
            "network is given twice: for itself, and in pretrain",
        ),
    ],
)
def test_files_of_hyperparameters(refused, pretrained, params, message, tmp_path):
    (tmp_path / "p.yaml").write_text(params)
    words = ["--params", "p.yaml", "--max-epochs", 2, "--device", "cpu", "--out", "x.csv"]
    assert message in refused("perceiver", "finetune", pretrained / "population.h5", *words)
