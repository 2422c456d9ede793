"""How well a continuous trait was predicted."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gpatlas.plotting.style import BLUE, GREY, ORANGE, number, plain, styled, subplots

MANY = 1500  # points from which they are drawn as pixels, which keeps the file small


@styled
def plot_observed_predicted(predictions: pd.DataFrame, trait: str, correlation: float) -> Figure:
    """Plot observed against predicted phenotypes of samples left out, a point for each sample (mean over repeats).

    Parameters
    ----------
    predictions
        Of one model: columns sample_id, observed, prediction.
    trait
        Its name.
    correlation
        That tables name: the mean over folds.
    """
    mean = predictions.groupby("sample_id", sort=False)[["observed", "prediction"]].mean()
    figure, axes = subplots(1, 1, 4.6, 4.1)
    axis = axes[0, 0]
    axis.scatter(
        mean.prediction, mean.observed, s=14, color=BLUE, alpha=0.55, linewidths=0, rasterized=len(mean) > MANY,
        label=f"{len(mean):,} samples, r {number(correlation)}",
    )  # fmt: skip
    ends = np.array([mean.prediction.min(), mean.prediction.max()])
    axis.plot(ends, ends, color=GREY, linestyle=":", label="observed = predicted")
    if ends[1] > ends[0]:
        slope, offset = np.polyfit(mean.prediction, mean.observed, 1)
        axis.plot(ends, offset + slope * ends, color=ORANGE, label=f"regression, slope {number(slope)}")
    axis.set_xlabel(f"predicted {plain(trait)}")
    axis.set_ylabel(f"observed {plain(trait)}")
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower left", ncols=2, fontsize=8)
    return figure
