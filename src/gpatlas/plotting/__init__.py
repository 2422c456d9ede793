"""Figures: a DataFrame in, a matplotlib Figure out; one file per figure, one style."""

from gpatlas.plotting.fig1_scaling import (
    plot_accuracy_to_ceiling,
    plot_gain_over_linear,
    plot_network_by_scaling,
)
from gpatlas.plotting.fig2_dilution import plot_ability_by_markers, plot_gain_by_markers, plot_selected_loci
from gpatlas.plotting.fig3_pleiotropy import (
    plot_gain_by_correlation,
    plot_multitrait_gain,
    plot_pairing,
    plot_pairing_difference,
)
from gpatlas.plotting.fig4_frontier import plot_found_pairs, plot_frontier
from gpatlas.plotting.style import save
from gpatlas.plotting.supp_linear_check import plot_linear_check

__all__ = [
    "plot_ability_by_markers",
    "plot_accuracy_to_ceiling",
    "plot_found_pairs",
    "plot_frontier",
    "plot_gain_by_correlation",
    "plot_gain_by_markers",
    "plot_gain_over_linear",
    "plot_linear_check",
    "plot_multitrait_gain",
    "plot_network_by_scaling",
    "plot_pairing",
    "plot_pairing_difference",
    "plot_selected_loci",
    "save",
]
