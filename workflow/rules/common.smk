# Shared by every experiment: validate the configuration, build the design, name the paths.
# Only gpatlas.config and gpatlas.design are imported, so that parsing loads no torch.
import json
from pathlib import Path

from snakemake.exceptions import WorkflowError

from gpatlas.config import parse_experiment
from gpatlas.design import Design, dataset_path, predictions_path
from gpatlas.errors import GpatlasError

SETTINGS = dict(config)
ROOT = SETTINGS.pop(
    "results_root", "results"
)  # where results lie; not part of the experiment

try:
    DESIGN = Design(parse_experiment(SETTINGS))
except GpatlasError as error:
    raise WorkflowError(str(error))

RESULTS = f"{ROOT}/{DESIGN.config.experiment}"
LOGS = RESULTS.replace("results", "logs", 1)
CONFIG = f"{RESULTS}/config.json"  # complete and validated; rules rerun by their `params`, not by its age
NOTEBOOKS = Path(workflow.current_basedir).parents[1] / "notebooks"
JOBS = {job.name: job for job in DESIGN.jobs}
COMPLETE = DESIGN.config.model_dump(mode="json")


def datasets_of(job):
    return [f"{RESULTS}/{dataset_path(row)}" for row in job.rows]


def as_text(value):
    """What a rule depends on in the configuration: a change of it reruns the rule."""
    return json.dumps(value, sort_keys=True)
