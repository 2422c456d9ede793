"""Draws of prior tasks per CPU second, scheme by scheme, beside those of the published GPFN."""

import time

import numpy as np
from rich.console import Console
from rich.table import Table

from gpatlas import priors

SIZES = ((256, 1_000), (1_000, 10_000))


def measure(name: str, n_samples: int, n_markers: int, n_draws: int) -> float:
    """Return mean CPU seconds of a draw in a process that is up."""
    priors.draw(name, 0, n_samples, n_markers)  # loads compiled code
    start = time.process_time()
    for seed in range(1, n_draws + 1):
        priors.draw(name, seed, n_samples, n_markers)
    return (time.process_time() - start) / n_draws


def compare(n_draws: int = 20) -> None:
    """Print a table of draws per second."""
    table = Table(title="draws of tasks per CPU second of one core", box=None)
    table.add_column("")
    for n, m in SIZES:
        table.add_column(f"{n:,} × {m:,}", justify="right")
    seconds = {name: [measure(name, n, m, n_draws) for n, m in SIZES] for name in priors.REGISTRY}
    for name, row in seconds.items():
        table.add_row(name, *(f"{1 / s:.1f}" for s in row))
    times = np.array(list(seconds.values()))
    weights = np.array([priors.DEFAULT_MIXTURE[name] for name in seconds])
    table.add_row("all schemes, as often", *(f"{1 / s:.1f}" for s in times.mean(axis=0)))
    table.add_row("the default mixture", *(f"{1 / s:.1f}" for s in np.average(times, axis=0, weights=weights)))
    table.add_row("published GPFN, as measured once", "", ".013–.019")
    Console().print(table)
