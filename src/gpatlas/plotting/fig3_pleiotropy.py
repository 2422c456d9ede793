"""Figure 3: what traits on the same QTL, their genetic correlation and their pairing do to networks and rrBLUP."""

from itertools import product

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gpatlas.plotting.style import GREY, model_name, panel_label, styled, subplots

_ROW = ["n_samples", "n_qtl", "n_traits", "genetic_correlation", "pairing", "heritability", "rep"]
LINES = ("-", "--", ":", "-.")  # of numbers of traits
PAIRING_STYLES = {"shared": ("-", "o"), "separate": ("--", "D")}


@styled
def plot_gain_by_correlation(metrics: pd.DataFrame, network: str = "mlp", linear: str = "rrblup") -> Figure:
    """Figure 3A: relative gain of a network over a linear model, by number of QTL and genetic correlation.

    A column of panels for each number of traits, a row for each heritability; a point is the mean over the traits of
    one population, a bar the mean over replicates. Filled points share their epistatic pairs among traits, open ones
    do not.

    Parameters
    ----------
    metrics
        Table of the pleiotropy experiment.
    network, linear
        Models to compare.
    """
    table = _gains(metrics, network, linear)
    counts, heritabilities = sorted(table.n_traits.unique()), sorted(table.heritability.unique(), reverse=True)
    qtl, correlations = sorted(table.n_qtl.unique()), sorted(table.genetic_correlation.unique())
    colours = _correlation_colours(correlations)
    pairings = list(dict.fromkeys(table.pairing))
    slots = list(product(correlations, pairings))
    offsets = np.linspace(-0.38, 0.38, len(slots)) if len(slots) > 1 else np.zeros(1)
    height = 2.5 * len(heritabilities) + 0.9
    figure, axes = subplots(
        len(heritabilities), len(counts), max(4.6 * len(counts), 6.4), height, sharex=True, sharey="row"
    )
    for row, heritability in enumerate(heritabilities):
        for axis, n_traits in zip(axes[row], counts, strict=True):
            panel = table[(table.n_traits == n_traits) & (table.heritability == heritability)]
            axis.axhline(0, color=GREY, linewidth=1, linestyle="--")
            for (correlation, pairing), offset in zip(slots, offsets, strict=True):
                rows = panel[(panel.genetic_correlation == correlation) & (panel.pairing == pairing)]
                x = np.array([qtl.index(n) for n in rows.n_qtl]) + offset
                colour, filled = colours[correlation], pairing == "shared"
                face = colour if filled else "white"
                axis.scatter(x, rows.gain, s=16, facecolors=face, edgecolors=colour, linewidths=1.0, zorder=3)
                means = rows.groupby("n_qtl").gain.mean()
                x_means = np.array([qtl.index(n) for n in means.index]) + offset
                axis.hlines(means, x_means - 0.05, x_means + 0.05, color=colour, linewidth=2.2)
            axis.set_xticks(range(len(qtl)), [f"{n:,}" for n in qtl])
            axis.grid(axis="x", visible=False)
            axis.yaxis.set_major_formatter(_percent())
            if row == 0:
                axis.set_title(f"{n_traits} trait{'s' if n_traits > 1 else ''}")
            if row == len(heritabilities) - 1:
                axis.set_xlabel("QTL")
        axes[row, 0].set_ylabel(f"H² = {heritability:g}\ngain in predictive ability,\n{_versus(network, linear)}")
    handles = [Line2D([], [], color=colours[c], marker="o", linestyle="") for c in correlations]
    labels = [f"genetic correlation {c:g}" for c in correlations]
    for pairing in pairings:
        face = GREY if pairing == "shared" else "white"
        handles.append(Line2D([], [], color=GREY, marker="o", linestyle="", markerfacecolor=face))
        labels.append(f"{pairing} pairs")
    figure.suptitle(panel_label(table, ("n_samples",)), x=0.005, ha="left", fontsize=8.5, color=GREY)
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


