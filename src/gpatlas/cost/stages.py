"""Stages: what is left to do of an experiment, job by job."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gpatlas.config.perceiver import PerceiverConfig
from gpatlas.cost.machine import Machine
from gpatlas.cost.pretraining import price_imputing, price_panel, price_pretraining
from gpatlas.cost.prices import (
    JobCost,
    on_gpu,
    price_fit,
    price_search,
    price_simulation,
    size,
    takes_torch,
)
from gpatlas.design import Design, dataset_path, imputed_path, panel_path, predictions_path, tuned_path
from gpatlas.models import make

DRAWING = (3.0, 6.5, 6.5, 1.3)  # CPU seconds of score, two notebooks and the report, at pace 1


@dataclass(frozen=True)
class Stage:
    """Cost of one kind of job of an experiment."""

    experiment: str
    name: str
    costs: tuple[JobCost, ...]
    on_gpu: bool = False

    @property
    def jobs(self) -> int:
        """How many there are."""
        return len(self.costs)

    @property
    def seconds(self) -> float:
        """Seconds of one core (or of the GPU) of all jobs together."""
        return sum(cost.seconds for cost in self.costs)

    @property
    def memory(self) -> float:
        """Bytes that the largest job holds."""
        return max((cost.memory for cost in self.costs), default=0.0)

    @property
    def disk(self) -> float:
        """Bytes that all jobs write."""
        return sum(cost.disk for cost in self.costs)


def estimate(design: Design, machine: Machine, results: Path | None = None) -> list[Stage]:
    """Estimate what is left to do of an experiment.

    Parameters
    ----------
    design
        The experiment.
    machine
        From `calibrate`.
    results
        Folder that holds results of experiments; jobs whose products it holds are left out.
    """
    name = design.config.experiment

    def missing(path: str) -> bool:
        return results is None or not (results / name / path).exists()

    todo = [row for row in design.rows if missing(dataset_path(row))]
    stages = [Stage(name, "simulate", tuple(price_simulation(design, row, machine) for row in todo))]
    alone = design.config.panel_names if design.config.recipes or design.imputed_panels else ()
    panels = [panel for panel in alone if missing(panel_path(panel))]
    if panels:
        assert isinstance(design.config, PerceiverConfig)
        costs = tuple(price_panel(design.config.panel(panel), machine) for panel in panels)
        stages.append(Stage(name, "panels", costs))
    filled = [panel for panel in design.imputed_panels if missing(imputed_path(panel))]
    if filled:
        assert isinstance(design.config, PerceiverConfig)
        stages.append(Stage(name, "impute", tuple(price_imputing(design.config.panel(p), machine) for p in filled)))
    trained = [price_pretraining(design, path, machine) for path in design.pretrained if missing(path)]
    if design.pretrained:
        stages.append(Stage(name, "pretrain", tuple(trained)))
    for label, entry in design.config.models.items():
        gpu = on_gpu(make(entry.model or label, preset=entry.preset, **entry.hyperparameters), machine)
        if entry.tune is not None:
            stages.append(Stage(name, f"tune {label}", _searches(design, label, machine, missing), gpu))
        jobs = [j for j in design.jobs if label in design.models(j) and missing(predictions_path(j, label))]
        stages.append(Stage(name, f"fit {label}", tuple(price_fit(design, j, label, machine) for j in jobs), gpu))
    if any(stage.jobs for stage in stages):
        drawing = tuple(JobCost(seconds * machine.pace, 4e8, 1.5e6) for seconds in DRAWING)
        stages.append(Stage(name, "figures, report", drawing))
    return stages


def needs_torch(designs: list[Design]) -> bool:
    """Whether any model of the experiments is a network, or has one in it."""
    entries = [(label, entry) for design in designs for label, entry in design.config.models.items()]
    return any(
        takes_torch(make(entry.model or label, preset=entry.preset, **entry.hyperparameters))
        for label, entry in entries
    )


def _searches(design: Design, label: str, machine: Machine, missing: Callable[[str], bool]) -> tuple[JobCost, ...]:
    rows = [row for job in design.jobs if label in design.models(job) for row in design.tuned_rows(job, label)]
    price: dict[tuple[int, int, int], JobCost] = {}  # averaging over a space takes a while, and rows are alike
    for row in rows:
        if size(design, row) not in price:
            price[size(design, row)] = price_search(design, row, label, machine)
    return tuple(price[size(design, row)] for row in rows if missing(tuned_path(row, label)))
