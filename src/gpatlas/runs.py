"""From the AutoML experiment's configuration to its runs: a data set each, and what the command line is told of it."""

import json
from dataclasses import dataclass
from typing import Any

from gpatlas.config.automl import AutomlConfig, DatasetEntry
from gpatlas.seeding import stable_seed

FLAGS = {"stack": ("--stack", "--no-stack"), "explain": ("--explain", "--no-explain"), "one_se": ("--one-se", "")}


@dataclass(frozen=True)
class Run:
    """One search: a data set and its replicate.

    Parameters
    ----------
    dataset
        Name of the data set.
    rep
        Replicate, from 1.
    entry
        What the configuration says of the data set.
    root
        Root of the experiment's random numbers.
    """

    dataset: str
    rep: int
    entry: DatasetEntry
    root: int

    @property
    def name(self) -> str:
        """Folder of the run: `dataset/rep~k`."""
        return f"{self.dataset}/rep~{self.rep}"

    @property
    def columns(self) -> dict[str, Any]:
        """Design columns."""
        return {"dataset": self.dataset, "rep": self.rep}

    @property
    def search_seed(self) -> int:
        """Seed of the search."""
        return stable_seed(self.root, "automl", self.columns, "search", bits=31)

    @property
    def simulate_arguments(self) -> list[str]:
        """What `gpatlas simulate-cohort` or `gpatlas simulate` is told, but for where to write."""
        seed = str(stable_seed(self.root, "automl", self.columns, "simulate"))
        if self.entry.cohort is not None:
            recipe = self.entry.cohort.model_dump(mode="json", exclude_defaults=True)
            return [*(f"--set={key}={json.dumps(value)}" for key, value in recipe.items()), f"--seed={seed}"]
        assert self.entry.population is not None
        simulation = self.entry.population.model_dump(mode="json")
        job = {"simulation": simulation, "engine": {"name": "native"}, "row": self.columns, "seed": seed}
        return [f"--job={json.dumps(job, sort_keys=True)}"]

    @property
    def search_arguments(self) -> list[str]:
        """What `gpatlas automl` is told beside the data, cores and where to write."""
        search = self.entry.search
        values = {
            "trait": self.entry.trait_name,
            "kind": self.entry.kind,
            "metric": search.metric,
            "candidates": ",".join(search.candidates or ()) or None,
            "budget-fits": search.budget_fits,
            "budget-seconds": search.budget_seconds,
            "outer": search.outer,
            "inner": search.inner,
            "permutations": search.permutations,
            "seed": self.search_seed,
        }
        flags = [FLAGS[key][0 if getattr(search, key) else 1] for key in FLAGS]
        return [f"--{key}={value}" for key, value in values.items() if value is not None] + [f for f in flags if f]


def runs_of(config: AutomlConfig) -> tuple[Run, ...]:
    """Return the runs of an experiment, in the order of its file."""
    return tuple(
        Run(name, rep, entry, config.seed)
        for name, entry in config.datasets.items()
        for rep in range(1, entry.replicates + 1)
    )


def dataset_path(run: Run) -> str:
    """Where a run's data lie, below the experiment's results folder."""
    return f"{run.name}/dataset.h5"


def outcome_path(run: Run) -> str:
    """Folder of what a run found, below the experiment's results folder."""
    return f"{run.name}/automl"


def model_path(run: Run) -> str:
    """Where the model lies that a run chose, below the experiment's results folder."""
    return f"{outcome_path(run)}/model.gpatlas"
