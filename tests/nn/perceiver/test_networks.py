"""Architectures by name: what their docstrings tell is what they take."""

import inspect

import pytest

from gpatlas.config.docs import _numpydoc_parameters
from gpatlas.errors import ConfigError
from gpatlas.nn.perceiver.networks import ARCHITECTURES, make_network, network_class
from tests.nn.perceiver.panels import panel


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
