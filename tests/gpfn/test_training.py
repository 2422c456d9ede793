"""Training goes on after any interruption as if there had been none, and learns."""

import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from gpatlas.config import PretrainSpec
from gpatlas.errors import ConfigError, StoreError
from gpatlas.gpfn.batch_files import BatchFiles
from gpatlas.gpfn.calibration import interval_factor
from gpatlas.gpfn.draws import Cached, Here
from gpatlas.gpfn.outcome import write_curves, write_trained
from gpatlas.gpfn.queue import Queue
from gpatlas.gpfn.schedule import Schedule
from gpatlas.gpfn.training import STATE, train
from gpatlas.io.arrays import read_arrays, write_arrays
from gpatlas.io.checkpoints import read_checkpoint
from gpatlas.nn.gpfn.batch import TaskBatch
from gpatlas.nn.gpfn.loss import loss
from gpatlas.nn.gpfn.networks import make_network, network_of
from gpatlas.train.precision import choose_arithmetic

CPU = choose_arithmetic("cpu", "f32")


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def reference(recipe, tmp_path_factory):
    """Trained without interruption."""
    folder = tmp_path_factory.mktemp("reference")
    return train(recipe, Here(Schedule(recipe)), folder, CPU)


def assert_same(state, other):
    assert state.digest == other.digest
    assert (state.batch, state.losses, state.validations) == (other.batch, other.losses, other.validations)
    for name, value in state.average.items():
        assert torch.equal(value, other.average[name]), name


@pytest.mark.parametrize("stop", [2, 3, 7, 11])
def test_an_interrupted_training_goes_on_to_the_same_bits(recipe, reference, tmp_path, stop):
    def interrupt(state):
        if state.batch == stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(recipe, Here(Schedule(recipe)), tmp_path, CPU, interrupt)
    steps = []
    state = train(recipe, Here(Schedule(recipe)), tmp_path, CPU, lambda state: steps.append(state.batch))
    assert steps[0] == stop - stop % recipe.checkpoint_every + 1
    assert_same(state, reference)


def test_a_finished_training_has_nothing_left_to_do(recipe, reference, tmp_path):
    train(recipe, Here(Schedule(recipe)), tmp_path, CPU)
    steps = []
    assert_same(train(recipe, Here(Schedule(recipe)), tmp_path, CPU, steps.append), reference)
    assert not steps


def test_draws_from_a_cache_are_the_same_training(recipe, reference, tmp_path):
    files = BatchFiles(tmp_path / "draws", Schedule(recipe))
    for batch in range(recipe.n_batches):
        files.make(batch)
    assert_same(train(recipe, Cached(tmp_path / "draws", Schedule(recipe)), tmp_path, CPU), reference)


def test_another_recipe_is_refused(recipe, tmp_path):
    train(recipe, Here(Schedule(recipe)), tmp_path, CPU)
    other = recipe.model_copy(update={"learning_rate": 0.1})
    with pytest.raises(ConfigError, match=r"is of a training with learning_rate = 0.005, not 0.1"):
        train(other, Here(Schedule(other)), tmp_path, CPU)
    anew = train(other, Here(Schedule(other)), tmp_path, CPU, replace=True)
    alone = train(other, Here(Schedule(other)), tmp_path / "alone", CPU)
    assert anew.batch == alone.batch == recipe.n_batches
    for name, value in alone.average.items():
        assert torch.equal(anew.average[name], value)


def test_intervals_adjusted_otherwise_are_the_same_training(recipe, reference, tmp_path):
    train(recipe, Here(Schedule(recipe)), tmp_path, CPU)
    other = recipe.model_copy(update={"n_calibration": recipe.n_calibration + 1})
    state = train(other, Here(Schedule(other)), tmp_path, CPU)
    assert state.digest == reference.digest
    assert state.seconds == train(recipe, Here(Schedule(recipe)), tmp_path, CPU).seconds  # nothing was left to do


def test_a_state_of_something_else_is_refused(recipe, tmp_path):
    write_arrays(tmp_path / STATE, {"x": np.zeros(3)}, {"of": "something else"})
    with pytest.raises(StoreError, match=r"state.safetensors is not the state of a training"):
        train(recipe, Here(Schedule(recipe)), tmp_path, CPU)


