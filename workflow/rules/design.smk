# Of experiments that hold models against a design of populations: the design, its jobs, and what they ask for.
import re
import sys
from itertools import chain

from gpatlas.cost.resources import Requests
from gpatlas.design import (
    Design,
    checkpoint_path,
    dataset_path,
    predictions_path,
)
from gpatlas.config.real_data import DataSpec
from gpatlas.models import USES_GPU

DESIGN = Design(EXPERIMENT)
MODELS = {name: entry["model"] or name for name, entry in COMPLETE["models"].items()}
JOBS = {
    job.name: [f"{RESULTS}/{dataset_path(row)}" for row in job.rows]
    for job in DESIGN.jobs
}
# memory, time and GPU that jobs ask for; with `--resources gpu=N` networks ask for a GPU each, N at once
GPUS = "gpu" in workflow.global_resources
REQUESTS = Requests(DESIGN, gpus=GPUS)
JOBS_BY_NAME = {job.name: job for job in DESIGN.jobs}
PREDICTIONS = [
    f"{RESULTS}/{predictions_path(job, model)}"
    for job in DESIGN.jobs
    for model in DESIGN.models(job)
]

# cells of real data, which are split where others are simulated
SPLIT = dict.fromkeys(
    row.cell for row in DESIGN.rows if isinstance(DESIGN.simulation(row), DataSpec)
)

# notebooks whose models are all there; the others are named, not silently left out
FIGURES = [
    name for name, models in FIGURES_NEED.items() if models <= set(COMPLETE["models"])
]
for name, models in FIGURES_NEED.items():
    if name not in FIGURES:
        absent = ", ".join(sorted(models - set(COMPLETE["models"])))
        print(f"{name} is not drawn: no model {absent}", file=sys.stderr)


def checkpoint_of(model):
    """Return the checkpoint of the recipe that a model has in `init_from`, in a list; an empty one for most."""
    recipe = COMPLETE["models"][model]["init_from"]
    return [] if recipe is None else [f"{RESULTS}/{checkpoint_path(recipe)}"]


def any_of(names):
    """Return an expression for any of some names, which matches nothing where there is none."""
    return "|".join(map(re.escape, names)) or "(?!)"


def row_of(wildcards):
    """Return the row of the design that a dataset belongs to."""
    return DESIGN.row(f"{wildcards.cell}/rep~{wildcards.rep}")
