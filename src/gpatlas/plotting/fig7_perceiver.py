"""Figure 7: what pretraining on all genotypes gives where few lines are phenotyped."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, PercentFormatter
from scipy import stats

from gpatlas.plotting.style import GREY, MODEL_NAMES, model_colours, model_name, styled, subplots

PRETRAINED, SCRATCH, UNTRAINED = "perceiver_pretrained", "perceiver_scratch", "perceiver_untrained"
CONFIDENCE = 0.95
_MEASURES = {
    "predictive_ability": "predictive ability,\nr with phenotypes",
    "accuracy": "accuracy,\nr with true genetic values",
}
_IMPUTERS = {
    "knn": ("nearest neighbours in a window", "#E69F00", "s"),
    "most_frequent": ("most frequent call", GREY, "D"),
}
_LEAST_CALLS = 30  # of a class that is shown
_NAME_WIDTH = 1.7  # inches of a model's name in the legend
_SPREAD = 0.035  # of models beside each other, as a share of the axis


@styled
def plot_ability_by_phenotyped(metrics: pd.DataFrame) -> Figure:
    """Figure 7A: predictive ability, and accuracy where the truth is known, against the number of phenotyped lines.

    A column of panels for each panel of lines. Points are means over replicates, each the mean over environments, bars
    their 95 % intervals.

    Parameters
    ----------
    metrics
        Table of the perceiver experiment.
    """
    table = _of_replicates(metrics)
    models, panels = list(dict.fromkeys(table.model)), list(dict.fromkeys(table["data"]))
    measures = [name for name in _MEASURES if table[name].notna().any()]
    colours = model_colours(models)
    figure, axes = _grid(len(measures), panels)
    for line, measure in zip(axes, measures, strict=True):
        for axis, panel in zip(line, panels, strict=True):
            of_panel = table[table["data"] == panel].dropna(subset=[measure])
            if of_panel.empty:
                axis.set_axis_off()
                continue
            for model, shift in zip(models, _shifts(models), strict=True):
                _intervals(axis, of_panel[of_panel.model == model], measure, colours[model], shift)
        line[0].set_ylabel(_MEASURES[measure])
    _finish(axes, table, panels)
    handles = [Line2D([], [], color=colours[model], marker="o") for model in models]
    _legend(figure, handles, [model_name(model) for model in models])
    return figure


@styled
def plot_pretraining_gain(metrics: pd.DataFrame) -> Figure:
    """Figure 7B: predictive ability of the pretrained perceiver less that of each other model.

    Differences are within replicates: the same lines, trait and errors. Bars are their 95 % intervals.

    Parameters
    ----------
    metrics
        Table of the perceiver experiment, with the model `perceiver_pretrained`.
    """
    table = pretraining_gains(metrics)
    models, panels = list(dict.fromkeys(table.model)), list(dict.fromkeys(table["data"]))
    colours = model_colours(dict.fromkeys(metrics.model))
    figure, axes = _grid(1, panels)
    for axis, panel in zip(axes[0], panels, strict=True):
        axis.axhline(0, color=colours[PRETRAINED], linewidth=1.2)
        for model, shift in zip(models, _shifts(models), strict=True):
            rows = table[(table["data"] == panel) & (table.model == model)]
            _intervals(axis, rows, "gain", colours[model], shift)
    _finish(axes, table, panels)
    axes[0, 0].set_ylabel("predictive ability of the\npretrained perceiver less that of")
    handles = [Line2D([], [], color=colours[model], marker="o") for model in models]
    _legend(figure, handles, [model_name(model) for model in models])
    return figure


@styled
def plot_imputation(imputation: pd.DataFrame) -> Figure:
    """Figure 7C: share of hidden calls that are told right, by the frequency of the minor allele.

    Classes of fewer than 30 calls are left out; "all" counts them.

    Parameters
    ----------
    imputation
        Table `imputation.csv` of the perceiver experiment.
    """
    imputation = imputation[imputation.n_calls >= _LEAST_CALLS]
    panels, recipes = (list(dict.fromkeys(imputation[column])) for column in ("data", "recipe"))
    networks = _networks(recipes)
    colours = model_colours(networks.values())
    drawn = {key: (_label(key, recipe, recipes), colours[key], "o") for recipe, key in networks.items()}
    drawn |= {name: look for name, look in _IMPUTERS.items() if name in set(imputation.model)}
    figure, axes = subplots(1, len(panels), max(3.3 * len(panels), 4.6), 3.3, sharey=True)
    for axis, panel in zip(axes[0], panels, strict=True):
        rows = imputation[imputation["data"] == panel]
        keys = zip(rows.model, rows.recipe, strict=True)
        rows = rows.assign(drawn=[model if model in _IMPUTERS else networks[recipe] for model, recipe in keys])
        rows = rows.drop_duplicates(["drawn", "class"])  # there are baselines of each recipe
        classes = sorted(set(rows["class"]))  # "all" comes last
        for name, (_, colour, marker) in drawn.items():
            found = rows[rows.drawn == name].set_index("class").accuracy.reindex(classes)
            apart = [label != "all" for label in classes]
            x = np.arange(len(classes))
            axis.plot(x[apart], found[apart], color=colour, marker=marker, clip_on=False, zorder=3)
            overall = x[np.logical_not(apart)] + 0.3
            axis.plot(overall, found[np.logical_not(apart)], color=colour, marker=marker, linestyle="", clip_on=False)
        ticks = [k + 0.3 * (label == "all") for k, label in enumerate(classes)]
        axis.set_xticks(ticks, classes, rotation=40, ha="right")
        axis.set_title(panel)
        axis.set_xlabel("minor allele frequency")
        axis.grid(axis="x", visible=False)
        axis.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes[0, 0].set_ylabel("hidden calls told right")
    handles = [Line2D([], [], color=colour, marker=marker) for _, colour, marker in drawn.values()]
    _legend(figure, handles, [name for name, *_ in drawn.values()])
    return figure


def _networks(recipes: list[str]) -> dict[str, str]:
    """Return the model as whose each recipe's network is drawn: one that has a colour, where there is one for it."""
    found = {recipe: f"perceiver_{recipe}" for recipe in recipes}
    others = [recipe for recipe, model in found.items() if model not in MODEL_NAMES]
    return found | dict.fromkeys(others[:1], "perceiver")


