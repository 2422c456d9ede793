"""`gpatlas gpfn`: examples run, and every mistake is one line and exit 2."""

import re

import pytest

from tests.conftest import REPOSITORY, one_line_error

RECIPE = REPOSITORY / "config/recipes/small.yaml"
WRITTEN = r"draws|small"


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(
        "{prior: unstructured, n_draws: 8, batch_size: 2, n_samples: [30, 40], n_markers: [30, 40], n_validation: 1,"
        " network: {n_rounds: 1, channels: 4, hidden: 4}, validate_every: 2, checkpoint_every: 2}"
    )
    return path


def test_help_lists_the_verbs(gpatlas):
    shown = gpatlas("gpfn", "--help").stdout
    assert re.findall(r"^  (\w+)  ", shown.split("Commands:")[1], flags=re.MULTILINE) == ["draw", "train", "predict"]


@pytest.mark.parametrize("verb", ["draw", "train"])
def test_examples_run(gpatlas, verb, tmp_path):
    examples = re.findall(r"^    gpatlas gpfn (.*)$", gpatlas("gpfn", verb, "--help").stdout, flags=re.MULTILINE)
    assert examples
    for example in examples:
        words = [str(tmp_path / w) if re.fullmatch(WRITTEN, w) else w for w in example.split()]
        done = gpatlas("gpfn", *words)
        assert done.returncode == 0, done.stderr


def test_a_cache_in_parts_and_training_from_it(gpatlas, tiny, tmp_path):
    for shard in ("1/2", "2/2"):
        done = gpatlas("gpfn", "draw", tiny, "--out", tmp_path / "draws", "--shard", shard)
        assert "2 batches of 2 populations drawn" in done.stdout, done.stderr
    assert "0 batches of 2" in gpatlas("gpfn", "draw", tiny, "--out", tmp_path / "draws").stdout
    done = gpatlas("gpfn", "train", tiny, "--cache", tmp_path / "draws", "--out", tmp_path / "t", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert re.search(r"checkpoint.safetensors: [\d,]+ weights, 8 draws, \d+ s; accuracy -?0\.\d+, 90 %", done.stdout)
    found = {path.name for path in (tmp_path / "t").iterdir()}
    assert found == {"checkpoint.safetensors", "state.safetensors", "training.csv", "validation.csv", "curves.svg"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["draw", RECIPE, "--shard", "3/2"], "--shard 3/2: expected NUMBER/COUNT, such as 2/8"),
        (["draw", RECIPE, "--queue", "--shard", "1/2"], "--queue goes without --shard and --mpi"),
        (["draw", RECIPE, "--queue", "--replace"], "--replace is for a cache; a queue of another recipe may be in use"),
        (["draw", RECIPE, "--capacity", "4"], "--capacity 4 is that of a queue; give --queue, too"),
        (["train", RECIPE, "--capacity", "4"], "--capacity 4 is that of a queue; give --queue, too"),
        (["draw"], "say which recipe: either a YAML file, or --recipe-text"),
        (["draw", "--recipe-text", "{prior: nma}"], "unknown prior 'nma'; did you mean 'nam'"),
        (["draw", "--recipe-text", "{prior: {nam: 0}}"], "no prior has a positive weight"),
        (["train", "--recipe-text", "{n_draws: 10}"], "n_draws (10) must be a multiple of batch_size (8)"),
        (["train", "--recipe-text", "{n_samples: [30, 20]}"], "n_samples goes from 30 to 20; give the least, of at"),
        (["train", "--recipe-text", "{network: {depth: 3}}"], "architecture awg: unknown setting 'depth'"),
        (["train", "--recipe-text", "{network: {channels: -1}}"], "architecture awg: channels -1 is out of range"),
        (["train", "--device", "gpuu", "--recipe-text", "{}"], "--device: unknown device 'gpuu'; name auto, cpu, cuda"),
        (["train", REPOSITORY / "config/scaling.yaml"], "experiment scaling holds no recipe (key `pretrain`)"),
        (["train", REPOSITORY / "config/gpfn.yaml", "--recipe", "big"], "--recipe big: there is no such recipe"),
        (["train", RECIPE, "--cache", "absent"], "absent: no cache of draws; make one with `gpatlas gpfn draw`"),
        (["train", RECIPE, "--cache", "a", "--queue", "b"], "from a --cache or from a --queue, not from both"),
        (["train", RECIPE, "--device", "cuda:7"], "--device: device 'cuda:7' is not available here"),
    ],
)
def test_mistakes(gpatlas, words, message, tmp_path):
    done = gpatlas("gpfn", *words, "--out", tmp_path / "x")
    assert message in one_line_error(done)
    assert not (tmp_path / "x").exists()
