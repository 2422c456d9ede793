"""What a prior's draws look like: allele frequencies, linkage disequilibrium, structure, and how well they predict."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gpatlas.plotting.style import BLUE, GREY, ORANGE, sample_size_colours, styled, subplots


@styled
def plot_prior_draws(
    frequencies: pd.DataFrame, decay: pd.DataFrame, components: pd.DataFrame, scores: pd.DataFrame
) -> Figure:
    """Plot draws of one prior: allele frequencies, r² by distance, the first draw's structure, accuracy by h².

    Parameters
    ----------
    frequencies
        Columns draw, minor_allele_frequency.
    decay
        Columns draw, distance (cM), r2.
    components
        Columns draw, pc1, pc2, context.
    scores
        Columns draw, h2, accuracy.
    """
    figure, axes = subplots(1, 4, 12.6, 3.1)
    colours = sample_size_colours(sorted(frequencies.draw.unique()))
    bins = np.linspace(0, 0.5, 11)
    for draw, rows in frequencies.groupby("draw"):
        share = np.histogram(rows.minor_allele_frequency, bins)[0] / len(rows)
        axes[0, 0].stairs(share, bins, color=colours[draw])
    axes[0, 0].set_xlim(0, 0.5)
    axes[0, 0].set_ylim(bottom=0)
    axes[0, 0].set_xlabel("minor allele frequency")
    axes[0, 0].set_ylabel("share of markers")
    for draw, rows in decay.groupby("draw"):
        axes[0, 1].plot(rows.distance, rows.r2, color=colours[draw], marker="o", markersize=3)
    axes[0, 1].set_xscale("log")
    axes[0, 1].xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes[0, 1].set_ylim(bottom=0)
    axes[0, 1].set_xlabel("distance (cM)")
    axes[0, 1].set_ylabel("mean $r^2$ of markers")
    first = components[components.draw == components.draw.iloc[0]]
    for told, colour, label in ((True, BLUE, "context"), (False, ORANGE, "query")):
        rows = first[first.context == told]
        axes[0, 2].scatter(rows.pc1, rows.pc2, s=11, color=colour, alpha=0.6, linewidths=0, label=label)
    axes[0, 2].set_xlabel("first component")
    axes[0, 2].set_ylabel("second component")
    axes[0, 2].set_title("one draw", fontsize=9, fontweight="normal")
    axes[0, 3].scatter(scores.h2, scores.accuracy, s=26, color=[colours[draw] for draw in scores.draw], linewidths=0)
    bound = np.linspace(0, 1, 101)
    axes[0, 3].plot(bound, np.sqrt(bound), color=GREY, linestyle="--", linewidth=1, label="√h²: own phenotype")
    axes[0, 3].set_xlim(0, 1)
    axes[0, 3].set_ylim(min(0.0, scores.accuracy.min() - 0.05), 1.02)
    axes[0, 3].set_xlabel("heritability")
    axes[0, 3].set_ylabel("accuracy of GBLUP")
    axes[0, 2].legend(loc="best", fontsize=8, handletextpad=0.2)
    axes[0, 3].legend(loc="lower right", fontsize=8)
    return figure
