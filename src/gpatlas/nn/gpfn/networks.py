"""Networks of GPFN by name, and as what a checkpoint holds of them."""

import inspect
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray
from torch import nn

from gpatlas.errors import ConfigError, did_you_mean
from gpatlas.nn.gpfn.awg import AWG
from gpatlas.nn.gpfn.transformer import RowTransformer
from gpatlas.nn.weights import load_weights

ARCHITECTURES: dict[str, type[nn.Module]] = {"awg": AWG, "transformer": RowTransformer}


def make_network(architecture: str = "awg", **settings: Any) -> nn.Module:
    """Make an untrained network.

    Raises
    ------
    ConfigError
        Unknown architecture or setting, or a value out of range.
    """
    if architecture not in ARCHITECTURES:
        raise ConfigError(f"unknown architecture '{architecture}'{did_you_mean(architecture, ARCHITECTURES)}")
    known = inspect.signature(ARCHITECTURES[architecture]).parameters
    for name, value in settings.items():
        if name not in known:
            raise ConfigError(f"architecture {architecture}: unknown setting '{name}'{did_you_mean(name, known)}")
        if not _is_like(value, known[name].default, least=0 if name == "n_rounds" else 1):
            example = known[name].default
            raise ConfigError(f"architecture {architecture}: {name} {value!r} is out of range; {example!r} is usual")
    return ARCHITECTURES[architecture](**settings)


def _is_like(value: Any, usual: Any, least: int) -> bool:
    """Whether a setting is of the kind of its default: a name, a count, a positive number, or several of these."""
    if isinstance(usual, str):
        return isinstance(value, str)
    if isinstance(usual, tuple):
        return isinstance(value, (list, tuple)) and all(_is_like(number, usual[0], least) for number in value)
    if isinstance(value, bool) or not isinstance(value, (int, type(usual))):
        return False
    return value >= least if isinstance(usual, int) else 0 < value < float("inf")


def network_of(config: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> nn.Module:
    """Make the network of a checkpoint: its settings, with "architecture", and its weights.

    Raises
    ------
    ConfigError
        There is no such network, the weights are not of it, or they are not finite.
    """
    if not isinstance(config, Mapping):
        raise ConfigError(f"a network's settings are a mapping, not {config!r}")
    network = make_network(**config)
    return load_weights(network, arrays, f"network {dict(config)}")
