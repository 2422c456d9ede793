"""Figures: a DataFrame in, a matplotlib Figure out; one file per figure, one style."""

from gpatlas.plotting.fig1_scaling import (
    plot_accuracy_to_ceiling,
    plot_gain_over_linear,
    plot_network_by_scaling,
)
from gpatlas.plotting.style import save
from gpatlas.plotting.supp_linear_check import plot_linear_check

__all__ = [
    "plot_accuracy_to_ceiling",
    "plot_gain_over_linear",
    "plot_linear_check",
    "plot_network_by_scaling",
    "save",
]
