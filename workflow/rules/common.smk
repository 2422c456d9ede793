# Shared by every experiment: validate the configuration, build the design, name the folders.
# Only light parts of gpatlas are imported, so that parsing loads neither torch nor scikit-learn.
import json
import sys
from itertools import chain
from pathlib import Path

from snakemake.exceptions import WorkflowError

from gpatlas.config import parse_experiment
from gpatlas.cost.resources import Requests
from gpatlas.design import Design, dataset_path, predictions_path
from gpatlas.errors import GpatlasError
from gpatlas.models import USES_GPU

ROOT = config.get(
    "results_root", "results"
)  # where results lie; not part of the experiment

try:
    DESIGN = Design(
        parse_experiment({k: v for k, v in config.items() if k != "results_root"})
    )
except GpatlasError as error:
    raise WorkflowError(str(error))

RESULTS = f"{ROOT}/{DESIGN.config.experiment}"
LOGS = RESULTS.replace("results", "logs", 1)
COMPLETE = DESIGN.config.model_dump(mode="json")
MODELS = {name: entry["model"] or name for name, entry in COMPLETE["models"].items()}
NOTEBOOKS = Path(workflow.current_basedir).parents[1] / "notebooks"
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

# notebooks whose models are all there; the others are named, not silently left out
FIGURES = [
    name for name, models in FIGURES_NEED.items() if models <= set(COMPLETE["models"])
]
for name, models in FIGURES_NEED.items():
    if name not in FIGURES:
        absent = ", ".join(sorted(models - set(COMPLETE["models"])))
        print(f"{name} is not drawn: no model {absent}", file=sys.stderr)
