"""Training of a prior-data fitted network: loss, accuracy on fixed populations, and whether intervals hold."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, PercentFormatter

from gpatlas.plotting.style import BLUE, GREY, INK, ORANGE, styled, subplots

_LEVEL = 0.9


@styled
def plot_training(losses: pd.DataFrame, validations: pd.DataFrame) -> Figure:
    """Plot curves over the number of populations seen.

    Parameters
    ----------
    losses
        Columns draws and loss, as in training.csv.
    validations
        Columns draws, prior, accuracy and coverage, as in validation.csv; draws of 0 are the untrained network, which
        is GBLUP (a transformer: nothing).
    """
    figure, axes = subplots(1, 3, 11.0, 3.4)
    loss, accuracy, coverage = axes[0]
    loss.plot(losses.draws, losses.loss, color=BLUE)
    loss.set_ylabel("loss")
    loss.set_title("Loss")
    _by_prior(accuracy, validations, "accuracy")
    accuracy.set_ylabel("accuracy, r with true genetic values")
    accuracy.set_title("Accuracy on fixed populations")
    _by_prior(coverage, validations, "coverage")
    coverage.axhline(_LEVEL, color=INK, linewidth=0.9, linestyle="--")
    coverage.yaxis.set_major_formatter(PercentFormatter(1.0))
    coverage.set_ylabel("of 90 % intervals that hold the truth")
    coverage.set_title("Intervals")
    for axis in axes[0]:
        axis.set_xlabel("populations seen")
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    return figure


def _by_prior(axis: Axes, validations: pd.DataFrame, column: str) -> None:
    """Draw each prior thinly and their mean broadly; dotted is the mean where training began."""
    for _, rows in validations.groupby("prior", sort=False):
        axis.plot(rows.draws, rows[column], color=GREY, linewidth=0.7, alpha=0.6)
    mean = validations.groupby("draws")[column].mean()
    axis.plot(mean.index, mean, color=ORANGE, linewidth=2.2)
    axis.axhline(mean.iloc[0], color=ORANGE, linewidth=0.9, linestyle=":")
    axis.annotate(
        f"{mean.iloc[-1]:.3f}", (mean.index[-1], mean.iloc[-1]), (4, 0), textcoords="offset points", color=ORANGE,
        va="center", annotation_clip=False,
    )  # fmt: skip
