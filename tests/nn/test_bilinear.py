"""The bilinear network against sums over pairs, its interactions against second differences, its gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gpatlas.nn.bilinear import Bilinear

FORMS = [{"rank": None}, {"rank": 2}, {"rank": None, "squares": True}, {"rank": 3, "squares": True}]


def network(n_features=5, n_traits=2, seed=1, **form):
    made = Bilinear(n_features, n_traits, **form).double()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return made


def features(n=4, n_features=5):
    return torch.randn(n, n_features, dtype=torch.float64, generator=torch.Generator().manual_seed(9))


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_it_is_the_sum_over_pairs(form):
    net, x = network(**form), features()
    with torch.no_grad():
        for t in range(2):
            w = net.pairs.matrix(t)
            expected = net.bias[t] + x @ net.additive[t]
            for i in range(5):
                expected += sum(w[i, j] * x[:, i] * x[:, j] for j in range(i))
                if net.squares is not None:
                    expected += net.squares[t, i] * x[:, i] ** 2
            torch.testing.assert_close(net(x)[:, t], expected)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_the_matrix_holds_the_second_differences(form):
    net = network(**form)
    e, nothing = torch.eye(5, dtype=torch.float64), torch.zeros(1, 5, dtype=torch.float64)
    with torch.no_grad():
        second = torch.stack([net(e[i] + e) - net(e[i : i + 1].expand(5, 5)) - net(e) + net(nothing) for i in range(5)])
    for t in range(2):
        matrix = net.pairs.matrix(t)
        torch.testing.assert_close(matrix, second[..., t] * (1 - e))
        torch.testing.assert_close(matrix, matrix.T)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_gradients_are_right(form):
    net, x = network(n_features=4, **form), features(3, 4).requires_grad_()
    names, values = zip(*net.named_parameters(), strict=True)

    def at(x, *parameters):
        return torch.func.functional_call(net, dict(zip(names, parameters, strict=True)), x)

    assert torch.autograd.gradcheck(at, (x, *values))


@given(order=st.permutations(range(5)), rank=st.sampled_from([None, 2]))
def test_the_order_of_loci_means_nothing(order, rank):
    net, x = network(rank=rank), features()
    moved = network(rank=rank)
    with torch.no_grad():
        moved.additive.copy_(net.additive[:, order])
        if rank is None:  # weights live above the diagonal
            full = torch.stack([net.pairs.matrix(t) for t in range(2)], dim=1)
            moved.pairs.weight.copy_(full[order][..., order])
        else:
            moved.pairs.left_weight.copy_(net.pairs.left_weight[:, order])
            moved.pairs.right_weight.copy_(net.pairs.right_weight[:, order])
        torch.testing.assert_close(moved(x[:, order]), net(x))


def test_what_the_penalty_shrinks_is_pairs_alone():
    shrunken = {name for name, _ in network(rank=2).named_parameters() if name.endswith("weight")}
    assert shrunken == {"pairs.left_weight", "pairs.right_weight"}
    assert {n for n, _ in network().named_parameters() if n.endswith("weight")} == {"pairs.weight"}


def test_pair_weights_start_at_nothing():
    np.testing.assert_array_equal(Bilinear(4, 2)(torch.ones(3, 4)).detach(), np.zeros((3, 2)))
