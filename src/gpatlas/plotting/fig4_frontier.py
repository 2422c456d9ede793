"""Figure 4: how near to what the data allow each method comes, and what pairs it finds on the way."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gpatlas.evaluate.expectations import expected_variance_shares
from gpatlas.plotting.style import GREY, log_axis, mean_line, model_colours, model_name, styled, subplots

ARCHITECTURE_NAMES = {"sparse": "disjoint pairs", "dense": "all pairs", "triples": "disjoint triples"}
_MEASURES = {"pair_recall": "share of true\npairs found", "pair_fdp": "share of found\npairs that are false"}


@styled
def plot_frontier(metrics: pd.DataFrame) -> Figure:
    """Figure 4A: predictive ability of every model as a share of the ceiling, against possible pairs per sample.

    A row of panels for each architecture, a column for each heritability and sample size; faint points are replicates,
    lines their means with bands of ± one standard error.

    Parameters
    ----------
    metrics
        Table of the frontier experiment.
    """
    table = metrics.assign(share=metrics.predictive_ability / metrics.ceiling)
    rows = [name for name in ARCHITECTURE_NAMES if (table.architecture == name).any()]
    models, columns = list(dict.fromkeys(table.model)), _columns(table)
    colours = model_colours(models)
    figure, axes = _grid(len(rows), columns)
    for line, architecture in zip(axes, rows, strict=True):
        for axis, column in zip(line, columns, strict=True):
            panel = _cell(table[table.architecture == architecture], column)
            axis.axhline(1, color=GREY, linewidth=1, linestyle="--")
            for level in panel.rel_aa.unique():
                additive = float(np.sqrt(expected_variance_shares(level)))
                axis.axhline(additive, color=GREY, linewidth=1, linestyle=":")
            for model in models:
                of_model = panel[panel.model == model]
                mean_line(axis, of_model, "qtl_scaling", "share", colours[model], **_line(model))
            axis.set_ylim(0, 1.12)
        line[0].set_ylabel(f"{ARCHITECTURE_NAMES[architecture]}\npredictive ability / ceiling")
    _label(axes, columns)
    handles = [Line2D([], [], color=colours[model], **_line(model)) for model in models]
    handles += [Line2D([], [], color=GREY, linestyle=style, linewidth=1) for style in ("--", ":")]
    labels = [*map(model_name, models), "ceiling: true genetic value", "all additive variance (haploids)"]
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 8))
    return figure


@styled
def plot_found_pairs(splits: pd.DataFrame) -> Figure:
    """Figure 4B: recall and false discovery proportion of interacting pairs, where the truth is disjoint pairs.

    Parameters
    ----------
    splits
        Table `splits.csv` of the frontier experiment; models that find no pairs are left out.
    """
    table = splits[(splits.architecture == "sparse") & splits.n_pairs.notna()]
    models, columns = list(dict.fromkeys(table.model)), _columns(table)
    colours = model_colours(dict.fromkeys(splits.model))
    figure, axes = _grid(len(_MEASURES), columns)
    for line, (measure, label) in zip(axes, _MEASURES.items(), strict=True):
        for axis, column in zip(line, columns, strict=True):
            panel = _cell(table, column)
            for model in models:
                of_model = panel[panel.model == model]
                mean_line(axis, of_model, "qtl_scaling", measure, colours[model], marker="o", markersize=3.5)
            axis.set_ylim(-0.04, 1.04)
        line[0].set_ylabel(label)
    _label(axes, columns)
    handles = [Line2D([], [], color=colours[model], marker="o") for model in models]
    figure.legend(handles, [model_name(m) for m in models], loc="outside lower center", ncols=len(models))
    return figure


def _columns(table: pd.DataFrame) -> list[tuple[float, int]]:
    """Heritabilities, the highest first, and the sample sizes at each."""
    pairs = table[["heritability", "n_samples"]].drop_duplicates()
    return sorted(pairs.itertuples(index=False, name=None), key=lambda pair: (-pair[0], pair[1]))


def _cell(table: pd.DataFrame, column: tuple[float, int]) -> pd.DataFrame:
    heritability, n_samples = column
    return table[(table.heritability == heritability) & (table.n_samples == n_samples)]


def _grid(n_rows: int, columns: list) -> tuple[Figure, np.ndarray]:
    width, height = max(2.15 * len(columns) + 0.5, 6.4), 2.1 * n_rows + 1.0
    return subplots(n_rows, len(columns), width, height, sharex=True, sharey=True)


def _label(axes: np.ndarray, columns: list[tuple[float, int]]) -> None:
    """Title the columns and name their x axis."""
    for axis, (heritability, n_samples) in zip(axes[0], columns, strict=True):
        axis.set_title(f"H² = {heritability:g}\n{n_samples:,} samples")
    for axis in axes.flat:
        log_axis(axis, "QTL pairs per sample" if axis in axes[-1] else "")


def _line(model: str) -> dict[str, Any]:
    """Return the line of a model; a stack lies on its best member, so it is drawn broad, and underneath."""
    if model == "auto_epistasis":
        return {"marker": "o", "linewidth": 5.0, "markersize": 8.0, "zorder": 1.5, "alpha": 0.7}
    return {"marker": "o", "markersize": 3.5}
