"""Architectures by name: what their docstrings tell is what they take, and what every one of them does."""

import inspect

import pytest
import torch

from gpatlas.config.docs import _numpydoc_parameters
from gpatlas.errors import ConfigError
from gpatlas.nn.perceiver.networks import ARCHITECTURES, make_network, network_class
from tests.nn.perceiver import test_published, test_windowed
from tests.nn.perceiver.panels import calls, loci, panel


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_reference_tells_every_setting_and_its_default(architecture):
    network = network_class(architecture)
    told = {name: allowed for name, allowed, _ in _numpydoc_parameters(inspect.getdoc(network))}
    taken = inspect.signature(network).parameters
    assert list(told) == list(taken)
    for name, parameter in taken.items():
        if parameter.default is not parameter.empty:
            assert told[name].endswith(f"default={parameter.default!r}".replace("'", '"')), name


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_settings_make_the_same_network_again(architecture):
    network = make_network(panel(), architecture)
    assert network.settings["architecture"] == architecture
    assert make_network(panel(), **network.settings).settings == network.settings


def test_an_unknown_architecture():
    with pytest.raises(ConfigError, match="unknown architecture 'publish'; did you mean 'published'\\?"):
        make_network(panel(), "publish")


@pytest.mark.parametrize("architecture", [test_windowed, test_published], ids=["windowed", "published"])
@pytest.mark.parametrize("ploidy", [1, 2, 4, 6])
@pytest.mark.parametrize("n_alleles", [2, 3, 4, 5])
def test_all_calls_have_logits_and_all_weights_a_gradient(architecture, ploidy, n_alleles):
    layout = panel(ploidy, n_alleles)
    net, codes, other = architecture.network(layout), calls(layout), calls(layout, seed=1)
    copies, shared = net.copies(codes, loci()), net.shared(codes, other, loci())
    assert net.encode(codes.short()).shape == (
        4,
        len(net.windows) + 2 if architecture is test_windowed else 3,
        net.width,
    )
    assert copies.shape == (4, 5, n_alleles, ploidy)
    assert shared.shape == (4, 5, ploidy)
    (copies.square().sum() + shared.square().sum()).backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert (parameter.grad != 0).any() or name.endswith("key.bias"), name  # the same for all keys: no effect
