"""Parts of a network: what of it learns, and what is kept as it is."""

from collections.abc import Iterable

from torch import nn

from gpatlas.errors import ConfigError, did_you_mean

ALL = "all"


def parts_of(network: nn.Module) -> list[str]:
    """Return the names of a network's parts: its modules and parameters of the first level, that have weights."""
    return list(dict.fromkeys(name.partition(".")[0] for name, _ in network.named_parameters()))


def check_parts(network: nn.Module, parts: Iterable[str]) -> None:
    """Refuse parts that a network does not have.

    Raises
    ------
    ConfigError
        Unknown part.
    """
    known = [ALL, *parts_of(network)]
    for part in parts:
        if part not in known:
            raise ConfigError(f"free: the network has no part '{part}'{did_you_mean(str(part), known)}")


def free_parts(network: nn.Module, parts: Iterable[str]) -> list[nn.Parameter]:
    """Let some parts learn and no others; returns their parameters.

    Parameters
    ----------
    network
        In place.
    parts
        Of `parts_of`, or "all".

    Raises
    ------
    ConfigError
        Unknown part.
    """
    parts = list(parts)
    check_parts(network, parts)
    free = []
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(ALL in parts or name.partition(".")[0] in parts)
        free += [parameter] if parameter.requires_grad else []
    return free