def test_what_is_learnt_holds_on_other_populations(tmp_path):
    spec = PretrainSpec(
        prior="f2", n_draws=320, batch_size=4, n_samples=(60, 60), n_markers=(100, 100), n_validation=1,
        network={"n_rounds": 1, "channels": 8, "hidden": 8}, learning_rate=5e-3, validate_every=80, average=0.9,
    )  # fmt: skip
    state = train(spec, Here(Schedule(spec)), tmp_path, CPU)
    other = Schedule(spec.model_copy(update={"seed": 99}))
    fresh = TaskBatch.of([task for batch in range(10) for task in other.tasks(batch)])
    torch.manual_seed(spec.seed)
    untrained = make_network(**state.network.settings)
    state.network.load_state_dict(state.average)
    with torch.no_grad():
        assert loss(state.network, fresh) < loss(untrained, fresh)


def test_what_training_leaves(recipe, reference, tmp_path):
    path, _ = write_trained(reference, recipe, tmp_path)
    write_curves(reference, recipe, tmp_path)
    checkpoint = read_checkpoint(path)
    network = network_of(checkpoint.config["network"], checkpoint.arrays)
    for name, value in network.state_dict().items():
        assert torch.equal(value, reference.average[name])
    assert interval_factor(network, Schedule(recipe).calibration()) == pytest.approx(1)
    assert network.settings["interval_factor"] != 1
    assert checkpoint.config["training"]["recipe"]["seed"] == recipe.seed
    assert checkpoint.config["training"]["draws"] == recipe.n_draws
    assert len((tmp_path / "validation.csv").read_text().splitlines()) == 1 + 1 + 3  # before, and thrice
    assert (tmp_path / "curves.svg").stat().st_size > 10_000


def run(*words, **kwargs):
    return subprocess.Popen([sys.executable, "-m", "gpatlas", "gpfn", *map(str, words)], **kwargs)


def test_killed_at_random_no_draw_is_lost_or_used_twice(recipe, reference, tmp_path):
    """Generator, trainer or both are killed twenty times; the end is that of an undisturbed training."""
    recipe_file, queue, out = tmp_path / "recipe.yaml", tmp_path / "queue", tmp_path / "out"
    recipe_file.write_text(recipe.model_dump_json())
    Queue(queue, Schedule(recipe), 4)  # says the capacity
    commands = {
        "draw": ("draw", recipe_file, "--queue", "--out", queue),
        "train": ("train", recipe_file, "--queue", queue, "--out", out, "--device", "cpu"),
    }
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    rng, running, kills = random.Random(1), {}, 0
    deadline = time.monotonic() + 400
    while time.monotonic() < deadline:
        for name in ("draw", "train"):
            if name not in running:
                running[name] = run(*commands[name], **quiet)
        if kills < 20:
            time.sleep(rng.uniform(0.3, 5.0))
            for name in rng.choice([["draw"], ["train"], ["draw", "train"]]):
                running[name].send_signal(signal.SIGKILL)
                running.pop(name).wait()
            kills += 1
        elif running["train"].poll() is not None and running["draw"].poll() is not None:
            break
        assert len(list(queue.glob("*/*.safetensors"))) <= 4
        time.sleep(0.05)
    assert kills == 20
    assert [process.returncode for process in running.values()] == [0, 0]
    _, record = read_arrays(out / STATE)
    assert (record["batch"], record["digest"]) == (recipe.n_batches, reference.digest)
    assert not list(queue.glob("*/*"))  # all used, and nothing half-written left
    checkpoint = read_checkpoint(out / "checkpoint.safetensors")
    for name, value in reference.average.items():
        assert torch.equal(torch.from_numpy(checkpoint.arrays[name]), value), name


@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch has no distributed package")
def test_processes_share_every_batch(recipe, reference, tmp_path):
    (tmp_path / "recipe.yaml").write_text(recipe.model_dump_json())
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "-m", "gpatlas", "gpfn", "train"]
    command += [str(tmp_path / "recipe.yaml"), "--out", str(tmp_path / "out"), "--workers", "0", "--device", "cpu"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    _, record = read_arrays(tmp_path / "out" / STATE)
    assert record["digest"] == reference.digest
    for (_, found), (_, expected) in zip(record["losses"], reference.losses, strict=True):
        assert found == pytest.approx(expected, rel=1e-3)  # weights of no effect may differ
