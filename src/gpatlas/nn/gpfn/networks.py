"""Networks of GPFN by name, and as what a checkpoint holds of them."""

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn

from gpatlas.errors import ConfigError, did_you_mean
from gpatlas.nn.gpfn.awg import AWG
from gpatlas.nn.gpfn.transformer import RowTransformer

ARCHITECTURES: dict[str, type[nn.Module]] = {"awg": AWG, "transformer": RowTransformer}


def make_network(architecture: str = "awg", **settings: Any) -> nn.Module:
    """Make an untrained network.

    Raises
    ------
    ConfigError
        Unknown architecture or setting.
    """
    if architecture not in ARCHITECTURES:
        raise ConfigError(f"unknown architecture '{architecture}'{did_you_mean(architecture, ARCHITECTURES)}")
    try:
        return ARCHITECTURES[architecture](**settings)
    except TypeError as error:
        raise ConfigError(f"architecture {architecture}: {str(error).split('__init__() ')[-1]}") from None


def state_of(network: nn.Module) -> dict[str, NDArray]:
    """Return a network's weights as arrays."""
    return {name: value.detach().cpu().numpy() for name, value in network.state_dict().items()}


def network_of(config: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> nn.Module:
    """Make the network of a checkpoint: its settings, with "architecture", and its weights.

    Raises
    ------
    ConfigError
        The weights are not of such a network.
    """
    network = make_network(**config)
    try:
        network.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in arrays.items()})
    except RuntimeError as error:
        said = " ".join(str(error).split())[:200]
        raise ConfigError(f"weights do not fit the network {dict(config)}: {said}") from None
    return network.eval()
