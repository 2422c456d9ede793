"""A tuning run: what every trial achieved, and which hyperparameters mattered."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gpatlas.plotting.style import GREY, styled, subplots

_TRIAL, _BEST = "#0072B2", "#D55E00"


@styled
def plot_tuning(trials: pd.DataFrame, importances: Mapping[str, float]) -> Figure:
    """Plot trials by number with the best so far, and the importance of each hyperparameter.

    Parameters
    ----------
    trials
        Columns trial, state and value, as in the table of `gpatlas tune`.
    importances
        Hyperparameter → share of the variance among complete trials; empty where that cannot be told.
    """
    figure, axes = subplots(1, 2, 8.4, 3.3, width_ratios=[1.5, 1])
    _history(axes[0, 0], trials)
    _importances(axes[0, 1], importances)
    return figure


def _history(axis: Axes, trials: pd.DataFrame) -> None:
    trials = trials.sort_values("trial")
    complete = trials[trials.state == "complete"]
    axis.scatter(complete.trial, complete.value, s=26, color=_TRIAL, linewidths=0, label="trial", zorder=3)
    best = trials.value.where(trials.state == "complete").cummax().ffill()
    axis.step(trials.trial, best, where="post", color=_BEST, label="best so far")
    for state, marker in (("pruned", "|"), ("diverged", "x")):  # they have no value that compares: a mark at the foot
        rows = trials[trials.state == state]
        if len(rows):
            foot = np.full(len(rows), 0.03)
            axis.scatter(
                rows.trial, foot, transform=axis.get_xaxis_transform(), marker=marker, s=40, color=GREY,
                linewidths=1.4, label=state,
            )  # fmt: skip
    if len(complete):
        low, high = complete.value.min(), complete.value.max()
        room = max(high - low, 0.01)
        axis.set_ylim(low - 0.15 * room, high + 0.1 * room)
    axis.set_xlim(-0.7, trials.trial.max() + 0.7)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axis.set_xlabel("trial")
    axis.set_ylabel("predictive ability on validation")
    axis.set_title("Trials")
    axis.figure.legend(*axis.get_legend_handles_labels(), loc="outside lower left", ncols=4)


def _importances(axis: Axes, importances: Mapping[str, float]) -> None:
    axis.set_title("What mattered")
    if not importances:
        axis.set_axis_off()
        text = "Importances need two or more\nhyperparameters, and three or more\ncomplete trials that differ."
        axis.text(0.5, 0.5, text, transform=axis.transAxes, ha="center", va="center", color=GREY)
        return
    names = sorted(importances, key=lambda name: importances[name])
    shares = [importances[name] for name in names]
    bars = axis.barh(names, shares, color=_TRIAL, height=0.6)
    axis.bar_label(bars, [f"{share:.0%}" for share in shares], padding=3, fontsize=8.5)
    axis.set_xlim(0, 1.12)
    axis.set_ylim(min(-0.6, len(names) - 4.4), len(names) - 0.4)  # few bars do not grow fat
    axis.set_xticks([0, 0.5, 1], ["0", "50%", "100%"])
    axis.grid(axis="y", visible=False)
    axis.tick_params(axis="y", length=0)
    axis.set_xlabel("share of variance among trials")
