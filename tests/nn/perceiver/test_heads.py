"""Heads: shapes, a silent start, what each can and cannot tell apart."""

import pytest
import torch

from gpatlas.errors import ConfigError
from gpatlas.nn.perceiver.heads import HEADS, make_head
from gpatlas.nn.perceiver.layout import Layout
from gpatlas.nn.perceiver.parts import free_parts, parts_of
from tests.nn.perceiver.tiny import TinyPerceiver

SHAPE = (6, 5, 8)  # samples, latents, width


@pytest.fixture
def latents():
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(1)) + 3.0


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_an_untrained_head_says_nothing_and_every_weight_can_learn(name, n_outputs, latents):
    torch.manual_seed(2)
    head = make_head(name, *SHAPE[1:], 4, n_outputs)
    head.learn_scale(latents)
    assert head(latents).shape == (6, 4, n_outputs)
    assert (head(latents) == 0).all()
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    head(latents).square().sum().backward()
    assert all((parameter.grad != 0).any() for parameter in head.parameters())


@pytest.mark.parametrize("name", HEADS)
def test_a_sample_is_read_alone_and_environments_differ(name, latents):
    torch.manual_seed(2)
    head = make_head(name, *SHAPE[1:], 4, 1)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    output = head(latents)
    torch.testing.assert_close(head(latents[2:3]), output[2:3])
    assert (output[:, 0] != output[:, 1]).all()


@pytest.mark.parametrize(("name", "same"), [("pool", True), ("latent", False), ("windows", False)])
def test_pooling_forgets_which_latent_it_was(name, same, latents):
    torch.manual_seed(2)
    head = make_head(name, *SHAPE[1:], 1, 1)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    assert torch.allclose(head(latents.flip(1)), head(latents), atol=1e-5) == same


def test_a_readout_of_windows_is_linear(latents):
    head = make_head("windows", *SHAPE[1:], 2, 1)
    torch.nn.init.normal_(head.weight_EOF)
    one, other = head(latents[:1]), head(latents[1:2])
    torch.testing.assert_close(head((latents[:1] + latents[1:2]) / 2), (one + other) / 2)
    head.learn_scale(latents)
    features = head.features(latents)
    assert features.square().sum(dim=1).mean().item() == pytest.approx(1, rel=1e-5)
    torch.testing.assert_close(torch.einsum("bf,eof->beo", features, head.weight_EOF), head(latents))


def test_latents_that_do_not_vary_are_read_without_a_scale():
    head = make_head("windows", 2, 3, 1, 1)
    head.learn_scale(torch.ones(4, 2, 3))
    assert torch.isfinite(head(torch.ones(4, 2, 3))).all()


def test_parts_learn_by_name():
    layout, _ = Layout.arrange(2, 2, *[torch.arange(9).numpy().astype(str)] * 2, torch.arange(9).numpy(), "")
    network = TinyPerceiver(layout)
    assert parts_of(network) == ["alleles", "latents", "block", "unused"]
    assert len(free_parts(network, ["latents", "block"])) == 3
    learning = {name for name, parameter in network.named_parameters() if parameter.requires_grad}
    assert learning == {"latents", "block.weight", "block.bias"}
    assert free_parts(network, []) == []
    assert len(free_parts(network, ["all"])) == len(list(network.parameters()))
    with pytest.raises(ConfigError, match="free: the network has no part 'latent'; did you mean 'latents'"):
        free_parts(network, ["latent"])
