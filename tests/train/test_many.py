"""Networks trained together are those trained one by one."""

import copy
import math

import pytest
import torch

from gpatlas.nn.mlp import Perceptron
from gpatlas.train import TrainSettings, train
from gpatlas.train.many import Member, train_many
from gpatlas.train.precision import choose_arithmetic

CPU = choose_arithmetic("cpu", "f32")


def members(k=3, n=90):
    made = []
    for seed in range(k):
        torch.manual_seed(seed)
        x = torch.randint(0, 2, (n, 6)).double()
        y = torch.stack([x[:, 0] * x[:, 1], x.sum(1) / 3], dim=1) + seed * torch.randn(n, 2).double()
        y[::7, 0] = math.nan
        network = Perceptron(6, 2, [12], linear_skip=True).double()
        made.append(Member(network, x[:60], y[:60], x[60:], y[60:], seed))
    return made


@pytest.mark.parametrize("schedule", ["plateau", "one_cycle", "constant"])
@pytest.mark.parametrize("loss", ["mse", "l1"])
def test_together_is_one_by_one(schedule, loss, monkeypatch):
    """In float64; patience lets members stop at different epochs."""
    settings = TrainSettings(
        learning_rate=0.02, max_epochs=25, patience=3, batch_size=17, schedule=schedule, loss=loss, min_delta=0.002
    )
    together, alone = members(), members()
    histories = train_many(together, settings, CPU)
    monkeypatch.setattr(torch.Tensor, "float", lambda self: self)  # `train` is float32's; here it stays float64
    lengths = set()
    for history, one, other in zip(histories, together, alone, strict=True):
        expected = train(
            other.network, other.x, other.y, other.x_validation, other.y_validation,
            TrainSettings(**{**vars(settings), "seed": other.seed}), CPU,
        )  # fmt: skip
        assert history.validation_loss == pytest.approx(expected.validation_loss, rel=1e-4)
        assert history.train_loss == pytest.approx(expected.train_loss, rel=1e-4)
        assert history.best_epoch == expected.best_epoch
        for name, value in other.network.state_dict().items():
            torch.testing.assert_close(one.network.state_dict()[name], value, rtol=1e-4, atol=1e-5)
        lengths.add(len(history.train_loss))
    if schedule == "constant":
        assert len(lengths) > 1, "no member stopped before another"


def test_divergence_is_said():
    broken = members()
    broken[1].y_validation[:] = math.inf
    with pytest.raises(FloatingPointError, match="training diverged"):
        train_many(copy.deepcopy(broken), TrainSettings(max_epochs=2), CPU)
