"""Pretrained networks as files: weights, settings, and the panel that they read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from gpatlas.errors import ConfigError, StoreError
from gpatlas.io.checkpoints import Checkpoint, find_checkpoint, read_checkpoint, write_checkpoint
from gpatlas.nn.perceiver import Layout, network_of
from gpatlas.nn.weights import state_of

KEY = "perceiver"
CHECKPOINT = "checkpoint.safetensors"


def write_pretrained(network: nn.Module, about: Mapping[str, Any], path: str | Path) -> None:
    """Write a network with its panel; the file appears whole or not at all.

    Parameters
    ----------
    network
        Of `gpatlas.nn.perceiver`.
    about
        JSON-like: what else is to be known of it, such as "training".
    path
        Of a `.safetensors` file.
    """
    config = {"network": network.settings, "layout": network.layout.as_config()}
    write_checkpoint(Checkpoint(state_of(network), {**about, KEY: config}), path)


def read_alleles(path: str | Path) -> NDArray | None:
    """Read the alleles of a network's panel, text `(n_loci, 2)`, the counted one second; None if they are not known."""
    alleles = read_checkpoint(_file_of(path)).config.get("alleles")
    return None if alleles is None else np.asarray(alleles, dtype=str)


def read_pretrained(path: str | Path) -> tuple[nn.Module, Layout]:
    """Read a network and the panel that it reads, from a file or the folder of a pretraining; it is evaluated.

    Raises
    ------
    StoreError
        The file is absent or damaged, or holds another kind of network.
    ConfigError
        There is no such network, or its weights are not of it.
    """
    path = _file_of(path)
    checkpoint = read_checkpoint(path)
    config = checkpoint.config.get(KEY)
    if not isinstance(config, dict):
        raise StoreError(f"{path}: a checkpoint, but not of a perceiver (`gpatlas perceiver pretrain` makes one)")
    try:
        layout = Layout.of_config(config["layout"])
        return network_of(config["network"], layout, checkpoint.arrays), layout
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"{path}: damaged, it does not say of which network or panel ({error!r})") from None


def _file_of(path: str | Path) -> Path:
    return Path(path) / CHECKPOINT if Path(path).is_dir() else find_checkpoint(path)
