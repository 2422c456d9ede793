"""How well classes were predicted: ROC, precision and recall, calibration, confusion; all of samples left out.

Every function takes the out-of-fold predictions of one model: columns repeat, fold, observed, prediction (names of
classes) and p_<class> for each class.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gpatlas.evaluate.curves import calibration, mean_curve, precision_recall, roc
from gpatlas.plotting.style import BLUE, GREY, INK, class_colours, number, plain, styled, subplots


@styled
def plot_roc(predictions: pd.DataFrame, classes: Sequence[str]) -> Figure:
    """Plot ROC curves averaged over folds, so that the area under the curve is the mean AUC that tables name.

    Parameters
    ----------
    predictions
        Of one model.
    classes
        All classes; of two, the second is the case and has the only curve.
    """
    figure, axes = subplots(1, 1, 4.6, 4.1)
    axis = axes[0, 0]
    axis.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1.2)
    for name, colour in _shown(classes).items():
        curves = [
            roc(case, fold[f"p_{name}"].to_numpy())
            for _, fold in predictions.groupby(["repeat", "fold"])
            if 0 < (case := (fold.observed == name).to_numpy()).sum() < len(fold)
        ]
        if len(classes) == 2:
            for curve in curves:
                axis.plot(curve.x, curve.y, color=GREY, linewidth=0.6, alpha=0.5)
        if not curves:  # no fold holds this class and others
            continue
        mean = mean_curve(curves)
        axis.plot(
            mean.x, mean.y, color=colour, linewidth=2.2, label=f"{_of_class(name, classes)}AUC {number(mean.area)}"
        )
    _square(axis, "controls called cases (1 − specificity)", "cases found (sensitivity)")
    if axis.get_legend_handles_labels()[0]:
        axis.legend(loc="lower right", fontsize=8.5)
    return figure


@styled
def plot_precision_recall(predictions: pd.DataFrame, classes: Sequence[str]) -> Figure:
    """Plot precision against recall over all folds together; dotted: calling everyone a case."""
    figure, axes = subplots(1, 1, 4.6, 4.1)
    axis = axes[0, 0]
    for name, colour in _shown(classes).items():
        case = (predictions.observed == name).to_numpy()
        curve, average = precision_recall(case, predictions[f"p_{name}"].to_numpy())
        axis.plot(
            curve.x,
            curve.y,
            color=colour,
            linewidth=2,
            label=f"{_of_class(name, classes)}mean precision {number(average)}",
        )
        axis.axhline(case.mean(), color=colour, linestyle=":", linewidth=1.2)
    _square(axis, "cases found (recall)", "of those called cases, right (precision)")
    axis.legend(loc="lower left", fontsize=8.5)
    return figure


@styled
def plot_calibration(predictions: pd.DataFrame, classes: Sequence[str]) -> Figure:
    """Plot observed against predicted probability in ten groups of equal size, with 95 % intervals of two classes."""
    figure, axes = subplots(2, 1, 4.6, 4.4, height_ratios=[4, 1], sharex=True)
    axis, below = axes[:, 0]
    axis.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1.2)
    for name, colour in _shown(classes).items():
        probability = predictions[f"p_{name}"].to_numpy()
        found = calibration((predictions.observed == name).to_numpy(), probability)
        if len(classes) == 2:
            error = np.maximum([found.observed - found.lower, found.upper - found.observed], 0)
            axis.errorbar(found.predicted, found.observed, error, color=colour, linewidth=1, fmt="none")
        label = f"class {plain(name)}"
        axis.plot(found.predicted, found.observed, "o-", color=colour, label=label)
        below.hist(probability, bins=np.linspace(0, 1, 26), color=colour, alpha=0.45 if len(classes) > 2 else 0.8)
    axis.set_ylabel("observed share")
    axis.set_xlim(-0.02, 1.02)
    axis.set_ylim(-0.02, 1.02)
    axis.legend(loc="upper left", fontsize=8.5)
    below.set_xlabel("predicted probability")
    below.set_ylabel("samples")
    return figure


@styled
def plot_confusion(predictions: pd.DataFrame, classes: Sequence[str]) -> Figure:
    """Plot what each class was taken for: samples (mean over repeats) and their share of the class."""
    counts = confusion(predictions, classes)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = 0.8 * len(classes)
    figure, axes = subplots(1, 1, 2.6 + size, 1.9 + size)
    axis = axes[0, 0]
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, j in np.ndindex(counts.shape):
        dark = shares[i, j] > 0.55
        axis.text(j, i, f"{counts[i, j]:,.4g}\n{shares[i, j]:.0%}", ha="center", va="center",
                  color="white" if dark else INK, fontsize=9.5)  # fmt: skip
    axis.set_xticks(range(len(classes)), [plain(name) for name in classes])
    axis.set_yticks(range(len(classes)), [plain(name) for name in classes])
    axis.set_xlabel("predicted")
    axis.set_ylabel("observed")
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    return figure


def confusion(predictions: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Count observed (rows) against predicted classes (columns), mean over repeats, `(n_classes, n_classes)`."""
    index = pd.Index(classes)
    counts = np.zeros((len(classes), len(classes)))
    np.add.at(counts, (index.get_indexer(predictions.observed), index.get_indexer(predictions.prediction)), 1)
    return counts / predictions["repeat"].nunique()


def _shown(classes: Sequence[str]) -> dict[str, str]:
    return {classes[1]: BLUE} if len(classes) == 2 else class_colours(classes)


def _of_class(name: str, classes: Sequence[str]) -> str:
    return "" if len(classes) == 2 else f"{plain(name)}, "


def _square(axis: Axes, x: str, y: str) -> None:
    axis.set_xlim(-0.02, 1.02)
    axis.set_ylim(-0.02, 1.02)
    axis.set_xlabel(x)
    axis.set_ylabel(y)
