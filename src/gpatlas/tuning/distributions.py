"""Ranges of hyperparameters as Optuna's distributions, and values as the labels that stand for them there."""

from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from gpatlas.models.space import Choice, Float, Integer, Range


def distribution(range_: Range) -> BaseDistribution:
    """Return the distribution that draws from a range."""
    match range_:
        case Float():
            return FloatDistribution(range_.low, range_.high, log=range_.log)
        case Integer():
            return IntDistribution(range_.low, range_.high, log=range_.log)
        case Choice():
            return CategoricalDistribution(list(range_.labels))


def label(range_: Range, value: Any) -> Any:
    """Return what stands for a value among plain ones: itself, but for choices that are no plain values."""
    if not isinstance(range_, Choice):
        return value
    return next(label for label, labelled in range_.labels.items() if labelled == value)


def value_of(range_: Range, drawn: Any) -> Any:
    """Return the value that a drawn label stands for."""
    return range_.labels[drawn] if isinstance(range_, Choice) else drawn
