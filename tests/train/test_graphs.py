"""CUDA graphs: which batches go where, and (with a GPU) that they train what plain steps train."""

import copy

import pytest
import torch

from gpatlas.nn.mlp import Perceptron
from gpatlas.train import TrainSettings, train
from gpatlas.train.graphs import by_size, graphed
from gpatlas.train.precision import choose_arithmetic


def test_only_batches_of_the_usual_size_are_replayed():
    step = by_size(lambda rows: "replayed", lambda rows: "computed", 4)
    assert [step(rows) for rows in torch.arange(10).split(4)] == ["replayed", "replayed", "computed"]


def test_a_cpu_and_few_steps_need_no_graph():
    def gradients(rows):
        raise AssertionError

    for device, n_steps in (("cpu", 1000), ("cuda", 3)):
        assert graphed(gradients, torch.nn.Linear(1, 1), 4, n_steps, torch.device(device)) is gradients


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["f32", "f16", "bf16"])
def test_a_graph_trains_what_plain_steps_train(monkeypatch, precision):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    x = torch.randn(333, 8, generator=torch.Generator().manual_seed(0))
    y = x[:, :2] * x[:, 2:3]
    torch.manual_seed(1)
    first = Perceptron(8, 2, [32])
    settings = TrainSettings(learning_rate=0.01, max_epochs=20, batch_size=64)
    losses = []
    for worth in (1, 1 << 40):
        monkeypatch.setattr("gpatlas.train.graphs._WORTH_CAPTURING", worth)
        network = copy.deepcopy(first)
        history = train(network, x[:300], y[:300], x[300:], y[300:], settings, choose_arithmetic("cuda", precision))
        losses.append(history.train_loss)
    assert losses[0] == pytest.approx(losses[1], rel=1e-3 if precision == "f32" else 0.05)
