"""Pretraining learns, goes on after any interruption as if there had been none, and needs no phenotype."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from gpatlas.config import PerceiverRecipe
from gpatlas.errors import ConfigError, DataError, StoreError
from gpatlas.io.arrays import read_arrays, write_arrays
from gpatlas.io.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from gpatlas.nn.perceiver import Layout
from gpatlas.perceiver import pretraining
from gpatlas.perceiver.accuracy import imputation_table
from gpatlas.perceiver.outcome import write_curves, write_imputation, write_networks
from gpatlas.perceiver.pace import has_ended, learning_rate, n_plateaus
from gpatlas.perceiver.pretrained import read_pretrained
from gpatlas.perceiver.pretraining import STATE, pretrain
from gpatlas.perceiver.samples import split_rows
from gpatlas.train.precision import choose_arithmetic
from tests.perceiver.conftest import SIZES, panel

CPU = choose_arithmetic("cpu", "f32")


def assert_same(state, other):
    assert state.digest == other.digest
    assert (state.batch, state.losses, state.validations) == (other.batch, other.losses, other.validations)
    for group in ("average", "best"):
        for name, value in getattr(state, group).items():
            assert torch.equal(value, getattr(other, group)[name]), name


def changed(recipe, **changes):
    return PerceiverRecipe(**{**recipe.model_dump(), **changes})


@pytest.mark.parametrize(("p", "k"), SIZES)
@pytest.mark.parametrize("objective", ["masked", "contrastive"])
def test_the_loss_falls_in_both_schemes(recipe, p, k, objective):
    codes, layout = panel(80, 16, p, k)
    recipe = changed(
        recipe, objective=objective, n_steps=60, validate_every=20, network={"architecture": "tiny", "dropout": 0}
    )
    state = pretrain(codes, layout, recipe, CPU)
    assert state.batch == 60
    losses = state.validation_losses
    assert min(losses[1:]) < 0.97 * losses[0]
    assert np.isfinite(losses).all()


@pytest.mark.parametrize("changes", [{"loss": "focal"}, {"sampling": "inverse_frequency"}, {"prop_x": 0.6}])
@pytest.mark.parametrize("objective", ["masked", "contrastive"])
def test_the_loss_falls_with_every_choice(recipe, objective, changes):
    codes, layout = panel(80, 16, 2, 3)
    if objective == "contrastive":
        changes = {**changes, "allele_weight": 0.5}
    state = pretrain(codes, layout, changed(recipe, objective=objective, n_steps=60, **changes), CPU)
    assert min(state.validation_losses) < 0.97 * state.validation_losses[0]


@pytest.fixture(scope="module")
def data():
    return panel(60, 24)


@pytest.fixture
def reference(recipe, data, tmp_path):
    """Trained without interruption."""
    return pretrain(*data, recipe, CPU, tmp_path / "reference")


@pytest.mark.parametrize("stop", [2, 3, 7, 23])
@pytest.mark.parametrize("changes", [{}, {"schedule": "plateau", "plateau_patience": 1, "objective": "contrastive"}])
def test_an_interrupted_pretraining_goes_on_to_the_same_bits(recipe, data, tmp_path, stop, changes):
    recipe = changed(recipe, **changes)

    def interrupt(state):
        if state.batch == stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(*data, recipe, CPU, tmp_path, interrupt)
    steps = []
    state = pretrain(*data, recipe, CPU, tmp_path, lambda state: steps.append(state.batch))
    assert steps[0] == stop - stop % recipe.checkpoint_every + 1
    assert_same(state, pretrain(*data, recipe, CPU))  # in memory


def test_a_finished_pretraining_has_nothing_left_to_do(recipe, data, reference, tmp_path):
    steps = []
    assert_same(pretrain(*data, recipe, CPU, tmp_path / "reference", steps.append), reference)
    assert not steps


def test_bits_do_not_depend_on_threads_or_random_numbers_outside(recipe, data, reference):
    torch.set_num_threads(2)
    torch.manual_seed(99)
    before = torch.random.get_rng_state()
    try:
        assert_same(pretrain(*data, recipe, CPU), reference)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_another_recipe_or_panel_is_refused(recipe, data, reference, tmp_path):
    folder, (codes, layout) = tmp_path / "reference", data
    other = changed(recipe, learning_rate=0.1)
    with pytest.raises(ConfigError, match=r"is of a training with learning_rate = 0.02, not 0.1"):
        pretrain(codes, layout, other, CPU, folder)
    flipped = np.where(codes > 0, 4 - codes, 0)
    with pytest.raises(ConfigError, match=r"is of a training with genotypes = "):
        pretrain(flipped, layout, recipe, CPU, folder)
    anew = pretrain(codes, layout, other, CPU, folder, replace=True)
    assert_same(anew, pretrain(codes, layout, other, CPU))
    write_arrays(folder / STATE, {"x": np.zeros(3)}, {"of": "something else"})
    with pytest.raises(StoreError, match=r"state.safetensors is not the state of a training"):
        pretrain(codes, layout, recipe, CPU, folder)


def test_a_folder_in_which_another_process_pretrains_is_refused(recipe, data, tmp_path):
    script = (
        "import pathlib, sys, time; from gpatlas.io.locks import ByteLocks; "
        "print(ByteLocks(pathlib.Path(sys.argv[1])).hold(0), flush=True); time.sleep(600)"
    )
    other = subprocess.Popen([sys.executable, "-c", script, tmp_path / ".lock"], stdout=subprocess.PIPE)
    try:
        assert other.stdout.readline() == b"True\n"
        with pytest.raises(StoreError, match=r"another process is pretraining here; wait for it, or choose another"):
            pretrain(*data, recipe, CPU, tmp_path)
        assert not (tmp_path / STATE).exists()
    finally:
        other.kill()
        other.communicate()
    assert pretrain(*data, recipe, CPU, tmp_path).batch == recipe.n_steps  # a killed one leaves no lock


def test_the_best_weights_are_kept_and_training_ends_where_progress_does(recipe, data):
    wild = changed(recipe, n_steps=400, learning_rate=0.3, schedule="plateau", patience=4, average=0)
    state = pretrain(*data, wild, CPU)
    losses = state.validation_losses
    assert state.batch < 400
    assert len(losses) - 1 - int(np.argmin(losses)) == 4
    assert state.best_row[0]["loss"] == min(losses)
    for name, value in state.network.state_dict().items():
        assert torch.equal(value, state.best[name])
    assert any(not torch.equal(value, state.best[name]) for name, value in state.average.items())


def test_nobody_held_out_keeps_the_last_weights(recipe, data):
    state = pretrain(*data, changed(recipe, validation=0), CPU)
    assert not state.validations
    assert len(state.losses) == 6
    for name, value in state.average.items():
        assert torch.equal(value, state.network.state_dict()[name])


def test_held_out_rows_teach_nothing(recipe, data):
    """Other calls of those who are held out change which weights are best, but no step."""
    codes, layout = data
    _, held_out = split_rows(len(codes), recipe)
    other = codes.copy()
    other[held_out] = np.roll(other[held_out], 1, axis=0)
    recipe = changed(recipe, patience=1000)
    states = [pretrain(one, layout, recipe, CPU) for one in (codes, other)]
    assert states[0].validations != states[1].validations
    for name, value in states[0].average.items():
        assert torch.equal(value, states[1].average[name])


def test_rows_can_be_held_out_by_name(recipe, data):
    training, held_out = split_rows(60, recipe, np.arange(60) % 3 == 0)
    assert (held_out == np.arange(0, 60, 3)).all()
    assert (split_rows(60, recipe, [5, 3])[1] == [3, 5]).all()
    assert not set(training.tolist()) & set(held_out.tolist())
    assert len(split_rows(60, recipe)[1]) == 6


def test_the_pace():
    recipe = PerceiverRecipe(n_steps=100, warm_up=0.1, learning_rate=1.0)
    rates = [learning_rate(step, recipe, []) for step in range(100)]
    assert rates[:10] == pytest.approx(np.arange(1, 11) / 11)
    assert rates[10] == 1
    assert rates[55] == pytest.approx(0.5)
    assert (np.diff(rates[10:]) < 0).all()
    recipe = changed(recipe, schedule="plateau", plateau_patience=2, plateau_factor=0.1)
    losses = [3.0, 2.0, 2.0, 2.5, 1.0, 1.1, 1.2, 1.3, 1.4]
    assert [n_plateaus(losses[:n], 2) for n in range(10)] == [0, 0, 0, 0, 1, 1, 1, 2, 2, 3]
    assert learning_rate(50, recipe, losses) == pytest.approx(1e-3)
    assert [has_ended(losses[:n], 3) for n in range(10)] == [False] * 8 + [True, True]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda codes: codes[:1], "1 sample is too few to pretrain on (masked): 1 or more are trained on"),
        (lambda codes: codes[:, :5], "allele codes of shape (60, 5) do not fit a panel of 24 markers"),
        (lambda codes: codes * 0, "there is nothing to pretrain on: all 1,440 calls are missing"),
        (lambda codes: np.where(np.arange(24) == 7, 4, codes), "unknown allele code 4 of sample 1 at marker m7; calls"),
        (lambda codes: np.where(np.arange(24) == 7, -1, codes), "unknown allele code -1 of sample 1 at marker m7;"),
    ],
)
def test_mistakes(recipe, data, spoil, message):
    codes, layout = data
    with pytest.raises(DataError) as error:
        pretrain(spoil(codes), layout, recipe, CPU)
    assert message in str(error.value)


def test_more_markers_than_memory_are_refused(recipe, data, monkeypatch):
    monkeypatch.setattr("gpatlas.perceiver.samples.available_memory", lambda: 1e3)
    with pytest.raises(DataError, match=r"24 markers are more than fit: their network has [\d,]+ weights"):
        pretrain(*data, recipe, CPU)


def test_what_pretraining_leaves(recipe, data, reference, tmp_path):
    codes, layout = data
    path = write_networks(reference, recipe, tmp_path, {"alleles": [["A", "C"]]})
    write_curves(reference, tmp_path)
    network, found = read_pretrained(path)
    assert found.as_config() == layout.as_config()
    probe = torch.from_numpy(codes), torch.arange(24).expand(60, 24)
    with torch.no_grad():
        assert torch.equal(network.copies(*probe), reference.network.copies(*probe))
    about = read_checkpoint(path).config
    assert about["alleles"] == [["A", "C"]]
    assert about["training"]["recipe"]["seed"] == recipe.seed
    assert about["training"]["validation"] == reference.best_row
    last, _ = read_pretrained(tmp_path / "last.safetensors")
    for name, value in last.state_dict().items():
        assert torch.equal(value, reference.average[name])
    assert len((tmp_path / "validation.csv").read_text().splitlines()) == 1 + 1 + 6  # before, and six times
    assert len((tmp_path / "training.csv").read_text().splitlines()) == 1 + 6
    assert (tmp_path / "curves.svg").stat().st_size > 10_000
    write_imputation(imputation_table({"perceiver": network}, codes, layout, recipe), tmp_path)
    assert (tmp_path / "imputation.csv").read_text().startswith("class,n_calls,model,accuracy\n")


def test_only_perceivers_are_read(tmp_path):
    write_checkpoint(Checkpoint({"x": np.zeros(2)}, {"network": {}}), tmp_path / "other.safetensors")
    with pytest.raises(StoreError, match="a checkpoint, but not of a perceiver"):
        read_pretrained(tmp_path / "other.safetensors")


def test_phenotypes_change_no_bit(recipe, diploids, tmp_path):
    """What reaches pretraining from a dataset is the same whatever its phenotypes, folds and truth."""
    from dataclasses import replace

    rng = np.random.default_rng(1)
    shuffled = replace(
        diploids, phenotypes=rng.permutation(diploids.phenotypes), fold=rng.permutation(diploids.fold), truth=None
    )
    written = []
    for name, dataset in (("one", diploids), ("other", shuffled)):
        layout, order = Layout.of(dataset)
        state = pretrain(dataset.allele_codes()[:, order], layout, recipe, CPU)
        written.append(write_networks(state, recipe, tmp_path / name).read_bytes())
    assert written[0] == written[1]


KILLED = """
import sys
from pathlib import Path
from gpatlas.config import PerceiverRecipe
from gpatlas.nn.perceiver import networks
from gpatlas.perceiver.pretraining import pretrain
from gpatlas.train.precision import choose_arithmetic
from tests.perceiver.conftest import panel
networks.ARCHITECTURES["tiny"] = "tests.perceiver.networks:TinyPerceiver"
recipe = PerceiverRecipe.model_validate_json(sys.argv[1])
pretrain(*panel(60, 24), recipe, choose_arithmetic("cpu", "f32"), Path(sys.argv[2]))
"""


def test_killed_and_killed_again_it_ends_in_the_same_bits(recipe, data, tmp_path):
    recipe = changed(recipe, n_steps=300, checkpoint_every=5, validate_every=50)
    command = [sys.executable, "-c", KILLED, recipe.model_dump_json(), str(tmp_path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    seen = 0
    for _ in range(2):
        process = subprocess.Popen(command, env=environment)
        while process.poll() is None:
            now = read_arrays(tmp_path / STATE)[1]["batch"] if (tmp_path / STATE).exists() else 0
            if now > seen + 20:
                process.send_signal(signal.SIGKILL)
                seen = now
            time.sleep(0.01)
        assert process.wait() == -signal.SIGKILL
    subprocess.run(command, env=environment, check=True)
    state = pretrain(*data, recipe, CPU, tmp_path, lambda state: pytest.fail("something was left to do"))
    assert_same(state, pretrain(*data, recipe, CPU))


@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch has no distributed package")
def test_processes_share_every_batch(recipe, data, tmp_path):
    recipe = changed(recipe, network={"architecture": "tiny", "dropout": 0})
    (tmp_path / "shared.py").write_text(KILLED)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", str(tmp_path / "shared.py")]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [*command, recipe.model_dump_json(), str(tmp_path)], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    _, record = read_arrays(tmp_path / STATE)
    alone = pretrain(*data, recipe, CPU)
    assert record["digest"] == alone.digest
    for (_, found), (_, expected) in zip(record["losses"], alone.losses, strict=True):
        assert found == pytest.approx(expected, rel=1e-3)


def test_divergence_is_said(recipe, data, monkeypatch):
    from gpatlas.errors import EngineError

    monkeypatch.setattr(pretraining, "batch_loss", lambda network, *_: network.base.sum() * float("inf"))
    with pytest.raises(EngineError, match=r"training diverged at step 1 \(loss nan\); lower learning_rate"):
        pretrain(*data, recipe, CPU)
