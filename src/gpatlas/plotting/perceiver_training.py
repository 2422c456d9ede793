"""Pretraining of a perceiver: its loss, and how many hidden calls it gets right."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from gpatlas.plotting.style import BLUE, ORANGE, styled, subplots


@styled
def plot_pretraining(losses: pd.DataFrame, validations: pd.DataFrame) -> Figure:
    """Plot curves over the number of steps.

    Parameters
    ----------
    losses
        Columns step and loss, as in training.csv.
    validations
        Columns step, loss and accuracy, as in validation.csv, of held-out individuals; step 0 is the untrained network.
    """
    figure, axes = subplots(1, 2, 7.6, 3.2)
    loss, accuracy = axes[0]
    loss.plot(losses.step, losses.loss, color=BLUE, label="training")
    loss.set_ylabel("loss")
    loss.set_title("Loss")
    if len(validations):
        loss.plot(validations.step, validations.loss, color=ORANGE, label="held out")
        loss.legend()
        best = validations.loc[validations.loss.idxmin()]
        accuracy.plot(validations.step, validations.accuracy, color=ORANGE)
        accuracy.plot(best.step, best.accuracy, "o", color=ORANGE)
        accuracy.annotate(
            f"{best.accuracy:.3f}", (best.step, best.accuracy), (0, -5), textcoords="offset points", color=ORANGE,
            ha="right", va="top",
        )  # fmt: skip
    accuracy.set_ylabel("share of hidden calls that are right")
    accuracy.set_title("Accuracy on held-out individuals")
    for axis in axes[0]:
        axis.set_xlabel("steps")
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    return figure