def _label(model: str, recipe: str, recipes: list[str]) -> str:
    if model in MODEL_NAMES and model != "perceiver":
        return model_name(model)
    return model_name("perceiver") if len(recipes) == 1 else f"{model_name('perceiver')}, {recipe}"


def pretraining_gains(metrics: pd.DataFrame) -> pd.DataFrame:
    """Subtract what every other model reaches from what the pretrained perceiver does, replicate by replicate.

    Returns
    -------
    pandas.DataFrame
        Columns data, n_phenotyped, rep, model and gain (of predictive ability, mean over environments).
    """
    keys = ["data", "n_phenotyped", "rep"]
    table = _of_replicates(metrics)
    reference = table[table.model == PRETRAINED].set_index(keys).predictive_ability
    others = table[table.model != PRETRAINED].set_index(keys)
    gains = others.assign(gain=reference.reindex(others.index) - others.predictive_ability)
    return gains.reset_index()[[*keys, "model", "gain"]]


def mean_and_interval(values: pd.Series) -> tuple[float, float]:
    """Return the mean of replicates, and half the width of its 95 % interval by Student's t; 0 of a single one."""
    values = values.dropna()
    if len(values) < 2:
        return float(values.mean()), 0.0
    return float(values.mean()), float(values.sem() * stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1))


def _of_replicates(metrics: pd.DataFrame) -> pd.DataFrame:
    """Average environments within replicates."""
    keys = ["data", "n_phenotyped", "rep", "model"]
    return metrics.groupby(keys, sort=False)[list(_MEASURES)].mean().reset_index()


def _shifts(models: list[str]) -> np.ndarray:
    """Places of models beside each other."""
    return _SPREAD * (np.arange(len(models)) - (len(models) - 1) / 2)


def _intervals(axis: Axes, rows: pd.DataFrame, value: str, colour: str, shift: float) -> None:
    """Draw means over replicates and their intervals, a little to a side."""
    groups = [(n, *mean_and_interval(of_n[value])) for n, of_n in rows.groupby("n_phenotyped")]
    if groups:
        x, mean, half_width = np.array(groups).T
        axis.errorbar(x * np.exp(shift), mean, half_width, color=colour, marker="o", elinewidth=1.1, linewidth=1.4)


def _grid(n_rows: int, panels: list[str]) -> tuple[Figure, np.ndarray]:
    return subplots(n_rows, len(panels), max(3.4 * len(panels), 4.6), 2.5 * n_rows + 0.8, sharex=True, sharey="row")


def _legend(figure: Figure, handles: list[Line2D], names: list[str]) -> None:
    """Name the models below, in as many rows as they need."""
    columns = min(len(names), int(figure.get_figwidth() / _NAME_WIDTH))
    rows = -(-len(names) // columns)
    figure.legend(handles, names, loc="outside lower center", ncols=-(-len(names) // rows))


def _finish(axes: np.ndarray, table: pd.DataFrame, panels: list[str]) -> None:
    """Title the columns, and name numbers of lines on a logarithmic axis."""
    numbers = sorted(table.n_phenotyped.unique())
    for axis, panel in zip(axes[0], panels, strict=True):
        axis.set_title(f"{panel}, {table[table['data'] == panel].rep.nunique()} replicates")
    for column in axes.T:
        shown = [axis for axis in column if axis.axison]
        for axis in shown:
            axis.set_xscale("log")
            axis.xaxis.set_major_locator(FixedLocator(numbers))
            axis.xaxis.set_minor_locator(NullLocator())
            axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        shown[-1].set_xlabel("phenotyped lines")
        shown[-1].tick_params(labelbottom=True)
