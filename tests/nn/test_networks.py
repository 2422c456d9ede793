"""Modules: what the first layer sees, and the architectures."""

import numpy as np
import torch

from gpatlas.nn.inputs import AlleleCounts, StandardisedDosage
from gpatlas.nn.mlp import Perceptron, seeded

X = torch.tensor([[0, 1, 1], [1, 0, 1]], dtype=torch.int8)


def test_allele_counts_are_one_hot_in_haploids():
    encoded = AlleleCounts(3, ploidy=1)(X)
    np.testing.assert_array_equal(encoded, [[1, 0, 0, 0, 1, 1], [0, 1, 0, 1, 0, 1]])
    assert AlleleCounts(3, ploidy=1).n_features == 6


def test_allele_counts_sum_to_the_ploidy():
    encoded = AlleleCounts(2, ploidy=4)(torch.tensor([[1, 4]], dtype=torch.int8))
    np.testing.assert_array_equal(encoded, [[3, 0, 1, 4]])


def test_missing_calls_say_nothing():
    holes = torch.tensor([[torch.nan, 1.0]])
    np.testing.assert_array_equal(AlleleCounts(2, 1)(holes), [[0, 0, 0, 1]])
    np.testing.assert_array_equal(
        StandardisedDosage(torch.tensor([0.5, 0.5]), torch.tensor([0.5, 0.5]))(holes), [[0, 1]]
    )


def test_the_published_network():
    network = Perceptron(10, 5, [8, 8], activation="leaky_relu", batch_norm_momentum=0.8, output_norm=True)
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds == ["Linear", "BatchNorm1d", "LeakyReLU"] * 2 + ["Linear", "BatchNorm1d"]
    assert {layer.momentum for layer in network.layers if isinstance(layer, torch.nn.BatchNorm1d)} == {0.8}
    assert network.skip is None


def test_the_linear_path_starts_at_nothing_and_adds():
    network = Perceptron(3, 2, [4], linear_skip=True).eval()
    before = network(X.float())
    with torch.no_grad():
        network.skip.weight += 1
    torch.testing.assert_close(network(X.float()) - before, X.float().sum(dim=1, keepdim=True).expand(2, 2))


def test_gradients_are_right():
    network = Perceptron(3, 2, [4], linear_skip=True, output_norm=True).double()
    x = torch.randn(6, 3, dtype=torch.float64, requires_grad=True, generator=torch.Generator().manual_seed(1))
    assert torch.autograd.gradcheck(network, x)


def test_a_seed_gives_weights():
    a, b, c = (seeded(Perceptron, seed, 3, 1, [4]) for seed in (1, 1, 2))
    torch.testing.assert_close(a.state_dict(), b.state_dict())
    assert not torch.equal(a.layers[0].weight, c.layers[0].weight)
