"""Figure 5: how near to the ceiling a search for the best predictor comes, and whether it finds the causal loci."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gpatlas.evaluate.scores import SCORES
from gpatlas.plotting.style import BLUE, GREEN, GREY, INK, ORANGE, log_axis, model_name, number, plain, styled, subplots

_ROW, _REPLICATE = 0.34, 0.2  # inches of a data set, and of each further replicate
# both may find the same: broad below, dashed above
_RANKINGS: dict[str, dict[str, Any]] = {
    "rank": {"label": "by importance", "color": BLUE, "linewidth": 2.6},
    "p_rank": {"label": "by p value", "color": ORANGE, "linewidth": 1.5, "linestyle": (0, (3, 2))},
}


@styled
def plot_scores_to_ceiling(scores: pd.DataFrame) -> Figure:
    """Figure 5A: the score of every search with its 95 % interval, and the ceiling.

    A panel for each score that data sets were selected by, a row for each data set and replicate, with the name of the
    model that was chosen.

    Parameters
    ----------
    scores
        Table `scores.csv` of the AutoML experiment.
    """
    table = scores[scores.selected_by]
    metrics = list(dict.fromkeys(table.metric))
    heights = [_height(table[table.metric == metric]) for metric in metrics]
    figure, axes = subplots(len(metrics), 1, 5.3, 0.9 + sum(heights) + 0.45 * len(metrics), height_ratios=heights)
    for axis, metric in zip(axes[:, 0], metrics, strict=True):
        panel = table[table.metric == metric].reset_index(drop=True)
        new = panel.dataset != panel.dataset.shift()
        y = np.cumsum(np.where(new, _ROW, _REPLICATE))
        error = np.maximum([panel.score - panel.lower, panel.upper - panel.score], 0)
        axis.errorbar(panel.score.to_numpy(), y, xerr=error, fmt="o", color=BLUE, markersize=5.5, elinewidth=1.8)
        axis.plot(panel.ceiling, y, "|", color=GREEN, markersize=11, markeredgewidth=2.4)
        for place, row in zip(y, panel.itertuples(), strict=True):
            axis.annotate(f"{number(row.score)}  {model_name(row.chosen)}", (1.01, place), fontsize=8, color=INK,
                          xycoords=("axes fraction", "data"), va="center", annotation_clip=False)  # fmt: skip
        axis.set_yticks(y[new], [plain(name) for name in panel.dataset[new]])
        axis.set_ylim(y[-1] + 0.24, 0.1)
        axis.grid(axis="y", visible=False)
        axis.tick_params(axis="y", length=0)
        axis.set_xlabel(SCORES[metric].text)
    handles = [
        Line2D([], [], color=BLUE, marker="o", label="samples left out, 95 % interval"),
        Line2D([], [], color=GREEN, marker="|", markersize=11, markeredgewidth=2.4, linestyle="", label="ceiling"),
    ]
    figure.legend(handles=handles, loc="outside lower left", ncols=2, fontsize=8)
    return figure


@styled
def plot_causal_ranks(causal: pd.DataFrame) -> Figure:
    """Figure 5B: the share of the causal loci among the highest ranked ones, by importance and by p value.

    Parameters
    ----------
    causal
        Table `causal.csv` of the AutoML experiment: columns dataset, rep, locus_id, n_causal, rank, p_rank.
    """
    names = list(dict.fromkeys(causal.dataset))
    columns = min(len(names), 4)
    rows = -(-len(names) // columns)
    figure, axes = subplots(rows, columns, max(2.1 * columns + 0.6, 4.2), 2.0 * rows + 0.9, sharey=True)
    for axis, name in zip(axes.flat, names, strict=False):
        panel = causal[causal.dataset == name]
        n_causal, most = panel.n_causal.iloc[0], panel[list(_RANKINGS)].max().max()
        x = np.unique(np.geomspace(1, max(most, 2 * n_causal), 200).round())
        for column, line in _RANKINGS.items():
            runs = [(np.sort(run[column].fillna(np.inf)), len(run)) for _, run in panel.groupby("rep")]
            found = np.array([np.searchsorted(ranks, x, side="right") / count for ranks, count in runs])
            if len(found) > 1:
                axis.step(x, found.T, where="post", color=line["color"], linewidth=0.7, alpha=0.35)
            axis.step(x, found.mean(axis=0), where="post", **line)
        axis.axvline(n_causal, color=GREY, linestyle=":", linewidth=1.2)
        log_axis(axis, "highest ranked loci")
        axis.set_ylim(-0.04, 1.04)
        axis.set_title(plain(name))
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    for row in axes:
        row[0].set_ylabel("share of causal loci found")
    handles = [Line2D([], [], **line) for line in _RANKINGS.values()]
    handles.append(Line2D([], [], color=GREY, linestyle=":", label="as many as are causal"))
    figure.legend(handles=handles, loc="outside lower left", ncols=3, fontsize=8)
    return figure


def _height(panel: pd.DataFrame) -> float:
    n_sets = panel.dataset.nunique()
    return _ROW * (n_sets + 0.3) + _REPLICATE * (len(panel) - n_sets)
