"""rrBLUP on genotypes that neighbours filled in, beside the models of a perceiver run, on the same lines and folds."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from gpatlas.dataset import Dataset, Fold
from gpatlas.evaluate.imputation import choose_neighbours, knn_window_impute, most_frequent_call
from gpatlas.evaluate.metrics import correlation
from gpatlas.io import read_dataset
from gpatlas.models import make
from gpatlas.nn.perceiver import Layout


def filled(dataset: Dataset) -> NDArray[np.float64]:
    """Return dosage `(n_samples, n_loci)`, in map order, of which all lines' genotypes told the missing calls."""
    layout, order = Layout.of(dataset)
    codes = dataset.allele_codes()[:, order]
    of_panel = layout.number, layout.ploidy, layout.n_alleles
    k, window = choose_neighbours(codes, *of_panel)
    row, locus = np.nonzero(codes == 0)
    said = knn_window_impute(codes, codes, row, locus, *of_panel, k=k, window=window)
    codes[row, locus] = np.where(said > 0, said, most_frequent_call(codes)[locus])
    return codes - 1.0


def compare(results: Path) -> None:
    """Print mean predictive ability by panel and number of phenotyped lines."""
    if not (results / "metrics.csv").exists():
        raise SystemExit(f"--results: {results} is no finished run of the perceiver experiment (no metrics.csv)")
    metrics = pd.read_csv(results / "metrics.csv")
    panels: dict[str, NDArray] = {}
    rows = []
    for path in sorted(results.glob("data~*+n_phenotyped~*/rep~*/dataset.h5")):
        dataset = read_dataset(path)
        cell, rep = path.parts[-3:-1]
        data, _, n = cell.removeprefix("data~").rpartition("+n_phenotyped~")
        if data not in panels:  # a panel's lines are the same in all of its datasets
            panels[data] = filled(dataset)
        x, y = panels[data], dataset.phenotypes
        train, test = dataset.rows(Fold.train, Fold.validation), dataset.rows(Fold.test)
        predicted = make("rrblup").fit(x[train], y[train]).predict(x[test])
        of_row = {"data": data, "n_phenotyped": int(n), "rep": rep, "model": "rrblup_imputed"}
        abilities = [correlation(*pair) for pair in zip(predicted.T, y[test].T, strict=True)]
        rows += [of_row | {"predictive_ability": ability} for ability in abilities]
    every = pd.concat([metrics, pd.DataFrame(rows)])
    means = every.groupby(["data", "model", "n_phenotyped"])["predictive_ability"].mean().unstack()
    shown = Table(title=f"{results}: mean predictive ability by number of phenotyped lines", box=None)
    for column in ("panel", "model", *map(str, means.columns)):
        shown.add_column(column, justify="left" if column in ("panel", "model") else "right")
    for (data, model), values in means.iterrows():
        shown.add_row(data, model, *(f"{value:.3f}" for value in values))
    Console().print(shown)
