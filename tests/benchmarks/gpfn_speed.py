"""Conditioning and predicting by gpfn, beside GBLUP by REML, evidence-averaged kernels and BayesCπ."""

import time
import warnings
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.exceptions import ConvergenceWarning

from gpatlas import priors
from gpatlas.models import make

SIZES = ((600, 1_300), (2_000, 10_000))
PEERS: dict[str, dict[str, Any]] = {"gpfn": {"checkpoint": None}, "rrblup": {}, "rkhs": {}, "bayes_cpi": {}}


def seconds(name: str, task: priors.Task) -> float:
    """Return CPU seconds of one fit and its predictions, in a process that is up."""
    x, told = task.genotypes, task.context
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of chains on few rows
        for rows in (np.flatnonzero(told)[:50], np.flatnonzero(told)):  # the first loads and compiles
            start = time.process_time()
            make(name, **PEERS[name]).fit(x[rows], task.phenotype[rows]).predict(x[~told])
    return time.process_time() - start


def compare() -> None:
    """Print CPU seconds; an untrained network computes what a trained one does."""
    table = Table(title="a population conditioned on and predicted: CPU seconds of one thread", box=None)
    table.add_column("")
    for n, m in SIZES:
        table.add_column(f"{n:,} × {m:,}", justify="right")
        table.add_column("times gpfn", justify="right")
    tasks = [priors.draw("unstructured", 1, n, m) for n, m in SIZES]
    ours = [seconds("gpfn", task) for task in tasks]
    for name in PEERS:
        measured = ours if name == "gpfn" else [seconds(name, task) for task in tasks]
        cells = [text for s, o in zip(measured, ours, strict=True) for text in (f"{s:.2f}", f"{s / o:.2f}")]
        table.add_row(name, *cells)
    Console().print(table)
