"""Attention across loci: gradients, the order of loci, attention against loops, missing calls."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gpatlas.nn.transformer import Attention, LocusTransformer, StackedAttention

KINDS = ["locus", "genotype", "stacked"]
BY_LOCUS = (
    "locus",
    "allele",
    "projection",
    "skip.weight",
    "head.weight",
    "coefficients",
)  # parameters with a place for each locus
BY_LOCUS = ("locus", "allele", "projection", "skip.weight", "head.weight", "coefficients")


def network(kind, n_features=5, n_traits=2, seed=1):
    made = (
        StackedAttention(n_features, n_traits, width=4, n_layers=2)
        if kind == "stacked"
        else LocusTransformer(n_features, n_traits, width=4, n_layers=2, n_heads=2, attention=kind)
    )
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():  # nothing is left at zero, where it would hide
        for parameter in made.parameters():
            parameter.copy_(0.7 * torch.randn(parameter.shape, generator=generator))
    return made.double()


def features(n=3, n_features=5):
    return torch.randn(n, n_features, dtype=torch.float64, generator=torch.Generator().manual_seed(9))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_right(kind):
    net, x = network(kind, n_features=3), features(2, 3).requires_grad_()
    names, values = zip(*net.named_parameters(), strict=True)

    def at(x, *parameters):
        return torch.func.functional_call(net, dict(zip(names, parameters, strict=True)), x)

    assert torch.autograd.gradcheck(at, (x, *values))


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=20)
@given(order=st.permutations(range(5)))
def test_the_order_of_loci_means_nothing(kind, order):
    net, moved, x = network(kind), network(kind), features()
    with torch.no_grad():
        for name, parameter in moved.named_parameters():
            if name not in BY_LOCUS:
                continue
            if name in ("head.weight", "coefficients"):
                parameter.copy_(parameter.unflatten(1, (5, 4))[:, order].flatten(1))
            else:
                parameter.copy_(parameter[:, order] if name == "skip.weight" else parameter[order])
        torch.testing.assert_close(moved(x[:, order]), net(x))


@pytest.mark.parametrize("kind", ["locus", "genotype"])
def test_attention_is_the_weighted_mean_of_values(kind):
    attention = Attention(4, 2, kind).double()
    z, identity = torch.randn(2, 3, 4, dtype=torch.float64), torch.randn(3, 4, dtype=torch.float64)
    with torch.no_grad():
        mixed = attention(z, identity)
        for b in range(2):
            source = identity if kind == "locus" else z[b]
            q, k, v = attention.query(source), attention.key(source), attention.value(z[b])
            taken = torch.zeros(3, 4, dtype=torch.float64)
            for head in (slice(0, 2), slice(2, 4)):
                for i in range(3):
                    shares = torch.stack([q[i, head] @ k[j, head] / 2**0.5 for j in range(3)]).exp()
                    taken[i, head] = sum(shares[j] * v[j, head] for j in range(3)) / shares.sum()
            torch.testing.assert_close(mixed[b], attention.out(taken))


def test_a_map_by_locus_serves_all_samples():
    net = network("locus")
    shares = net.layers[0].attention.map(net.identity(net.locus))
    assert shares.shape == (2, 5, 5)
    torch.testing.assert_close(shares.sum(-1), torch.ones(2, 5, dtype=torch.float64))


@pytest.mark.parametrize("kind", KINDS)
def test_loci_interact(kind):
    net, x = network(kind), torch.zeros(4, 5, dtype=torch.float64)
    x[1, 0] = x[2, 1] = x[3, 0] = x[3, 1] = 1.0
    with torch.no_grad():
        y = net(x)
    assert (y[3] - y[1] - y[2] + y[0]).abs().min() > 1e-3


def test_it_starts_at_a_constant():
    net = LocusTransformer(5, 2)
    torch.testing.assert_close(net(torch.randn(3, 5)), net.head.bias.expand(3, 2))
