"""Scores as tables: means by scheme, trait class or trait, paired differences, and coverage."""

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

OURS = "gpfn"


def usable(scores: pd.DataFrame) -> pd.DataFrame:
    """Leave out populations whose queries all have the same genetic value: nothing can be ranked there."""
    return scores[scores.varies]


def summary(scores: pd.DataFrame, by: str, measure: str) -> pd.DataFrame:
    """Average a measure over cases, group by group and over all groups.

    Parameters
    ----------
    scores
        A row for each model and case.
    by
        Column that groups.
    measure
        Column that is averaged.

    Returns
    -------
    DataFrame
        A row for each value of `by`, in their order, and "all", the mean over cases: `cases`, each model's mean, and
        with gpfn among the models `gain_<other>` and `error_<other>`, mean and standard error of paired differences,
        and the mean coverages.
    """
    wide = scores.pivot_table(index=["group", "number"], columns="model", values=measure, sort=False)
    label = scores.drop_duplicates(["group", "number"]).set_index(["group", "number"], drop=False)[by]
    label = label.reindex(wide.index)
    models = list(dict.fromkeys(scores.model))
    columns = {model: wide[model] for model in models}
    if OURS in models:
        columns |= {f"gain_{other}": wide[OURS] - wide[other] for other in models if other != OURS}
        ours = scores[scores.model == OURS].set_index(["group", "number"])
        columns |= {c: ours[c].reindex(wide.index) for c in ("cover_g", "cover_y") if c in ours}
    table = pd.DataFrame(columns)
    groups = [(name, table[label == name]) for name in dict.fromkeys(label)] + [("all", table)]
    rows = {name: _row(of_group) for name, of_group in groups}
    return pd.DataFrame.from_dict(rows, orient="index")


def show(table: pd.DataFrame, title: str, first: str, names: dict[str, str]) -> None:
    """Print a summary; gains in thousandths beside their standard errors."""
    gains = [column.removeprefix("gain_") for column in table if column.startswith("gain_")]
    models = [name for name in names if name in table]
    shown = Table(title=title, box=None, title_justify="left", header_style="bold")
    shown.add_column(first)
    for column in ("cases", *(names[m] for m in models), *(f"gpfn - {names[g]}" for g in gains)):
        shown.add_column(column, justify="right")
    covers = [column for column in ("cover_g", "cover_y") if column in table]
    for column in covers:
        shown.add_column(f"90 % hold {column[-1]}", justify="right")
    for name, row in table.iterrows():
        if name == "all":
            shown.add_section()
        cells = [f"{row[m]:.3f}" for m in models]
        cells += [f"{row[f'gain_{g}']:+.3f} ± {row[f'error_{g}']:.3f}" for g in gains]
        shown.add_row(str(name), f"{row['cases']:.0f}", *cells, *(f"{100 * row[c]:.1f}" for c in covers))
    Console(width=max(80, 24 + 12 * (2 + len(models) + 2 * len(gains)))).print(shown, "")


def _row(of_group: pd.DataFrame) -> dict[str, float]:
    row = {"cases": float(len(of_group)), **of_group.mean()}
    return row | {
        column.replace("gain_", "error_"): float(of_group[column].sem()) if len(of_group) > 1 else np.nan
        for column in of_group
        if str(column).startswith("gain_")
    }
