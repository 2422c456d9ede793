"""Perceivers by name, and as what a checkpoint holds of them.

Every network reads allele codes `(B, N)` (any integer type, 0 missing) of the markers of its layout, in their order:

    encode(codes_BN) -> latents_BLD                         what finetuning predicts from
    copies(codes_BN, loci_BQ) -> logits_BQKP                that locus q carries at least 1, …, P copies of allele k
    shared(codes_BN, other_BN, loci_BQ) -> logits_BQP       that two individuals share at least 1, …, P alleles there

and has `layout`, `settings` (JSON-like, with "architecture") and `width` (D).
"""

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from numpy.typing import NDArray
from torch import nn

from gpatlas.errors import ConfigError, did_you_mean
from gpatlas.nn.perceiver.layout import Layout
from gpatlas.nn.weights import load_weights

ARCHITECTURES = {
    "windowed": "gpatlas.nn.perceiver.windowed:WindowedPerceiver",
    "published": "gpatlas.nn.perceiver.published:PublishedPerceiver",
}


def network_class(architecture: str) -> type[nn.Module]:
    """Return the class of an architecture; its docstring tells its settings.

    Raises
    ------
    ConfigError
        Unknown architecture.
    """
    if not isinstance(architecture, str) or architecture not in ARCHITECTURES:
        raise ConfigError(f"unknown architecture '{architecture}'{did_you_mean(str(architecture), ARCHITECTURES)}")
    module, _, name = ARCHITECTURES[architecture].partition(":")
    return getattr(import_module(module), name)


def make_network(layout: Layout, /, architecture: str = "windowed", **settings: Any) -> nn.Module:
    """Make an untrained network for a panel.

    Raises
    ------
    ConfigError
        Unknown architecture or setting, or a value out of range.
    """
    network = network_class(architecture)
    known = [parameter for parameter in inspect.signature(network).parameters if parameter != "layout"]
    for setting in settings:
        if setting not in known:
            raise ConfigError(f"architecture {architecture}: unknown setting '{setting}'{did_you_mean(setting, known)}")
    return network(layout, **settings)


def network_of(config: Mapping[str, Any], layout: Layout, arrays: Mapping[str, NDArray]) -> nn.Module:
    """Make the network of a checkpoint: its settings, with "architecture", its panel and its weights.

    Raises
    ------
    ConfigError
        There is no such network, or the weights are not of it, or not finite.
    """
    network = make_network(layout, **config)
    return load_weights(network, arrays, f"network {dict(config)}")
