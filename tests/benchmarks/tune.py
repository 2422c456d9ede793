"""A whole search of hyperparameters beside the model fits in it."""

import tempfile
from pathlib import Path

from gpatlas.config import DilutionConfig
from gpatlas.models import search_space
from gpatlas.simulate import simulate
from gpatlas.tuning import tune_dataset

N_TRIALS = 10  # as published


def compare(n_samples: int, n_markers: int) -> list[tuple]:
    """Rows of (name, seconds, how many times its fits) for both networks; nothing is pruned."""
    config = DilutionConfig(
        n_samples=(n_samples,), n_qtl=(100,), n_markers=(n_markers,), heritability=(0.9999,), replicates=1,
        models={"mlp": {}},
    )  # fmt: skip
    view = simulate(config.simulation(config.rows()[0]), 1).without_test()
    rows = []
    # a small network, so that the search's own work shows
    for model, fixed, space in (
        ("mlp", {"hidden": (64,), "max_epochs": 20, "device": "cpu"}, "published"),
        ("lasso_mlp", {"mlp": {"hidden": (64,), "max_epochs": 20, "device": "cpu"}}, "published"),
    ):
        with tempfile.TemporaryDirectory() as folder:
            found = tune_dataset(
                view, model, fixed, search_space(model, space), N_TRIALS, 1, Path(folder) / "study", pruner="none"
            )
        rows.append((f"{model}: {N_TRIALS} trials, fits alone", found.fit_seconds, None))
        rows.append((f"{model}: {N_TRIALS} trials, the whole search", found.seconds, found.seconds / found.fit_seconds))
    return rows