@styled
def plot_pairing(metrics: pd.DataFrame, network: str = "mlp", linear: str = "rrblup") -> Figure:
    """Figure 3B: shared against separate epistatic pairs, at the same genetic correlation.

    Predictive ability of a network (coloured) and of a linear model (grey) against the genetic correlation. The
    published design changes both at once: separate pairs at correlation 0, shared pairs above.
    """
    table = _means(metrics, [network, linear])
    counts, qtl = sorted(table.n_traits.unique()), sorted(table.n_qtl.unique())
    heritabilities = sorted(table.heritability.unique(), reverse=True)
    columns = list(product(counts, heritabilities))
    figure, axes = subplots(len(qtl), len(columns), 2.7 * len(columns), 2.0 * len(qtl) + 0.9, sharex=True, sharey=True)
    for row, n_qtl in enumerate(qtl):
        for axis, (n_traits, heritability) in zip(axes[row], columns, strict=True):
            panel = table[(table.n_traits == n_traits) & (table.heritability == heritability) & (table.n_qtl == n_qtl)]
            for pairing, (line, marker) in PAIRING_STYLES.items():
                rows = panel[panel.pairing == pairing]
                for model, colour in ((linear, GREY), (network, "#D55E00")):
                    axis.scatter(rows.genetic_correlation, rows[model], s=9, color=colour, alpha=0.4, linewidths=0)
                    mean = rows.groupby("genetic_correlation")[model].mean()
                    axis.plot(mean.index, mean, color=colour, linestyle=line, marker=marker)
            axis.set_ylim(0, 1.04)
            if row == 0:
                axis.set_title(f"{n_traits} trait{'s' if n_traits > 1 else ''}, H² = {heritability:g}")
            if row == len(qtl) - 1:
                axis.set_xlabel("genetic correlation")
        axes[row, 0].set_ylabel(f"{n_qtl:,} QTL\npredictive ability")
    handles = [
        Line2D([], [], color=colour, linestyle=line, marker=marker)
        for colour in ("#D55E00", GREY)
        for line, marker in PAIRING_STYLES.values()
    ]
    labels = [f"{model_name(model)}, {pairing} pairs" for model in (network, linear) for pairing in PAIRING_STYLES]
    figure.suptitle(panel_label(table, ("n_samples",)), x=0.005, ha="left", fontsize=8.5, color=GREY)
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


@styled
def plot_pairing_difference(metrics: pd.DataFrame, network: str = "mlp", linear: str = "rrblup") -> Figure:
    """Figure 3C: predictive ability with shared pairs minus that with separate ones, against genetic correlation.

    The two populations of a difference have the same genotypes, additive effects and errors; bands are ± one standard
    error over replicates.
    """
    table = _means(metrics, [network, linear])
    keys = [key for key in _ROW if key != "pairing"]
    wide = table.pivot_table(index=keys, columns="pairing", values=[network, linear])
    difference = (wide.xs("shared", axis=1, level=1) - wide.xs("separate", axis=1, level=1)).dropna().reset_index()
    heritabilities = sorted(difference.heritability.unique(), reverse=True)
    counts, qtl = sorted(difference.n_traits.unique()), sorted(difference.n_qtl.unique())
    size = (max(2.9 * len(qtl), 6.4), 2.2 * len(heritabilities) + 0.9)
    figure, axes = subplots(len(heritabilities), len(qtl), *size, sharex=True, sharey=True)
    for row, heritability in enumerate(heritabilities):
        for axis, n_qtl in zip(axes[row], qtl, strict=True):
            axis.axhline(0, color="black", linewidth=1, linestyle="--")
            for (model, colour), (n_traits, line) in product(
                ((linear, GREY), (network, "#D55E00")), zip(counts, LINES, strict=False)
            ):
                rows = difference[
                    (difference.heritability == heritability)
                    & (difference.n_qtl == n_qtl)
                    & (difference.n_traits == n_traits)
                ]
                groups = rows.groupby("genetic_correlation")[model]
                mean, error = groups.mean(), groups.sem().fillna(0)
                axis.plot(mean.index, mean, color=colour, linestyle=line, marker="o")
                axis.fill_between(mean.index, mean - error, mean + error, color=colour, alpha=0.15, linewidth=0)
            if row == 0:
                axis.set_title(f"{n_qtl:,} QTL")
            if row == len(heritabilities) - 1:
                axis.set_xlabel("genetic correlation")
        axes[row, 0].set_ylabel(f"H² = {heritability:g}\npredictive ability,\nshared minus separate pairs")
    handles, labels = [], []
    for (model, colour), (n_traits, line) in product(
        ((network, "#D55E00"), (linear, GREY)), zip(counts, LINES, strict=False)
    ):
        handles.append(Line2D([], [], color=colour, linestyle=line, marker="o"))
        labels.append(f"{model_name(model)}, {n_traits} trait{'s' if n_traits > 1 else ''}")
    figure.suptitle(panel_label(difference, ("n_samples",)), x=0.005, ha="left", fontsize=8.5, color=GREY)
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


