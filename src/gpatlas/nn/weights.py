"""A network's weights as arrays, which checkpoints and saved models hold, and back."""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gpatlas.errors import ConfigError


def state_of(network: nn.Module) -> dict[str, NDArray]:
    """Return a network's weights as arrays."""
    return {name: value.detach().cpu().numpy() for name, value in network.state_dict().items()}


def load_weights(network: nn.Module, arrays: Mapping[str, NDArray], what: str) -> nn.Module:
    """Give a network the weights of `state_of`; it is returned in evaluation mode.

    Parameters
    ----------
    network
        In place.
    arrays
        By name.
    what
        What the network is called in an error.

    Raises
    ------
    ConfigError
        The weights are not of it, or they are not finite.
    """
    try:
        network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})
    except RuntimeError as error:
        said = " ".join(str(error).split())[:200]
        raise ConfigError(f"weights do not fit the {what}: {said}") from None
    for name, value in network.named_parameters():
        if not torch.isfinite(value).all():
            raise ConfigError(f"weights {name} are not all finite: training diverged, or the file is damaged")
    return network.eval()
