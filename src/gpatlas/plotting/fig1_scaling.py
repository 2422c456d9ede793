"""Figure 1: what sample size, number of QTL and epistasis do to a network and to a linear model."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gpatlas.evaluate.expectations import expected_rrblup_accuracy, expected_variance_shares
from gpatlas.plotting.style import (
    GREY,
    log_axis,
    model_colours,
    model_name,
    sample_size_colours,
    share_title,
    styled,
    subplots,
)

_ROW = ["n_samples", "qtl_scaling", "heritability", "n_qtl", "rep", "rel_aa"]


@styled
def plot_gain_over_linear(metrics: pd.DataFrame, network: str = "mlp", linear: str | None = None) -> Figure:
    """Figure 1A: relative gain of a network over a linear model against the number of QTL.

    Parameters
    ----------
    metrics
        Table of the scaling experiment.
    network, linear
        Models to compare; `linear=None` takes rrBLUP where it was scored on the same samples as the network, else
        the linear model by SGD (published protocol).
    """
    linear = linear or comparable_linear(metrics, network)
    table = metrics.pivot_table(index=_ROW, columns="model", values="predictive_ability").reset_index()
    table["gain"] = 100 * (table[network] - table[linear]) / table[linear]
    levels, sizes = sorted(table.rel_aa.unique()), sorted(table.n_samples.unique())
    colours = sample_size_colours(sizes)
    figure, axes = subplots(1, len(levels), 2.35 * len(levels), 3.1)
    for axis, level in zip(axes[0], levels, strict=True):
        panel = table[table.rel_aa == level]
        for size, rows in panel.groupby("n_samples"):
            axis.scatter(rows.n_qtl, rows.gain, s=12, color=colours[size], alpha=0.45, linewidths=0)
            mean = rows.groupby("n_qtl").gain.mean()
            axis.plot(mean.index, mean.to_numpy(), color=colours[size])
        axis.axhline(0, color=GREY, linewidth=1, linestyle="--")
        low, high = axis.get_ylim()
        axis.set_ylim(min(low, -10), max(high, 10))  # a difference of a few per mille should look like one
        axis.yaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:+,.6g} %" if value else "0"))
        axis.set_title(_title(level))
        log_axis(axis, "QTL")
    _heritability_title(figure, metrics)
    axes[0, 0].set_ylabel(f"gain in predictive ability,\n{model_name(network)} over {model_name(linear)}")
    _size_legend(figure, colours)
    return figure


@styled
def plot_network_by_scaling(metrics: pd.DataFrame, network: str = "mlp") -> Figure:
    """Figure 1B: predictive ability of a network against possible QTL pairs per sample."""
    table = metrics[metrics.model == network]
    levels, sizes = sorted(table.rel_aa.unique()), sorted(table.n_samples.unique())
    colours = sample_size_colours(sizes)
    figure, axes = subplots(1, len(levels), 2.35 * len(levels), 3.1, sharey=True)
    for axis, level in zip(axes[0], levels, strict=True):
        for size, rows in table[table.rel_aa == level].groupby("n_samples"):
            axis.scatter(rows.qtl_scaling, rows.predictive_ability, s=12, color=colours[size], alpha=0.45, linewidths=0)
            mean = rows.groupby("qtl_scaling").predictive_ability.mean()
            axis.plot(mean.index, mean.to_numpy(), color=colours[size])
        additive = float(np.sqrt(expected_variance_shares(level)))
        axis.axhline(additive, color=GREY, linewidth=1, linestyle=":")
        axis.axvline(1, color="#b91c1c", linewidth=1, linestyle="--")
        axis.set_title(_title(level))
        axis.set_ylim(0, 1.04)
        log_axis(axis, "QTL pairs per sample")
    _heritability_title(figure, metrics)
    axes[0, 0].set_ylabel(f"predictive ability, {model_name(network)}")
    handles = [
        Line2D([], [], color=GREY, linestyle=":", linewidth=1),
        Line2D([], [], color="#b91c1c", linestyle="--", linewidth=1),
    ]
    _size_legend(figure, colours, handles, ["all additive variance", "one pair per sample"])
    return figure


@styled
def plot_accuracy_to_ceiling(metrics: pd.DataFrame) -> Figure:
    """Figure 1C: predictive ability of every model as a share of what the true genetic value reaches.

    A row of panels for each sample size; bands are ± one standard error over replicates; the dotted line is what
    theory expects of rrBLUP.
    """
    table = metrics.assign(share=metrics.predictive_ability / metrics.ceiling)
    levels, sizes = sorted(table.rel_aa.unique()), sorted(table.n_samples.unique())
    models = list(dict.fromkeys(table.model))
    colours = model_colours(models)
    figure, axes = subplots(
        len(sizes), len(levels), 2.35 * len(levels), 2.35 * len(sizes) + 0.7, sharey=True, sharex="row"
    )
    for number, size in enumerate(sizes, start=1):
        for axis, level in zip(axes[number - 1], levels, strict=True):
            panel = table[(table.n_samples == size) & (table.rel_aa == level)]
            for model in models:
                group = panel[panel.model == model].groupby("qtl_scaling").share
                mean, error = group.mean(), group.sem().fillna(0)
                axis.plot(mean.index, mean, marker="o", color=colours[model])
                axis.fill_between(
                    mean.index,
                    mean - error,
                    mean + error,
                    color=colours[model],
                    alpha=0.18,
                    linewidth=0,
                )
            _expected_line(axis, panel, level)
            axis.axhline(1, color=GREY, linewidth=1, linestyle="--")
            axis.set_ylim(0, 1.06)
            if number == 1:
                axis.set_title(_title(level))
            log_axis(axis, "QTL pairs per sample" if number == len(sizes) else "")
        axes[number - 1, 0].set_ylabel(f"{size:,} samples\npredictive ability / ceiling")
    _heritability_title(figure, metrics)
    handles = [Line2D([], [], color=colours[m], marker="o") for m in models]
    handles += [Line2D([], [], color="black", linestyle=":", linewidth=1.2)]
    handles += [Line2D([], [], color=GREY, linestyle="--", linewidth=1)]
    labels = [*map(model_name, models), "rrBLUP expected", "ceiling: true genetic value"]
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def comparable_linear(metrics: pd.DataFrame, network: str) -> str:
    """Name the linear model that was scored on the same samples as the network, everywhere it was fitted."""
    folds = {model: set(rows.fold) for model, rows in metrics.groupby("model")}
    complete = {model: len(rows) for model, rows in metrics.groupby("model")}
    for linear in ("rrblup", "linear_sgd"):
        if folds.get(linear) == folds[network] and complete[linear] == complete[network]:
            return linear
    return "rrblup" if "rrblup" in folds else "linear_sgd"


def _expected_line(axis, panel: pd.DataFrame, level: float) -> None:  # type: ignore[no-untyped-def]
    rows = panel[panel.model == "rrblup"].drop_duplicates("qtl_scaling").sort_values("qtl_scaling")
    if len(rows):
        share = expected_variance_shares(level)
        expected = expected_rrblup_accuracy(rows.n_train, rows.n_qtl, share, rows.heritability)
        axis.plot(rows.qtl_scaling, expected, color="black", linestyle=":", linewidth=1.2, zorder=3)


def _heritability_title(figure: Figure, metrics: pd.DataFrame) -> None:
    values = ", ".join(f"{h2:g}" for h2 in sorted(metrics.heritability.unique()))
    figure.suptitle(f"broad-sense heritability {values}", x=0.005, ha="left", fontsize=8.5, color=GREY)


def _title(rel_aa: float) -> str:
    return share_title(float(expected_variance_shares(rel_aa)))


def _size_legend(figure: Figure, colours: dict, handles: list | None = None, labels: list | None = None) -> None:
    sizes = [Line2D([], [], color=colour, marker="o") for colour in colours.values()]
    names = [f"{size:,} samples" for size in colours]
    handles, labels = sizes + (handles or []), names + (labels or [])
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