@styled
def plot_multitrait_gain(metrics: pd.DataFrame, joint: str = "rrblup_multitrait", single: str = "rrblup") -> Figure:
    """Figure 3D: what knowing the genetic correlation gives a linear model, against that correlation."""
    table = _means(metrics, [joint, single])
    table["gain"] = table[joint] - table[single]
    heritabilities = sorted(table.heritability.unique(), reverse=True)
    counts, qtl = sorted(table.n_traits.unique()), sorted(table.n_qtl.unique())
    shades = mpl.colormaps["viridis"](np.linspace(0.05, 0.85, max(len(qtl), 2)))
    figure, axes = subplots(1, len(heritabilities), max(3.6 * len(heritabilities), 6.4), 3.2, sharex=True, sharey=True)
    for axis, heritability in zip(axes[0], heritabilities, strict=True):
        axis.axhline(0, color=GREY, linewidth=1, linestyle="--")
        for n_qtl, colour in zip(qtl, shades, strict=False):
            for n_traits, line in zip(counts, LINES, strict=False):
                rows = table[
                    (table.heritability == heritability) & (table.n_qtl == n_qtl) & (table.n_traits == n_traits)
                ]
                groups = rows.groupby("genetic_correlation").gain
                mean, error = groups.mean(), groups.sem().fillna(0)
                axis.errorbar(mean.index, mean, yerr=error, color=colour, linestyle=line, marker="o", capsize=2)
        axis.set_title(f"H² = {heritability:g}")
        axis.set_xlabel("genetic correlation")
    axes[0, 0].set_ylabel(f"difference in predictive ability,\n{_versus(joint, single, 'minus')}")
    handles = [Line2D([], [], color=colour, marker="o") for _, colour in zip(qtl, shades, strict=False)]
    labels = [f"{n:,} QTL" for n in qtl]
    for n_traits, line in zip(counts, LINES, strict=False):
        handles.append(Line2D([], [], color=GREY, linestyle=line))
        labels.append(f"{n_traits} trait{'s' if n_traits > 1 else ''}")
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def _means(metrics: pd.DataFrame, models: list[str]) -> pd.DataFrame:
    """Average predictive ability over the traits of a population: a column for each model."""
    table = metrics[metrics.model.isin(models)]
    return table.pivot_table(index=_ROW, columns="model", values="predictive_ability").reset_index()


def _gains(metrics: pd.DataFrame, network: str, linear: str) -> pd.DataFrame:
    """Relative gain of each population in per cent, from means over its traits."""
    table = _means(metrics, [network, linear])
    return table.assign(gain=100 * (table[network] - table[linear]) / table[linear])


def _versus(one: str, other: str, word: str = "over") -> str:
    return f"{model_name(one)} {word} {model_name(other)}"


def _correlation_colours(correlations: list[float]) -> dict[float, tuple]:
    shades = mpl.colormaps["plasma"](np.linspace(0.05, 0.8, max(len(correlations), 2)))
    return dict(zip(correlations, map(tuple, shades), strict=False))


def _percent() -> mpl.ticker.FuncFormatter:
    return mpl.ticker.FuncFormatter(lambda value, _: f"{value:+,.6g} %" if value else "0")
