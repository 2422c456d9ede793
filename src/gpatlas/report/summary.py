"""What the metrics say, as a table to be read aloud: where a network is ahead of a linear model, and where not."""

import numpy as np
import pandas as pd
from scipy import stats

from gpatlas.evaluate.expectations import expected_variance_shares
from gpatlas.plotting.fig1_scaling import comparable_linear

CONFIDENCE = 0.95  # of the paired t interval over replicates that a difference must keep clear of zero


def verdicts(metrics: pd.DataFrame, network: str = "mlp") -> pd.DataFrame:
    """Summarise a scaling experiment: a row for each heritability, V_A/V_G and sample size.

    Returns
    -------
    pandas.DataFrame
        Columns: the panel, the numbers of QTL at which the network is ahead, level or behind (whether the paired t
        interval of the difference over replicates excludes zero), and the mean difference in predictive ability in
        each of the three.
    """
    linear = comparable_linear(metrics, network)
    keys = ["heritability", "rel_aa", "n_samples", "n_qtl", "rep"]
    wide = metrics.pivot_table(index=keys, columns="model", values="predictive_ability").reset_index()
    wide["difference"] = wide[network] - wide[linear]
    cells = wide.groupby(keys[:-1]).difference.agg(["mean", "sem", "count"]).reset_index()
    # one replicate gives no interval: every difference is level
    half_width = cells["sem"].fillna(np.inf) * stats.t.ppf((1 + CONFIDENCE) / 2, np.maximum(cells["count"] - 1, 1))
    cells["verdict"] = np.select(
        [cells["mean"] > half_width, cells["mean"] < -half_width], ["ahead", "behind"], "level"
    )
    rows = []
    for panel, group in cells.groupby(["heritability", "rel_aa", "n_samples"]):
        heritability, rel_aa, n_samples = panel
        row = {
            "H²": f"{heritability:g}",
            "V_A/V_G": f"{float(expected_variance_shares(rel_aa)):.2g}",
            "samples": f"{n_samples:,}",
        }
        for verdict in ("ahead", "level", "behind"):
            part = group[group.verdict == verdict]
            row[f"{verdict} at QTL"] = _span(part.n_qtl.tolist(), group.n_qtl.tolist())
            row[f"{verdict} by"] = f"{part['mean'].mean():+.3f}" if len(part) else ""
        rows.append(row)
    return pd.DataFrame(rows)


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


def _span(chosen: list[int], every: list[int]) -> str:
    """Name runs of neighbouring values, e.g. 16-90, 202."""
    runs: list[list[int]] = []
    for value in sorted(chosen):
        position = sorted(every).index(value)
        if runs and sorted(every).index(runs[-1][-1]) == position - 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ", ".join(f"{run[0]:,}" if len(run) == 1 else f"{run[0]:,}–{run[-1]:,}" for run in runs)
