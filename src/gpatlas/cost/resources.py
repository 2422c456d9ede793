"""What a job asks of a scheduler: memory, time and share of a GPU, from the same prices as the estimate.

Nobody knows on which node a job will run, so prices are those of a slow one, with room to spare; a job that was
stopped for asking too little is asked more for when it is tried again.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

from gpatlas.cost.machine import SLOW_NODE, T4
from gpatlas.cost.pretraining import price_pretraining
from gpatlas.cost.prices import JobCost, price_fit, price_search, price_simulation
from gpatlas.design import Design, checkpoint_path

LEAST_MINUTES, SPARE_TIME = 10, 2.0
LEAST_MB, SPARE_MEMORY = 600, 1.25  # Snakemake's own two processes around a job
LEAST_SHARE = 8  # percent of a GPU: more than a dozen fits at once would only wait for each other


@dataclass(frozen=True)
class Request:
    """What one job asks for.

    Parameters
    ----------
    mem_mb
        Memory, MB.
    runtime
        Time, minutes.
    gpu_share
        Percent of a GPU with 16 GB of the speed of a T4; 0 for a job without.
    """

    mem_mb: int
    runtime: int
    gpu_share: int = 0

    def again(self, attempt: int) -> "Request":
        """Return what is asked for at the first, second, … attempt."""
        return Request(self.mem_mb * attempt, self.runtime * attempt, self.gpu_share)


class Requests:
    """Requests of an experiment's jobs, by the names that the workflow knows them by.

    Parameters
    ----------
    design
        The experiment.
    gpus
        Whether networks will be given a GPU, which makes them quicker.
    """

    def __init__(self, design: Design, gpus: bool = False) -> None:
        self.design, self._node = design, T4 if gpus else SLOW_NODE
        self._jobs = {job.name: job for job in design.jobs}
        self._rows = {row.name: row for row in design.rows}
        self.fit = lru_cache(None)(self._fit)
        self.tune = lru_cache(None)(self._tune)

    def simulate(self, row: str, attempt: int = 1) -> Request:
        """Request for the dataset of a row."""
        return request(price_simulation(self.design, self._rows[row], SLOW_NODE)).again(attempt)

    def pretrain(self, recipe: str, panel: str | None = None, attempt: int = 1) -> Request:
        """Request for the network of a recipe, on a panel where each has its own."""
        return request(price_pretraining(self.design, checkpoint_path(recipe, panel), self._node)).again(attempt)

    def _fit(self, job: str, model: str, attempt: int = 1) -> Request:
        """Request for a model's fits of a job."""
        cost, on_gpu = (price_fit(self.design, self._jobs[job], model, node) for node in (self._node, T4))
        return request(cost, on_gpu).again(attempt)

    def _tune(self, row: str, model: str, attempt: int = 1) -> Request:
        """Request for the search of a model's hyperparameters on a row."""
        cost, on_gpu = (price_search(self.design, self._rows[row], model, node) for node in (self._node, T4))
        return request(cost, on_gpu).again(attempt)


def request(cost: JobCost, on_gpu: JobCost | None = None) -> Request:
    """Turn the cost of a job on a slow node into what it asks for, with room to spare."""
    minutes = math.ceil(SPARE_TIME * cost.seconds / 60)
    share = math.ceil(100 * on_gpu.gpu_share) if on_gpu is not None and on_gpu.gpu_memory else 0
    return Request(
        LEAST_MB + math.ceil(SPARE_MEMORY * cost.memory / 1e6),
        max(LEAST_MINUTES, minutes),
        min(100, max(LEAST_SHARE, share)) if share else 0,
    )
