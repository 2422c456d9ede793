"""Figure 2: what markers without effect do to networks, and what selecting loci first gives back."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gpatlas.evaluate.expectations import expected_variance_shares
from gpatlas.plotting.style import (
    GREY,
    log_axis,
    mean_line,
    model_colours,
    model_name,
    panel_label,
    share_title,
    styled,
    subplots,
)

_ROW = ["n_samples", "n_qtl", "n_markers", "heritability", "rep", "rel_aa"]


@styled
def plot_gain_by_markers(metrics: pd.DataFrame, linear: str = "rrblup") -> Figure:
    """Figure 2A: predictive ability minus that of rrBLUP against the number of markers.

    A column of panels for each V_A/V_G, a row for each heritability; points are replicates, lines their means.

    Parameters
    ----------
    metrics
        Table of the dilution experiment.
    linear
        Model that the others are held against.
    """
    table = metrics.pivot_table(index=_ROW, columns="model", values="predictive_ability").reset_index()
    models = [model for model in dict.fromkeys(metrics.model) if model != linear]
    differences = {model: table[model] - table[linear] for model in models}
    table = table.assign(**differences)
    return _panels(
        table,
        models,
        lambda axis: axis.axhline(0, color=GREY, linewidth=1, linestyle="--"),
        f"predictive ability\nminus that of {model_name(linear)}",
    )


@styled
def plot_ability_by_markers(metrics: pd.DataFrame) -> Figure:
    """Figure 2B: predictive ability of every model as a share of the ceiling, against the number of markers."""
    table = metrics.assign(share=metrics.predictive_ability / metrics.ceiling)
    models = list(dict.fromkeys(metrics.model))
    table = table.pivot_table(index=_ROW, columns="model", values="share").reset_index()
    figure = _panels(
        table,
        models,
        lambda axis: axis.axhline(1, color=GREY, linewidth=1, linestyle="--"),
        "predictive ability\n/ ceiling",
    )
    for axis in figure.axes:
        axis.set_ylim(0, 1.06)
    return figure


@styled
def plot_selected_loci(splits: pd.DataFrame) -> Figure:
    """Figure 2C: precision and recall of QTL among the loci that selecting models kept, against markers.

    Parameters
    ----------
    splits
        Table `splits.csv` of the dilution experiment; models without selection are left out.
    """
    table = splits.dropna(subset=["n_selected"])
    levels, heritabilities = sorted(table.rel_aa.unique()), sorted(table.heritability.unique(), reverse=True)
    colours = model_colours(dict.fromkeys(splits.model))
    models = list(dict.fromkeys(table.model))
    columns = [(level, measure) for level in levels for measure in ("precision", "recall")]
    width, height = 2.6 * len(columns), 2.35 * len(heritabilities) + 0.8
    figure, axes = subplots(len(heritabilities), len(columns), width, height, sharex=True, sharey=True)
    for row, heritability in enumerate(heritabilities):
        for axis, (level, measure) in zip(axes[row], columns, strict=True):
            panel = table[(table.rel_aa == level) & (table.heritability == heritability)]
            for model in models:
                mean_line(axis, panel[panel.model == model], "n_markers", measure, colours[model])
            axis.set_ylim(0, 1.04)
            if row == 0:
                axis.set_title(f"{measure}, {share_title(float(expected_variance_shares(level)))}")
            log_axis(axis, "markers" if row == len(heritabilities) - 1 else "")
        axes[row, 0].set_ylabel(f"H² = {heritability:g}\nshare of loci")
    handles = [Line2D([], [], color=colours[model], marker="o") for model in models]
    figure.legend(handles, [model_name(m) for m in models], loc="outside lower center", ncols=len(models))
    return figure


def _panels(table: pd.DataFrame, models: list[str], reference, label: str) -> Figure:  # type: ignore[no-untyped-def]
    levels, heritabilities = sorted(table.rel_aa.unique()), sorted(table.heritability.unique(), reverse=True)
    colours = model_colours([m for m in table.columns if m not in _ROW])
    height = 2.35 * len(heritabilities) + 0.9
    figure, axes = subplots(
        len(heritabilities), len(levels), max(4.2 * len(levels), 6.4), height, sharex=True, sharey=True
    )
    for row, heritability in enumerate(heritabilities):
        for axis, level in zip(axes[row], levels, strict=True):
            panel = table[(table.rel_aa == level) & (table.heritability == heritability)]
            reference(axis)
            for model in models:
                mean_line(axis, panel, "n_markers", model, colours[model])
            if row == 0:
                axis.set_title(share_title(float(expected_variance_shares(level))))
            log_axis(axis, "markers" if row == len(heritabilities) - 1 else "")
        axes[row, 0].set_ylabel(f"H² = {heritability:g}\n{label}")
    figure.suptitle(panel_label(table, ("n_samples", "n_qtl")), x=0.005, ha="left", fontsize=8.5, color=GREY)
    handles = [Line2D([], [], color=colours[model], marker="o") for model in models]
    figure.legend(handles, [model_name(m) for m in models], loc="outside lower center", ncols=min(len(models), 6))
    return figure
