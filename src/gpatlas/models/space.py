"""Search spaces: which hyperparameters of a model `gpatlas tune` may vary, and between what.

Estimators declare them as `search_spaces`: name of a space → key → range. A key with a dot addresses a key inside a
hyperparameter that is itself a mapping: "mlp.learning_rate".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Float:
    """A number from `low` to `high`, both allowed; `log` draws its logarithm evenly."""

    low: float
    high: float
    log: bool = False

    def describe(self) -> str:
        """Say the range in words."""
        return f"{self.low:g} to {self.high:g}" + " (log)" * self.log


@dataclass(frozen=True)
class Integer:
    """A whole number from `low` to `high`, both allowed; `log` draws its logarithm evenly."""

    low: int
    high: int
    log: bool = False

    def describe(self) -> str:
        """Say the range in words."""
        return f"{self.low} to {self.high}" + " (log)" * self.log


@dataclass(frozen=True)
class Choice:
    """One of some values, in no order; tuples (widths of layers) are values like any other."""

    values: tuple[Any, ...]

    @property
    def labels(self) -> dict[Any, Any]:
        """What stands for each value where only numbers and text may: label → value."""
        plain = (str, bool, int, float, type(None))
        return {value if isinstance(value, plain) else str(value): value for value in self.values}

    def describe(self) -> str:
        """Say the values in words."""
        *most, last = (str(value) for value in self.values)
        return f"{', '.join(most)} or {last}" if most else last


Range = Float | Integer | Choice
Space = Mapping[str, Range]


def with_values(hyperparameters: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return hyperparameters with some values replaced; dotted keys reach into mappings, which are copied."""
    result = dict(hyperparameters)
    for key, value in values.items():
        outer, _, inner = key.partition(".")
        result[outer] = with_values(result.get(outer) or {}, {inner: value}) if inner else value
    return result


def value_at(hyperparameters: Mapping[str, Any], key: str) -> Any:
    """Return the value of a plain or dotted key, None where there is none."""
    outer, _, inner = key.partition(".")
    value = hyperparameters.get(outer)
    return value_at(value or {}, inner) if inner else value
