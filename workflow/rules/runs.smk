# Of the AutoML experiment: its runs, each of them a search for the best predictor of a data set.
import re
import sys

from gpatlas.automl.stages import check_searches, request_search
from gpatlas.runs import model_path, runs_of

try:
    check_searches(EXPERIMENT)
except GpatlasError as error:
    raise WorkflowError(str(error))

RUNS = {run.name: run for run in runs_of(EXPERIMENT)}
# searches go on side by side; cores beyond their number are shared out among them
CORES_PER_RUN = max(1, (workflow.cores or 1) // len(RUNS))


def names_of(*sources: str) -> str:
    """Expression for the names of data sets from some sources, which matches nothing where there is none."""
    names = [
        re.escape(run.dataset) for run in RUNS.values() if run.entry.source in sources
    ]
    return "|".join(names) or "(?!)"


def run_of(wildcards):
    """Return the run whose folder a job writes."""
    return RUNS[f"{wildcards.dataset}/rep~{wildcards.rep}"]


# the notebook that tells a clinic's story needs one; it is named, not silently left out
FIGURES = ["fig5_automl"]
if names_of("cohort") != "(?!)":
    FIGURES.append("automl_cohort")
else:
    print("automl_cohort is not drawn: no data set is a cohort", file=sys.stderr)
