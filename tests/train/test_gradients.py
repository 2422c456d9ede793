"""Gradients against finite differences, in float64."""

import math

import pytest
import torch

from gpatlas.nn.mlp import Perceptron
from gpatlas.train.loss import masked_loss


@pytest.mark.parametrize("kind", ["l1", "mse"])
@pytest.mark.parametrize("complete", [True, False])
def test_gradient_of_the_loss(kind, complete):
    output = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    target = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    if not complete:
        target[::2, 1] = math.nan
    assert torch.autograd.gradcheck(lambda o: masked_loss(o, target, kind, complete), output)
    masked_loss(output, target, kind, complete).backward()
    assert (output.grad[torch.isnan(target)] == 0).all()


@pytest.mark.parametrize("activation", ["silu", "gelu", "tanh", "leaky_relu"])
@pytest.mark.parametrize("output_norm", [True, False])
def test_gradient_of_the_perceptron(activation, output_norm):
    torch.manual_seed(5)
    made = Perceptron(4, 2, [5, 3], activation=activation, output_norm=output_norm, linear_skip=True).double()
    x, y = torch.randn(7, 4, dtype=torch.float64, requires_grad=True), torch.randn(7, 2, dtype=torch.float64)
    y[0, 1] = math.nan
    names, parameters = zip(*made.named_parameters(), strict=True)

    def loss(x_BF, *values):
        output = torch.func.functional_call(made, dict(zip(names, values, strict=True)), x_BF)
        return masked_loss(output, y, "mse")

    assert torch.autograd.gradcheck(loss, (x, *parameters))
