"""Checks of a network's settings: one line that names the value and what is allowed."""

import math
from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any

from gpatlas.errors import ConfigError


def check_whole(settings: Mapping[str, Any], names: Iterable[str], least: int = 1) -> None:
    """Refuse what is no whole number of at least `least`."""
    for name in names:
        value = settings[name]
        if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
            raise _wrong(settings, name, f"it must be a whole number of at least {least}")


def check_positive(settings: Mapping[str, Any], name: str) -> None:
    """Refuse what is no finite number above 0."""
    value = settings[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise _wrong(settings, name, "it must be a finite number above 0")


def check_share(settings: Mapping[str, Any], name: str) -> None:
    """Refuse what is no number from 0 to less than 1."""
    value = settings[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
        raise _wrong(settings, name, "it must be a number from 0 to less than 1")


def check_choice(settings: Mapping[str, Any], name: str, allowed: Iterable[Any]) -> None:
    """Refuse what is none of the values allowed; true is not 1."""
    value, allowed = settings[name], list(allowed)
    if not any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in allowed):
        raise _wrong(settings, name, f"allowed are {', '.join(map(_word, allowed))}")


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _wrong(settings: Mapping[str, Any], name: str, allowed: str) -> ConfigError:
    value = settings[name]
    shown = f"'{value}'" if isinstance(value, str) else _word(value)
    return ConfigError(f"architecture {settings['architecture']}: {name} is {shown}; {allowed}")
