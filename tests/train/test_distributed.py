"""Two processes train what one trains: batches, normalisation, losses and stopping are those of the whole."""

import math
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gpatlas.nn.mlp import Perceptron
from gpatlas.train import TrainSettings, train
from gpatlas.train.distributed import Processes
from gpatlas.train.precision import choose_arithmetic

REPOSITORY = Path(__file__).parents[2]


def problem(missing: bool):
    x = torch.randint(0, 2, (131, 6), generator=torch.Generator().manual_seed(0)).to(torch.int8)
    y = torch.stack([x[:, 0] * x[:, 1], x.sum(1) / 3], dim=1).float()
    if missing:
        y[::3, 0] = math.nan
    return x, y


def run(missing: bool):
    x, y = problem(missing)
    torch.manual_seed(1)
    network = Perceptron(6, 2, [16], output_norm=True)
    network = torch.nn.Sequential(torch.nn.Unflatten(1, (6,)), _Float(), network)
    # not AdamW, which makes steps of the rounding of a bias before normalisation (its gradient is zero)
    settings = TrainSettings(
        optimizer="sgd", learning_rate=0.05, max_epochs=6, batch_size=33, loss="l1", schedule="plateau"
    )
    history = train(network, x[:100], y[:100], x[100:], y[100:], settings, choose_arithmetic("cpu", "f32"))
    return history, network.state_dict()


class _Float(torch.nn.Module):
    def forward(self, x):
        return x.float()


def torchrun(*command: object) -> subprocess.CompletedProcess:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    launch = ["-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", str(port)]
    return subprocess.run(
        [sys.executable, *launch, *map(str, command)],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.parametrize("missing", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_two_processes_train_what_one_trains(missing, tmp_path):
    done = torchrun("-m", "tests.train.test_distributed", int(missing), tmp_path)
    assert done.returncode == 0, done.stderr
    history, state = run(missing)
    for rank in (0, 1):
        found, weights = torch.load(tmp_path / f"{rank}.pt", weights_only=False)
        assert found.validation_loss == pytest.approx(history.validation_loss, rel=2e-4)
        assert found.train_loss == pytest.approx(history.train_loss, rel=2e-4)
        assert weights.keys() == state.keys()
        for name, value in state.items():
            torch.testing.assert_close(weights[name], value, rtol=2e-3, atol=2e-4)


@pytest.mark.slow
def test_fit_under_torchrun_writes_what_one_process_writes(haploids, tmp_path, gpatlas):
    from gpatlas.io import write_dataset
    from gpatlas.io.predictions import read_predictions

    write_dataset(haploids, tmp_path / "d.h5")
    hparams = tmp_path / "h.json"
    section = '{"l2": 0.1, "max_epochs": 3}'
    assert gpatlas("hparams", "--model", "linear_sgd", "--entry", section, "--out", hparams).returncode == 0
    fit = ["fit", tmp_path / "d.h5", "--hparams", hparams, "--out"]
    assert gpatlas(*fit, tmp_path / "one.h5").returncode == 0
    done = torchrun("-m", "gpatlas", *fit, tmp_path / "two.h5")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("fitted to 1 dataset") == 1  # one process writes
    one, two = (read_predictions(tmp_path / f"{name}.h5")[haploids.content_hash] for name in ("one", "two"))
    torch.testing.assert_close(
        *(torch.from_numpy(r.predictions[0].predicted) for r in (one, two)), rtol=1e-2, atol=1e-3
    )


def test_shares_are_the_whole_in_order():
    rows = torch.arange(7)
    assert torch.equal(torch.cat([Processes(k, 3).share(rows) for k in range(3)]), rows)


if __name__ == "__main__":
    missing, folder = sys.argv[1:]
    torch.save(run(bool(int(missing))), Path(folder) / f"{os.environ['RANK']}.pt")
