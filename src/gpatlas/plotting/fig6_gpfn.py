"""Figure 6: a network trained on simulated breeding populations against models fitted to each population anew."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from gpatlas.config.real_data import LAW
from gpatlas.evaluate.intervals import LEVELS
from gpatlas.plotting.style import GREY, model_colours, model_name, styled, subplots

LAW_NAMES = {
    "mixture": "mixture",
    "few": "3–15 QTL",
    "moderate": "16–80 QTL",
    "many": "81–500 QTL",
    "infinitesimal": "infinitesimal",
    "dominance": "dominance",
    "epistasis": "epistasis",
    LAW: "real data",
}
_REFERENCE = "rrblup"


@styled
def plot_accuracy_by_prior(metrics: pd.DataFrame) -> Figure:
    """Figure 6A: accuracy by breeding scheme and by trait law, and the gain over rrBLUP.

    Points are means over populations, bars their standard errors; the gains' are those of differences within
    populations. Without rrBLUP among the models, gains are left out.

    Parameters
    ----------
    metrics
        Table of the GPFN experiment.
    """
    table = metrics[metrics.law != LAW].assign(
        scheme=metrics["prior"].str.replace("_", " "), trait_law=metrics["law"].map(lambda law: LAW_NAMES.get(law, law))
    )
    columns = [c for c in ("scheme", "trait_law") if table[c].nunique() > 1] or ["scheme"]
    return _means_and_gains(table, columns, "accuracy", "accuracy, r with true genetic values")


@styled
def plot_real_data(metrics: pd.DataFrame) -> Figure:
    """Figure 6C: predictive ability in real populations by trait, and the gain over rrBLUP.

    Points are means over random splits, bars their standard errors; splits share samples, so that errors are too
    small. The gains' are those of differences within splits.

    Parameters
    ----------
    metrics
        Table of the GPFN experiment, with real data among its rows.
    """
    table = metrics[metrics.law == LAW]
    table = table.assign(trait=table["prior"] + ", " + table["trait_id"])
    return _means_and_gains(table, ["trait"], "predictive_ability", "predictive ability, r with phenotypes")


def _means_and_gains(table: pd.DataFrame, columns: list[str], measure: str, label: str) -> Figure:
    """Draw a panel of means for each of the columns, and beside it one of gains where rrBLUP is there."""
    models = list(dict.fromkeys(table.model))
    colours = model_colours(models)
    gains = _gains(table, measure) if _REFERENCE in models else None
    heights = [max(table[c].nunique(), 2) for c in columns]
    n_wide = 1 if gains is None else 2
    figure, axes = subplots(
        len(columns), n_wide, 4.6 * n_wide + 1.2, 0.36 * sum(heights) + 1.3 * len(columns) + 0.5, height_ratios=heights
    )
    for line, column in zip(axes, columns, strict=True):
        names = list(dict.fromkeys(table[column]))
        _points(line[0], table, column, measure, names, models, colours)
        line[0].set_xlabel(label)
        if gains is not None:
            _points(line[1], gains, column, "gain", names, [m for m in models if m != _REFERENCE], colours)
            line[1].axvline(0, color=colours[_REFERENCE], linewidth=1.2)
            line[1].set_xlabel(f"{label.split(',')[0]} less that of {model_name(_REFERENCE)}")
            line[1].tick_params(labelleft=False)
    handles = [Line2D([], [], color=colours[m], marker="o", linestyle="") for m in models]
    figure.legend(handles, [model_name(m) for m in models], loc="outside lower center", ncols=len(models))
    return figure


@styled
def plot_interval_coverage(splits: pd.DataFrame) -> Figure:
    """Figure 6B: how many of a model's intervals hold the true genetic value, against how many should.

    One panel for each model that predicts intervals; thin lines are breeding schemes, broad ones their mean.

    Parameters
    ----------
    splits
        Table `splits.csv` of the GPFN experiment.
    """
    names = [f"coverage_{100 * level:g}" for level in LEVELS]
    table = splits.dropna(subset=names)
    models = list(dict.fromkeys(table.model))
    colours = model_colours(dict.fromkeys(splits.model))
    figure, axes = subplots(1, len(models), 3.4 * len(models) + 0.4, 3.6, sharex=True, sharey=True)
    at = np.array(LEVELS)
    for axis, model in zip(axes[0], models, strict=True):
        of_model = table[table.model == model]
        axis.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":")
        for _, rows in of_model.groupby("prior", sort=False):
            axis.plot(at, rows[names].mean(), color=GREY, linewidth=0.8, alpha=0.7)
        axis.plot(at, of_model[names].mean(), color=colours[model], marker="o", linewidth=2.2)
        axis.set_title(model_name(model))
        axis.set_xlabel("intervals that should hold the truth")
        for side in (axis.xaxis, axis.yaxis):
            side.set_major_formatter(PercentFormatter(1.0))
        axis.set_xlim(0.4, 1.0)
        axis.set_ylim(0.4, 1.0)
    axes[0, 0].set_ylabel("intervals that hold it")
    return figure


def _gains(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Subtract what the reference reaches on the same population."""
    keys = [*table.columns[: table.columns.get_loc("model")], "trait_id"]
    reference = table[table.model == _REFERENCE].set_index(keys)[measure]
    others = table[table.model != _REFERENCE].set_index(keys)
    return others.assign(gain=others[measure] - reference.reindex(others.index)).reset_index()


def _points(
    axis: Axes, table: pd.DataFrame, column: str, value: str, names: list[str], models: list[str], colours: dict
) -> None:
    """Draw means and standard errors, a line of the axis for each name."""
    offsets = np.linspace(-0.24, 0.24, len(models)) if len(models) > 1 else [0.0]
    for offset, model in zip(offsets, models, strict=True):
        groups = table[table.model == model].groupby(column)[value]
        mean, error = groups.mean().reindex(names), groups.sem().reindex(names)
        axis.errorbar(
            mean, np.arange(len(names)) + offset, xerr=error.fillna(0), color=colours[model], marker="o", linestyle="",
            markersize=4.5, elinewidth=1.1,
        )  # fmt: skip
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.grid(axis="y", visible=False)
