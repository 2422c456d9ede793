"""What the metrics say, as a table to be read aloud: where models are ahead of a linear one, and where not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from gpatlas.evaluate.expectations import expected_variance_shares
from gpatlas.plotting.fig1_scaling import comparable_linear
from gpatlas.plotting.fig4_frontier import ARCHITECTURE_NAMES
from gpatlas.plotting.fig6_gpfn import LAW_NAMES
from gpatlas.plotting.style import model_name
from gpatlas.report.captions import Story

NEGLIGIBLE = 0.001  # a difference in predictive ability that counts as none, however certain it is
CONFIDENCE = 0.95  # of the paired t interval over replicates that a difference must keep clear of zero


_SHOWN: dict[str, tuple[str, Callable[[Any], str]]] = {
    "heritability": ("H²", lambda value: f"{value:g}"),
    "rel_aa": ("V_A/V_G", lambda value: f"{float(expected_variance_shares(value)):.2g}"),
    "n_samples": ("samples", lambda value: f"{value:,}"),
    "n_traits": ("traits", lambda value: f"{value:,}"),
    "pairing": ("pairs", str),
    "n_markers": ("markers", lambda value: f"{value:,}"),
    "data": ("panel", str),
    "architecture": ("epistasis", lambda value: ARCHITECTURE_NAMES[value]),
}
_ALONG = {"n_qtl": "QTL", "n_markers": "markers", "law": "law", "n_phenotyped": "phenotyped lines"}


def verdicts(metrics: pd.DataFrame, story: Story) -> pd.DataFrame:
    """Say where models are ahead of a linear one: a row for each panel of the story and model.

    Returns
    -------
    pandas.DataFrame
        Columns: the panel, the model where there are several, the values of `story.along` at which it is ahead,
        level or behind (whether the paired t interval of the difference over replicates excludes zero, and the
        difference is more than `NEGLIGIBLE`), and the mean
        difference in predictive ability in each of the three.
    """
    linear = linear_of(metrics, story)
    models = [m for m in dict.fromkeys(metrics.model) if m != linear and m in (story.models or (m,))]
    keys = [*story.panels, story.along, *story.within, "rep"]
    wide = metrics.pivot_table(index=keys, columns="model", values="predictive_ability").reset_index()
    rows = []
    for panel, table in wide.groupby(list(story.panels)):
        for model in models:
            cells = _compared(table.assign(difference=table[model] - table[linear]), story.along)
            if not len(cells):
                continue
            row = {_SHOWN[name][0]: _SHOWN[name][1](value) for name, value in zip(story.panels, panel, strict=True)}
            if story.models is None:
                row["model"] = model_name(model)
            for verdict in ("ahead", "level", "behind"):
                part = cells[cells.verdict == verdict]
                row[f"{verdict} at {_ALONG[story.along]}"] = _span(part.index.tolist(), cells.index.tolist())
                row[f"{verdict} by"] = f"{part['mean'].mean():+.3f}" if len(part) else ""
            rows.append(row)
    return pd.DataFrame(rows)


def linear_of(metrics: pd.DataFrame, story: Story) -> str:
    """Name the linear model of a story."""
    return story.linear or comparable_linear(metrics, "mlp")


def _compared(table: pd.DataFrame, along: str) -> pd.DataFrame:
    """Mean difference and verdict at each value of a design column."""
    cells = table.dropna(subset=["difference"]).groupby(along).difference.agg(["mean", "sem", "count"])
    # one replicate gives no interval: every difference is level
    half_width = cells["sem"].fillna(np.inf) * stats.t.ppf((1 + CONFIDENCE) / 2, np.maximum(cells["count"] - 1, 1))
    needed = np.maximum(half_width, NEGLIGIBLE)
    verdict = np.select([cells["mean"] > needed, cells["mean"] < -needed], ["ahead", "behind"], "level")
    return cells.assign(verdict=verdict)


def cell_means(metrics: pd.DataFrame, values: list[str]) -> pd.DataFrame:
    """Average metrics over replicates: a row for each cell, trait and model, with the number of replicates."""
    keys = [c for c in metrics.columns[: metrics.columns.get_loc("model") + 1] if c != "rep"]
    groups = metrics.groupby(keys, sort=False)
    return groups[values].mean().reset_index().assign(replicates=groups.size().to_numpy())


def runtime_summary(runtimes: pd.DataFrame) -> pd.DataFrame:
    """Sum the cost of jobs by stage and model; seconds are of CPU time."""
    model = runtimes["model"].fillna("") if "model" in runtimes else ""
    groups = runtimes.assign(model=model).groupby(["stage", "model"], sort=False)
    table = groups.agg(
        jobs=("n_rows", "size"),
        populations=("n_rows", "sum"),
        at_work=("cpu_seconds", "sum"),
        processes=("process_cpu_seconds", "sum"),
        peak=("max_rss_mb", "max"),
    ).reset_index()
    return table.rename(
        columns={"at_work": "CPU s at work", "processes": "CPU s of processes", "peak": "peak memory (MB)"}
    )


def _span(chosen: list[Any], every: list[Any]) -> str:
    """Name runs of neighbouring numbers, e.g. 16-90, 202; and trait laws one by one."""
    if every and isinstance(every[0], str):
        return ", ".join(LAW_NAMES[law] for law in LAW_NAMES if law in chosen)
    runs: list[list[int]] = []
    for value in sorted(chosen):
        position = sorted(every).index(value)
        if runs and sorted(every).index(runs[-1][-1]) == position - 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ", ".join(f"{run[0]:,}" if len(run) == 1 else f"{run[0]:,}–{run[-1]:,}" for run in runs)
