"""The section of the AutoML experiment: what each search found, beside the ceiling."""

import os
from pathlib import Path

import numpy as np
import pandas as pd

from gpatlas.evaluate.metrics import METRICS
from gpatlas.evaluate.scores import SCORES
from gpatlas.io.tables import read_table
from gpatlas.plotting.style import model_name, number
from gpatlas.report.rendering import Link, Shown, grid
from gpatlas.report.summary import cell_means

AUTOML = "automl"


def searches(folder: Path, metrics: pd.DataFrame, out: Path) -> dict:
    """Return what is said of the AutoML experiment.

    Parameters
    ----------
    folder
        Its results folder.
    metrics
        Its table of metrics.
    out
        The page, from which links lead to the pages of the runs.
    """
    names = {"dataset", "trait_id", "chosen", "locus_id"}
    scores, causal = (read_table(folder / f"{name}.csv", names) for name in ("scores", "causal"))
    selected = scores[scores.selected_by.astype(bool)]
    values = [name for name in [*METRICS, *SCORES] if name in metrics and metrics[name].notna().any()]
    means = cell_means(metrics, values).rename(columns={"replicates": "folds"})
    n_sets = selected.dataset.nunique()
    without = scores[scores.kind == "multiclass"].dataset  # classes have no correlation
    constant = metrics[metrics.predictive_ability.isna() & ~metrics.dataset.isin(without)].groupby("model").size()
    return {
        "title": "AutoML: the best predictor, and the best possible",
        "intro": f"{len(selected)} searches on {n_sets} data set{'s' * (n_sets != 1)}. In each, candidates, their "
        "hyperparameters and averages of them competed, and the whole search was judged on samples that it never saw.",
        "heading": "What each search found",
        "reading": "Score of the whole search on samples left out, with its 95 % interval, and the ceiling: what one "
        "who knows the truth would score. p of chance: share of runs with permuted phenotypes that score as well. "
        "Causal loci found: those among as many of the loci that the chosen model needs most. Each name leads to the "
        "page of the run, in the results folder.",
        "verdicts": grid(_verdicts(selected, causal, folder, out)),
        "constant": [(model_name(str(model)), int(count)) for model, count in constant.items()],
        "averaged": "folds and replicates",
        "means": grid(means.rename(columns=lambda name: name.replace("_", " "))),
        "filter": "clinic lasso",
    }


def _verdicts(selected: pd.DataFrame, causal: pd.DataFrame, folder: Path, out: Path) -> pd.DataFrame:
    top = causal.assign(found=causal["rank"] <= causal.n_causal).groupby(["dataset", "rep"]).found.agg(["sum", "size"])
    rows = []
    for row in selected.itertuples():
        page = os.path.relpath(folder / row.dataset / f"rep~{row.rep}" / "automl/report.html", out.parent)
        found = top.loc[(row.dataset, row.rep)] if (row.dataset, row.rep) in top.index else None
        rows.append(
            {
                "data set": Link(row.dataset, Path(page).as_posix()),
                "replicate": row.rep,
                "samples × loci": Shown(f"{row.n_samples:,} × {row.n_loci:,}"),
                "chosen": model_name(row.chosen),
                "score": SCORES[row.metric].text,
                "left out": Shown(_text(row.score)),
                "95 % interval": Shown(f"{_text(row.lower)} to {_text(row.upper)}" if np.isfinite(row.lower) else ""),
                "ceiling": Shown(_text(row.ceiling)),
                "p of chance": Shown("" if np.isnan(row.p_null) else f"{row.p_null:.2g}"),
                "causal loci found": Shown("" if found is None else f"{found['sum']} of {found['size']}"),
            }
        )
    return pd.DataFrame(rows)


def _text(value: float) -> str:
    return number(value) if np.isfinite(value) else ""
