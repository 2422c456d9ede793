# Shared by every experiment: validate the configuration, name the folders.
# Only light parts of gpatlas are imported, so that parsing loads neither torch nor scikit-learn.
import json
from pathlib import Path

from snakemake.exceptions import WorkflowError

from gpatlas.config import parse_any
from gpatlas.errors import GpatlasError

ROOT = config.get(
    "results_root", "results"
)  # where results lie; not part of the experiment

SHARDS = int(
    config.get("draw_shards", 0)
)  # jobs that draw the populations of a recipe beforehand; 0: training draws them
OURS = ("results_root", "draw_shards")

try:
    EXPERIMENT = parse_any({k: v for k, v in config.items() if k not in OURS})
except GpatlasError as error:
    raise WorkflowError(str(error))

RESULTS = f"{ROOT}/{EXPERIMENT.experiment}"
LOGS = RESULTS.replace("results", "logs", 1)
COMPLETE = EXPERIMENT.model_dump(mode="json")
NOTEBOOKS = Path(workflow.current_basedir).parents[1] / "notebooks"
