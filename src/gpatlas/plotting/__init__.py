"""Figures: a DataFrame in, a matplotlib Figure out; one file per figure, one style."""

from gpatlas.plotting.automl_classes import plot_calibration, plot_confusion, plot_precision_recall, plot_roc
from gpatlas.plotting.automl_features import plot_importance, plot_shap_bars, plot_shap_swarm
from gpatlas.plotting.automl_genome import plot_components, plot_manhattan
from gpatlas.plotting.automl_scores import plot_leaderboard, plot_null
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
from gpatlas.plotting.fig5_automl import plot_causal_ranks, plot_scores_to_ceiling
from gpatlas.plotting.fig6_gpfn import plot_accuracy_by_prior, plot_interval_coverage, plot_real_data
from gpatlas.plotting.fig7_perceiver import plot_ability_by_phenotyped, plot_imputation, plot_pretraining_gain
from gpatlas.plotting.prior_draws import plot_prior_draws
from gpatlas.plotting.style import save
from gpatlas.plotting.supp_linear_check import plot_linear_check

__all__ = [
    "plot_ability_by_markers",
    "plot_ability_by_phenotyped",
    "plot_accuracy_by_prior",
    "plot_accuracy_to_ceiling",
    "plot_calibration",
    "plot_causal_ranks",
    "plot_components",
    "plot_confusion",
    "plot_found_pairs",
    "plot_frontier",
    "plot_gain_by_correlation",
    "plot_gain_by_markers",
    "plot_gain_over_linear",
    "plot_importance",
    "plot_imputation",
    "plot_interval_coverage",
    "plot_leaderboard",
    "plot_linear_check",
    "plot_manhattan",
    "plot_multitrait_gain",
    "plot_network_by_scaling",
    "plot_null",
    "plot_pairing",
    "plot_pairing_difference",
    "plot_precision_recall",
    "plot_pretraining_gain",
    "plot_prior_draws",
    "plot_real_data",
    "plot_roc",
    "plot_scores_to_ceiling",
    "plot_selected_loci",
    "plot_shap_bars",
    "plot_shap_swarm",
    "save",
]
