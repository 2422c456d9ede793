"""bf16 weights on a CPU against what they replace: autocast over float32 weights and torch's AdamW."""

import copy

import pytest
import torch
from torch import nn

from gpatlas.train import TrainSettings, train
from gpatlas.train.half_weights import HalfWeightAdamW
from gpatlas.train.optimizers import make_optimizer
from gpatlas.train.precision import Arithmetic

pytest.importorskip("numba")
BF16 = Arithmetic(torch.device("cpu"), torch.bfloat16)


def network(n=64):
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(n, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 2))


def test_taking_a_weight_apart_loses_nothing():
    made = nn.Linear(1, 7)
    values = torch.tensor([0.0, 1.0, -1.5, 3.1415927, 1e-38, -65504.3, 1.00390625])[:, None]
    made.weight.data = values.clone()
    optimizer = HalfWeightAdamW(made, 0.1, 0.0)
    assert made.weight.dtype == torch.bfloat16
    # away from zero where torch goes to even, on ties alone: 1.00390625 is one
    torch.testing.assert_close(made.weight[:6], values[:6].bfloat16(), rtol=0, atol=0)
    torch.testing.assert_close(optimizer.snapshot(made.weight)(), values, rtol=0, atol=0)
    optimizer.release()
    torch.testing.assert_close(made.weight.detach(), values, rtol=0, atol=0)


@pytest.mark.parametrize("threads", [1, 2])
def test_steps_are_those_of_adamw(threads):
    """On equal bf16 gradients the masters follow torch's, but for the rounding of the mean of gradients."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        ours = nn.Linear(400, 300)
        theirs = copy.deepcopy(ours)
        start = theirs.weight.detach().clone()
        optimizer = HalfWeightAdamW(ours, 1e-2, 0.1)
        reference = torch.optim.AdamW(theirs.parameters(), lr=1e-2, weight_decay=0.1)
        x = torch.randn(16, 400).bfloat16()
        for step in range(20):
            gradient = torch.randn(16, 300, generator=torch.Generator().manual_seed(step)).bfloat16()
            nn.functional.linear(x, ours.weight).backward(gradient)
            theirs.weight.grad = (gradient.T @ x).float()
            optimizer.step()
            reference.step()
            for group in (optimizer.param_groups[0], reference.param_groups[0]):
                group["lr"] *= 0.9
        moved = (theirs.weight.detach() - start).abs().mean()
        error = (optimizer.snapshot(ours.weight)() - theirs.weight.detach()).abs()
        assert error.mean() < 2e-3 * moved
    finally:
        torch.set_num_threads(before)


def test_training_is_that_of_autocast(monkeypatch):
    x = torch.randint(0, 2, (600, 64), generator=torch.Generator().manual_seed(0)).float()
    y = torch.stack([x[:, 0] * x[:, 1], x[:, :8].sum(1) / 4], dim=1)
    settings = TrainSettings(learning_rate=3e-3, max_epochs=12, batch_size=64)
    losses = []
    for wide in (1, 1 << 40):
        monkeypatch.setattr("gpatlas.train.optimizers._WIDE", wide)
        made = network()
        kind = type(make_optimizer(copy.deepcopy(made), settings, BF16))
        assert kind is (HalfWeightAdamW if wide == 1 else torch.optim.AdamW)
        history = train(made, x[:500], y[:500], x[500:], y[500:], settings, BF16)
        assert {p.dtype for p in made.parameters()} == {torch.float32}
        losses.append(history.validation_loss)
    first, last = torch.tensor(losses).T[[0, -1]]
    torch.testing.assert_close(first[0], first[1], rtol=0.02, atol=0)  # rounding grows from there
    assert last.max() < 0.2 * first.min()
    assert last[0] < 1.3 * last[1]
