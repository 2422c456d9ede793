"""What the AutoML experiment will cost, run by run, and what it then did."""

from collections.abc import Callable
from pathlib import Path

from gpatlas.automl.price import seconds_of_run
from gpatlas.automl.settings import Settings
from gpatlas.config.automl import AutomlConfig
from gpatlas.cost.happened import Happened, sum_up
from gpatlas.cost.machine import SLOW_NODE, Machine
from gpatlas.cost.prices import START_SIMULATE, JobCost
from gpatlas.cost.resources import Request, request
from gpatlas.cost.stages import Stage
from gpatlas.evaluate.scores import score_for
from gpatlas.runs import Run, dataset_path, model_path, runs_of

START_SEARCH, START_IMPORT = 3.0, 1.0  # CPU seconds of a process beside its work, at pace 1
EXPLAINING = 3.0  # of importance, SHAP values, effects and figures of a small run, at pace 1
SIMULATED_PER_SECOND, IMPORTED_PER_SECOND = 1e7, 2e7  # genotypes, and bytes of files, at pace 1
HELD, HELD_BY_GENOTYPE = 5.2e8, 30.0  # bytes of a process with all learners, and of copies of the genotypes
WRITTEN, WRITTEN_BY_PREDICTION = 2e6, 120.0  # bytes of report and model, and of a sample in a repeat by a model
DRAWING = (2.0, 6.5, 7.0, 2.0)  # CPU seconds of score, two notebooks and the report, at pace 1
UNKNOWN = Request(8000, 24 * 60)  # of files that nobody has read


def check_searches(config: AutomlConfig) -> None:
    """Check names of candidates and scores, which are the portfolio's own.

    Raises
    ------
    ConfigError
        Unknown, or not of the kind of trait.
    """
    for run in runs_of(config):
        settings, kind = Settings.of(run.entry.search, 0), run.entry.expected_kind
        if kind is not None:
            score_for(kind, settings.metric)
            settings.competing(kind)


def estimate_runs(config: AutomlConfig, machine: Machine, results: Path | None = None) -> list[Stage]:
    """Estimate what is left to do of the experiment; runs on files of unknown size are left out.

    Parameters
    ----------
    config
        The experiment.
    machine
        From `gpatlas.cost.calibrate`.
    results
        Folder that holds results of experiments; jobs whose products it holds are left out.
    """
    name, runs = config.experiment, runs_of(config)

    def missing(path: str) -> bool:
        return results is None or not (results / name / path).exists()

    found = []
    for stage, (product, price) in _STAGES.items():
        costs = [price(run, machine) for run in runs if _belongs(run, stage) and missing(product(run))]
        found.append(Stage(name, stage, tuple(cost for cost in costs if cost is not None)))
    if any(stage.jobs for stage in found):
        drawing = tuple(JobCost(seconds * machine.pace, 4e8, 1.5e6) for seconds in DRAWING)
        found.append(Stage(name, "figures, report", drawing))
    return [stage for stage in found if stage.jobs]


def unpriced(config: AutomlConfig) -> list[str]:
    """Names of data sets whose size nobody knows before they are read."""
    return [name for name, entry in config.datasets.items() if entry.expected_size is None]


def what_happened_in_runs(config: AutomlConfig, results: Path) -> tuple[dict[str, Happened], float]:
    """Gather what the jobs of the experiment did cost, as `gpatlas.cost.what_happened`."""
    folder = results / config.experiment
    products = {
        stage: [folder / product(run) for run in runs_of(config) if _belongs(run, stage)]
        for stage, (product, _) in _STAGES.items()
    }
    return sum_up(products, folder)


def request_search(run: Run, attempt: int = 1) -> Request:
    """Say what a search asks of a scheduler."""
    cost = _price_search(run, SLOW_NODE)
    return (UNKNOWN if cost is None else request(cost)).again(attempt)


def _belongs(run: Run, stage: str) -> bool:
    return stage == "automl" or (stage == "import") == (run.entry.files is not None)


def _price_simulation(run: Run, machine: Machine) -> JobCost | None:
    assert run.entry.expected_size is not None
    n, p = run.entry.expected_size
    seconds = (2 * START_SIMULATE + n * p / SIMULATED_PER_SECOND) * machine.pace
    return JobCost(seconds, 1e8 + HELD_BY_GENOTYPE * n * p, n * (p + 60.0) + 6e4, n)


def _price_import(run: Run, machine: Machine) -> JobCost | None:
    assert run.entry.files is not None
    paths = [Path(path) for path in (run.entry.files.genotypes, *run.entry.files.tables)]
    n_bytes = sum(path.stat().st_size for path in paths if path.exists())
    return JobCost((START_IMPORT + n_bytes / IMPORTED_PER_SECOND) * machine.pace, 6e8, n_bytes)


def _price_search(run: Run, machine: Machine) -> JobCost | None:
    size, kind = run.entry.expected_size, run.entry.expected_kind
    if size is None or kind is None:
        return None
    n, p = size
    settings = Settings.of(run.entry.search, 0)
    n_outer = settings.outer_folds * settings.outer_repeats
    searching = seconds_of_run(n, p, kind, n_outer, settings)
    if settings.budget_seconds is None:
        searching *= machine.pace
    seconds = (START_SEARCH + EXPLAINING * run.entry.search.explain) * machine.pace + searching
    predictions = n * settings.outer_repeats * (len(settings.competing(kind)) + 2)
    return JobCost(seconds, HELD + HELD_BY_GENOTYPE * n * p, WRITTEN + WRITTEN_BY_PREDICTION * predictions, n)


Price = Callable[[Run, Machine], JobCost | None]
_STAGES: dict[str, tuple[Callable[[Run], str], Price]] = {
    "simulate": (dataset_path, _price_simulation),
    "import": (dataset_path, _price_import),
    "automl": (model_path, _price_search),
}
