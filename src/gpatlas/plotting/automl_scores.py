"""What AutoML achieved: every candidate with its interval, and what chance achieves."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gpatlas.plotting.style import BLUE, GREEN, GREY, INK, ORANGE, model_name, number, styled, subplots


@styled
def plot_leaderboard(
    leaderboard: pd.DataFrame, metric: str, chance: float | None = None, ceiling: float | None = None
) -> Figure:
    """Plot the score of each model on samples it was not fitted to, with its 95 % interval.

    Parameters
    ----------
    leaderboard
        Columns model, score, lower, upper, inner_score, in the order of the plot from above; the row "automl" is the
        whole procedure.
    metric
        The score's name, for the axis.
    chance, ceiling
        Score without any signal, and score of the true probabilities or genetic values, where they are known.
    """
    table = leaderboard.reset_index(drop=True)
    figure, axes = subplots(1, 1, 4.8, 1.1 + 0.3 * len(table))
    axis = axes[0, 0]
    for row, entry in table.iterrows():
        colour = ORANGE if entry.model == "automl" else BLUE
        if np.isfinite(entry.score):
            axis.plot([entry.lower, entry.upper], [row, row], color=colour, linewidth=2, solid_capstyle="butt")
            axis.plot(entry.score, row, "o", color=colour, markersize=6)
            axis.annotate(number(entry.score), (entry.score, row), (0, 5), textcoords="offset points", ha="center",
                          fontsize=8, color=INK)  # fmt: skip
        if np.isfinite(entry.inner_score):
            axis.plot(entry.inner_score, row, "o", markerfacecolor="none", markeredgecolor=GREY, markersize=5)
    axis.plot([], [], "o-", color=BLUE, label="new samples, 95 % interval")
    axis.plot([], [], "o", markerfacecolor="none", markeredgecolor=GREY, label="in the search")
    for value, label, colour, dashes in ((chance, "chance", GREY, ":"), (ceiling, "ceiling", GREEN, "--")):
        if value is not None:
            axis.axvline(value, color=colour, linestyle=dashes, label=f"{label} {number(value)}")
    axis.set_yticks(range(len(table)), [model_name(model) for model in table.model])
    axis.set_ylim(len(table) - 0.4, -0.8)
    axis.grid(axis="y", visible=False)
    axis.set_xlabel(metric)
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower left", ncols=2, fontsize=8)
    return figure


@styled
def plot_null(null: pd.DataFrame, score: float, metric: str) -> Figure:
    """Plot the scores of permuted phenotypes, and where the real one lies.

    Parameters
    ----------
    null
        Column score, one row for each permutation.
    score
        Of the phenotypes as they are.
    metric
        The score's name, for the axis.
    """
    figure, axes = subplots(1, 1, 4.6, 3.2)
    axis = axes[0, 0]
    axis.hist(null.score, bins=min(30, max(6, len(null) // 3)), color="#9ca3af", label=f"{len(null)} permutations")
    axis.axvline(score, color=ORANGE, linewidth=2.2, label=f"phenotypes as they are {number(score)}")
    axis.set_xlabel(metric)
    axis.set_ylabel("permutations")
    axis.yaxis.get_major_locator().set_params(integer=True)
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower left", ncols=2, fontsize=8)
    return figure
