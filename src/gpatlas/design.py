"""From configuration to design table: rows, cells (rows that differ in replicate only) and fitting jobs.

Names of cells, rows and jobs are labels made from design columns for folders; they are never parsed back.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

from gpatlas import __version__
from gpatlas.config.experiment import ExperimentConfig
from gpatlas.config.priors import PriorSpec
from gpatlas.config.real_data import DataSpec
from gpatlas.config.simulation import SimulationSpec
from gpatlas.config.trials import TrialSpec
from gpatlas.errors import ConfigError
from gpatlas.seeding import stable_seed

# Small fits share a process, because starting Python and torch costs more than they do: replicates of a cell fill a
# job up to so many genotypes, and cells smaller than the second number share jobs with others of their sample size.
GENOTYPES_PER_JOB = 1 << 24
SMALL_CELL = 1 << 23

SEPARATOR = "+"  # of columns in names; Snakemake cannot send a job whose wildcards hold a comma to a cluster


@dataclass(frozen=True)
class DesignRow:
    """One population of an experiment."""

    columns: dict[str, Any]
    cell: str

    @property
    def name(self) -> str:
        """Folder of the row: `cell/rep~k`."""
        return f"{self.cell}/rep~{self.columns['rep']}"


@dataclass(frozen=True)
class FitJob:
    """Rows that are fitted by one process; `name` is the folder of its results."""

    name: str
    rows: tuple[DesignRow, ...]

    @property
    def columns(self) -> dict[str, Any]:
        """Design columns that all rows of the job share."""
        first = self.rows[0].columns
        return {k: v for k, v in first.items() if all(row.columns[k] == v for row in self.rows)}


@dataclass(frozen=True)
class Design:
    """The design table of an experiment.

    Parameters
    ----------
    config
        The validated experiment.
    """

    config: ExperimentConfig
    rows: tuple[DesignRow, ...] = field(init=False)

    def __post_init__(self) -> None:
        cell_columns = self.config.cell_columns
        rows = tuple(
            DesignRow(columns, SEPARATOR.join(f"{name}~{_label(columns[name])}" for name in cell_columns))
            for columns in self.config.rows()
        )
        object.__setattr__(self, "rows", rows)

    @cached_property
    def jobs(self) -> tuple[FitJob, ...]:
        """Fitting jobs. Which rows share one does not depend on other sample sizes or on large cells."""
        cells = {cell: list(rows) for cell, rows in groupby(self.rows, key=lambda row: row.cell)}
        small: dict[
            str, dict[tuple[str, ...], list[DesignRow]]
        ] = {}  # by what jobs share, and models that take the row
        jobs = []
        for cell, rows in cells.items():
            if len(rows) * self.genotypes(rows[0]) <= SMALL_CELL:
                shared = SEPARATOR.join(f"{name}~{_label(rows[0].columns[name])}" for name in self.config.job_columns)
                alike = small.setdefault(shared, {})
                alike.setdefault(tuple(self._taking(rows[0])), []).extend(rows)
                continue
            for batch in self._batches(rows):
                first, last = (row.columns["rep"] for row in (batch[0], batch[-1]))
                jobs.append(FitJob(f"{cell}/reps~{first}-{last}", tuple(batch)))
        together = [
            FitJob(f"{shared}{SEPARATOR}small/part~{part}", tuple(batch))
            for shared, alike in small.items()
            for part, batch in enumerate((batch for rows in alike.values() for batch in self._batches(rows)), start=1)
        ]
        return (*together, *jobs)

    def _batches(self, rows: list[DesignRow]) -> Iterator[list[DesignRow]]:
        """Cut rows into runs of at most `GENOTYPES_PER_JOB` genotypes, or of one row."""
        batch: list[DesignRow] = []
        total = 0
        for row in rows:
            size = self.genotypes(row)
            if batch and total + size > GENOTYPES_PER_JOB:
                yield batch
                batch, total = [], 0
            batch.append(row)
            total += size
        yield batch

    def genotypes(self, row: DesignRow) -> int:
        """Number of genotypes (samples × loci) of a row."""
        population = self.simulation(row)
        return population.n_samples * population.n_loci

    def row(self, name: str) -> DesignRow:
        """Find a row by name.

        Raises
        ------
        ConfigError
            The design has no such row.
        """
        for row in self.rows:
            if row.name == name:
                return row
        raise ConfigError(
            f"the design of {self.config.experiment} has no row '{name}'; "
            f"its {len(self.rows)} rows go from '{self.rows[0].name}' to '{self.rows[-1].name}'"
        )

    def models(self, job: FitJob) -> list[str]:
        """Names of the models that are fitted in a job, in the order of the file; the same for all its rows."""
        return self._taking(job.rows[0])

    def _taking(self, row: DesignRow) -> list[str]:
        """Names of the models that a row's population is not too large for."""
        population = self.simulation(row)
        return [
            name
            for name, entry in self.config.models.items()
            if (entry.max_n_samples is None or population.n_samples <= entry.max_n_samples)
            and (entry.max_n_loci is None or population.n_loci <= entry.max_n_loci)
        ]

    def simulation(self, row: DesignRow) -> SimulationSpec | PriorSpec | DataSpec | TrialSpec:
        """What to simulate, or to split, for a row."""
        return self.config.simulation(row.columns)

    def simulation_job(self, row: DesignRow) -> dict[str, Any]:
        """Everything that a row's dataset depends on, JSON-like: what `gpatlas simulate --job` takes."""
        return {
            self.simulation(row).kind: self.simulation(row).model_dump(mode="json"),
            "engine": self.config.engine.model_dump(mode="json"),
            "row": row.columns,
            "seed": str(self.seed(row, "simulate")),  # too long for JSON readers that hold numbers as doubles
        }

    def hparams_paths(self, job: FitJob, model: str) -> list[str]:
        """Where the hyperparameters of a model lie, below the experiment's results folder.

        Returns
        -------
        list of str
            One file for all rows of the job, or, for a tuned model, one for each row.
        """
        if self.config.models[model].tune is None:
            panel = self.panel(job) if self.config.models[model].init_from else None
            return [f"hparams/{model}.json" if panel is None else f"hparams/{model}/{panel}.json"]
        return [tuned_path(self.tuned_row(row, model), model) for row in job.rows]

    def panel(self, job: FitJob) -> str | None:
        """Name of the panel of a job's rows, where networks are pretrained on panels."""
        column = self.config.panel_column
        return None if column is None else job.columns[column]

    def checkpoints(self, job: FitJob, model: str) -> list[str]:
        """Where the checkpoint lies that a model starts from in a job, in a list; an empty one for most models."""
        recipe = self.config.models[model].init_from
        return [] if recipe is None else [checkpoint_path(recipe, self.panel(job))]

    def imputed(self, job: FitJob, model: str) -> list[str]:
        """Where the imputed panel lies that a model reads in a job, in a list; an empty one for most models."""
        panel = self.panel(job)
        return [imputed_path(panel)] if panel and self.config.models[model].genotypes == "imputed" else []

    @property
    def imputed_panels(self) -> tuple[str, ...]:
        """Panels whose missing calls are to be filled in: all, where a model asks for it."""
        asked = any(entry.genotypes == "imputed" for entry in self.config.models.values())
        return self.config.panel_names if asked else ()

    @property
    def pretrained(self) -> dict[str, tuple[str, str | None]]:
        """Checkpoints of all recipes: where they lie → recipe, and the panel where there is one for each."""
        panels = self.config.panel_names or (None,)
        return {checkpoint_path(recipe, panel): (recipe, panel) for recipe in self.config.recipes for panel in panels}

    def tuned_row(self, row: DesignRow, model: str) -> DesignRow:
        """Return the row whose samples a model is tuned on for a row: itself, or the first replicate of its cell."""
        tune = self.config.models[model].tune
        assert tune is not None
        return row if tune.per == "row" else next(other for other in self.rows if other.cell == row.cell)

    def tuned_rows(self, job: FitJob, model: str) -> list[DesignRow]:
        """Rows of a job that a model is tuned on; none if it is not tuned."""
        if self.config.models[model].tune is None:
            return []
        return [row for row in job.rows if self.tuned_row(row, model) == row]

    def study_path(self, row: DesignRow, model: str) -> str:
        """Where the journal of a row's trials lies: another one for other settings, the same for more trials."""
        entry = self.config.models[model].model_dump(mode="json")
        settings = {**entry, "tune": {key: entry["tune"][key] for key in ("space", "pruner")}}
        mark = stable_seed(
            self.config.seed, __version__, json.dumps([settings, self.simulation_job(row)], sort_keys=True), bits=32
        )
        return f"{row.name}/{model}/study-{mark:08x}.journal"

    def seed(self, row: DesignRow, stage: str) -> int:
        """128-bit seed of a row's stage: equal for rows that differ in noise columns only."""
        columns = {k: v for k, v in row.columns.items() if k not in self.config.noise_columns}
        return stable_seed(self.config.seed, self.config.experiment, columns, stage)


def _label(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def dataset_path(row: DesignRow) -> str:
    """Where a row's dataset lies, below the experiment's results folder."""
    return f"{row.name}/dataset.h5"


def predictions_path(job: FitJob, model: str) -> str:
    """Where a job's predictions lie, below the experiment's results folder."""
    return f"{job.name}/{model}/predictions.h5"


def tuned_path(row: DesignRow, model: str) -> str:
    """Where a row's tuned hyperparameters lie, below the experiment's results folder."""
    return f"{row.name}/{model}/hparams.json"


def checkpoint_path(recipe: str, panel: str | None = None) -> str:
    """Where the checkpoint of a recipe, for a panel if it has one for each, lies below the experiment's results."""
    return f"pretrain/{recipe if panel is None else f'{recipe}/{panel}'}/checkpoint.safetensors"


def imputed_path(panel: str) -> str:
    """Where the genotypes of a panel lie whose missing calls were filled in."""
    return f"panels/imputed/{panel}.h5"


def panel_path(panel: str) -> str:
    """Where the genotypes of a panel lie, without any phenotypes, below the experiment's results folder."""
    return f"panels/{panel}.h5"
