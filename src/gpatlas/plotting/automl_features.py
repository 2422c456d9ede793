"""What the winner uses: permutation importance and SHAP values."""

from collections.abc import Set

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gpatlas.plotting.automl_values import MANY
from gpatlas.plotting.style import BLUE, GREEN, GREY, ORANGE, class_colours, plain, styled, subplots

TOP = 15
_KIND_COLOURS = {"causal": GREEN, "locus": BLUE, "covariate": ORANGE}


@styled
def plot_importance(importance: pd.DataFrame, score: str, causal: Set[str] = frozenset()) -> Figure:
    """Plot the features whose shuffling costs most, with a standard error.

    Parameters
    ----------
    importance
        Columns feature, importance, se, kind, n_loci, linked; largest first.
    score
        What is lost, for the axis.
    causal
        Loci that are known to be causal, to be marked, alone or among linked ones.
    """
    table = importance.head(TOP)
    figure, axes = subplots(1, 1, 4.9, 1.1 + 0.24 * len(table))
    axis = axes[0, 0]
    is_causal = [not causal.isdisjoint([row.feature, *str(row.linked).split(";")]) for row in table.itertuples()]
    kinds = np.where(is_causal, "causal", table.kind)
    colours = [_KIND_COLOURS[kind] for kind in kinds]
    y = np.arange(len(table))
    axis.barh(
        y, table.importance, xerr=table.se, color=colours, height=0.62, error_kw={"elinewidth": 1, "ecolor": GREY}
    )
    names = [
        f"{_short(feature)} +{n - 1}" if n > 1 else _short(feature)
        for feature, n in zip(table.feature, table.n_loci, strict=True)
    ]
    axis.set_yticks(y, names, fontsize=8)
    axis.set_ylim(len(table) - 0.4, -0.6)
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel(f"loss of {score} when shuffled")
    for kind, label in (("causal", "causal"), ("locus", "locus (+ linked loci)"), ("covariate", "covariate")):
        if (kinds == kind).any():
            axis.plot([], [], "s", color=_KIND_COLOURS[kind], label=label)
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower left", ncols=3, fontsize=8)
    return figure


@styled
def plot_shap_swarm(shap: pd.DataFrame, unit: str) -> Figure:
    """Plot the SHAP values of the top features, a point for each sample, coloured by the feature's value.

    Parameters
    ----------
    shap
        Columns feature, value, shap; the most important feature first.
    unit
        Of the values.
    """
    features = list(dict.fromkeys(shap.feature))[:TOP]
    figure, axes = subplots(1, 1, 4.9, 1.35 + 0.24 * len(features))
    axis = axes[0, 0]
    axis.axvline(0, color=GREY, linewidth=0.8)
    many = len(features) * shap.sample_id.nunique() > MANY
    for row, feature in enumerate(features):
        part = shap[shap.feature == feature]
        low, high = part.value.min(), part.value.max()
        colour = (part.value - low) / (high - low) if high > low else np.full(len(part), 0.5)
        points = axis.scatter(
            part.shap, row + _spread(part.shap.to_numpy()), c=np.where(np.isnan(colour), 0.5, colour), cmap="cividis",
            vmin=0, vmax=1, s=7, linewidths=0, rasterized=many,
        )  # fmt: skip
    axis.set_yticks(range(len(features)), [_short(feature) for feature in features], fontsize=8)
    axis.set_ylim(len(features) - 0.4, -0.6)
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel(f"SHAP value ({unit})")
    bar = figure.colorbar(points, ax=axis, ticks=[0, 1], location="bottom", shrink=0.5, aspect=25, pad=0.02)
    bar.set_ticklabels(["low", "high"], fontsize=8)
    bar.set_label("feature's value", fontsize=8, labelpad=-8)
    bar.outline.set_visible(False)
    return figure


@styled
def plot_shap_bars(shap: pd.DataFrame, unit: str) -> Figure:
    """Plot the mean magnitude of SHAP values of each feature; with several classes, stacked."""
    features = list(dict.fromkeys(shap.feature))[:TOP]
    classes = list(dict.fromkeys(shap["class"])) if "class" in shap else [""]
    strength = shap.assign(shap=shap.shap.abs(), **({} if "class" in shap else {"class": ""}))
    strength = strength.pivot_table(index="feature", columns="class", values="shap").loc[features, classes]
    figure, axes = subplots(1, 1, 4.9, 1.1 + 0.24 * len(features))
    axis = axes[0, 0]
    left = np.zeros(len(features))
    colours = class_colours(classes) if classes != [""] else {"": BLUE}
    for name in classes:
        axis.barh(range(len(features)), strength[name], left=left, color=colours[name], height=0.62, label=plain(name))
        left += strength[name].to_numpy()
    axis.set_yticks(range(len(features)), [_short(feature) for feature in features], fontsize=8)
    axis.set_ylim(len(features) - 0.4, -0.6)
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel(f"mean |SHAP value| ({unit})")
    if classes != [""]:
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower left", ncols=3, fontsize=8)
    return figure


def _spread(values: np.ndarray) -> np.ndarray:
    """Move points that would lie on each other up and down, within ±0.36."""
    if not len(values) or values.max() == values.min():
        return np.linspace(-0.3, 0.3, len(values))
    cells = np.minimum(((values - values.min()) / (values.max() - values.min()) * 60).astype(int), 59)
    counts = np.bincount(cells)
    offsets = np.empty(len(values))
    for cell in np.flatnonzero(counts):
        here = np.flatnonzero(cells == cell)
        width = 0.36 * np.sqrt(len(here) / counts.max())
        offsets[here] = np.linspace(-width, width, len(here)) if len(here) > 1 else 0.0
    return offsets


def _short(name: str) -> str:
    return plain(name if len(name) <= 22 else f"{name[:12]}…{name[-9:]}")
