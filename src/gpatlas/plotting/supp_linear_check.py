"""Supplementary figure: the linear model by SGD against exact rrBLUP."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gpatlas.evaluate.expectations import expected_variance_shares
from gpatlas.plotting.style import GREY, sample_size_colours, styled, subplots

_MARKERS = "osD^vP*X"


@styled
def plot_linear_check(metrics: pd.DataFrame) -> Figure:
    """Plot predictive ability by SGD against rrBLUP, all traits; on the line they agree."""
    keys = ["n_samples", "qtl_scaling", "heritability", "n_qtl", "rep", "rel_aa"]
    table = metrics.pivot_table(index=keys, columns="model", values="predictive_ability").reset_index()
    table = table.dropna(subset=["rrblup", "linear_sgd"])
    colours = sample_size_colours(sorted(table.n_samples.unique()))
    levels = sorted(table.rel_aa.unique())
    figure, axes = subplots(1, 1, 5.6, 4.2)
    axis = axes[0, 0]
    low = min(0.0, table[["rrblup", "linear_sgd"]].min().min() - 0.03)
    axis.plot([low, 1], [low, 1], color=GREY, linestyle="--", linewidth=1, zorder=1)
    for (size, level), rows in table.groupby(["n_samples", "rel_aa"]):
        marker = _MARKERS[levels.index(level) % len(_MARKERS)]
        axis.scatter(rows.rrblup, rows.linear_sgd, s=22, color=colours[size], marker=marker, alpha=0.75, linewidths=0)
    axis.set_xlim(low, 1.02)
    axis.set_ylim(low, 1.02)
    axis.set_aspect("equal")
    axis.set_xlabel("predictive ability, rrBLUP (exact)")
    axis.set_ylabel("predictive ability, linear (SGD)")
    handles = [Line2D([], [], color=colour, marker="o", linestyle="") for colour in colours.values()]
    labels = [f"{size:,} samples" for size in colours]
    for k, level in enumerate(levels):
        handles.append(Line2D([], [], color=GREY, marker=_MARKERS[k % len(_MARKERS)], linestyle=""))
        labels.append(f"$V_A/V_G$ = {float(expected_variance_shares(level)):.2g}")
    handles.append(Line2D([], [], color=GREY, linestyle="--", linewidth=1))
    labels.append("equal")
    figure.legend(handles, labels, loc="outside right center")
    return figure
