"""Prices: seconds, memory and disk of one simulation, one fitting job and one search."""

from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from gpatlas.config.experiment import VALIDATION_SHARE
from gpatlas.config.priors import PriorSpec
from gpatlas.config.real_data import DataSpec
from gpatlas.config.trials import TrialSpec
from gpatlas.cost.machine import Machine
from gpatlas.design import Design, DesignRow, FitJob
from gpatlas.models import make, search_space
from gpatlas.models.space import Choice, Float, Range, value_at, with_values
from gpatlas.models.work import TORCH_PROCESS, Work
from gpatlas.packed import n_bytes

START_SIMULATE, START_CLASSICAL = 0.23, 1.1  # CPU seconds of a process beside its work, at pace 1
SECONDS_PER_FIT = 0.015  # reading, checking, predicting, writing, at pace 1
GENOTYPES_PER_SECOND = {"native": 1.0e8, "alphasimr": 1.2e7, "tables": 2.0e7}  # of five traits, at pace 1
GENOTYPES_OF_PRIOR_PER_SECOND = 2.0e7
START_ENGINE = {"native": 0.0, "alphasimr": 4.0, "tables": 0.5}
HELD_BY_ENGINE = {"native": 1, "alphasimr": 16, "tables": 2}  # bytes of a genotype that is not packed
DATASET_OVERHEAD = 6e4  # bytes of a dataset file beside its samples
PREDICTION_BYTES, PREDICTIONS_OVERHEAD = 11.0, 5e3  # of a predicted sample, and of a population beside them
BYTES_PER_PAIR = 20.0  # of an interaction in a dataset file
GPU_CONTEXT = 4e8  # bytes that any process holds on a GPU
GPU_EFFICIENCY = 0.5  # of its fastest product
# A median rule stops half of the trials that it judges; those cost the share that comes before the first look and a bit
STARTUP_TRIALS, STOPPED, COST_OF_STOPPED = 5, 0.5, 0.35


@dataclass(frozen=True)
class JobCost:
    """Cost of one job.

    Parameters
    ----------
    seconds
        Of one core, or of the GPU and the core that feeds it.
    memory, disk
        Bytes held at once, and written.
    n_samples
        Of its populations, the largest.
    gpu_memory
        Bytes held on the GPU, 0 for a job without.
    gpu_share
        Part of the GPU that it keeps busy, or fills, whichever is more.
    """

    seconds: float
    memory: float
    disk: float
    n_samples: int = 0
    gpu_memory: float = 0.0
    gpu_share: float = 0.0


def price_simulation(design: Design, row: DesignRow, machine: Machine) -> JobCost:
    """Price the making of a row's dataset."""
    n, p, t = size(design, row)
    ploidy = design.simulation(row).ploidy
    engine = design.config.engine.name
    stored = n_bytes(p) if ploidy == 1 else p  # bits in haploids, a byte for each locus otherwise
    seconds = START_SIMULATE + START_ENGINE[engine] + n * p * max(1, t / 5) / GENOTYPES_PER_SECOND[engine]
    held = n * (ploidy * n_bytes(p) + stored + 72 * t) + (HELD_BY_ENGINE[engine] - 1.0) * n * p
    disk = n * (stored + 24.0 * t + 8) + DATASET_OVERHEAD
    seconds *= machine.pace
    simulation = design.simulation(row)
    if isinstance(simulation, DataSpec):  # read from disk and written again
        return JobCost(START_SIMULATE * machine.pace, 1.5e8 + held, disk, n)
    if isinstance(simulation, PriorSpec | TrialSpec):
        seconds += n * p / GENOTYPES_OF_PRIOR_PER_SECOND * machine.pace
        return JobCost(seconds, 2.5e8 + held, disk, n)
    for trait in simulation.traits:
        if trait.architecture == "dense":
            n_qtl = sum(trait.n_qtl_on(len(simulation.founders.sites)))
            disk += trait.n_traits * BYTES_PER_PAIR * n_qtl**2 / 2
            seconds += trait.n_traits * 2.0 * n * n_qtl**2 / machine.flops
    return JobCost(seconds, 7e7 + held, disk, n)


def price_fit(design: Design, job: FitJob, label: str, machine: Machine) -> JobCost:
    """Price a job of fits of one model."""
    entry = design.config.models[label]
    model = entry.model or label
    estimator = make(model, preset=entry.preset, **entry.hyperparameters)
    evaluation = design.config.evaluation
    held_back = evaluation.validation if evaluation.protocol == "holdout" and estimator.uses_validation else 0.0
    over_splits = evaluation.protocol == "published" and model == "rrblup"
    total, disk = Work(0.0, 0.0), 0.0
    for row in job.rows:
        n, p, t = size(design, row)
        few = getattr(design.simulation(row), "n_phenotyped", None)
        fitted = round((1 - evaluation.test - held_back) * n if few is None else (1 - held_back) * few)
        if over_splits and evaluation.splits == "published":  # every trait has splits of its own
            total += estimator.work(fitted, p, 1) * (evaluation.n_splits * t)
        else:
            total += estimator.work(fitted, p, t) * (evaluation.n_splits if over_splits else 1)
        predicted = PREDICTION_BYTES * evaluation.test * n + (0 if estimator.uses_validation else 8 * p)
        disk += (evaluation.n_splits if over_splits else 1) * t * predicted + PREDICTIONS_OVERHEAD
    n_samples = max(size(design, row)[0] for row in job.rows)
    fits = SECONDS_PER_FIT * len(job.rows) * machine.pace
    packed = design.simulation(job.rows[0]).ploidy == 1
    return _job(estimator, replace(total, memory=total.held(estimator, packed)), fits, disk, n_samples, machine)


def price_search(design: Design, row: DesignRow, label: str, machine: Machine) -> JobCost:
    """Price a search of hyperparameters, of which the median rule stops a part.

    Raises
    ------
    ConfigError
        The model has no such search space.
    """
    entry = design.config.models[label]
    tune = entry.tune
    assert tune is not None
    model = entry.model or label
    space = search_space(model, tune.space)
    estimator = make(model, preset=entry.preset, **entry.hyperparameters)
    evaluation = design.config.evaluation
    fitted = 1 - evaluation.test - evaluation.validation
    if evaluation.protocol == "published":
        fitted = (1 - evaluation.test) * (1 - VALIDATION_SHARE)
    n, p, t = size(design, row)
    trial = mean_work(model, estimator.get_params(deep=False), space, round(fitted * n), p, t)
    trials = distinct_trials(space, tune.n_trials)
    if tune.pruner == "median" and estimator.uses_validation:
        judged = max(0.0, trials - STARTUP_TRIALS)
        trials -= judged * STOPPED * (1 - COST_OF_STOPPED)
    return _job(estimator, trial * trials, SECONDS_PER_FIT * tune.n_trials * machine.pace, 1e5, n, machine)


def mean_work(
    model: str, hyperparameters: dict[str, Any], space: dict[str, Range], n_samples: int, n_loci: int, n_traits: int
) -> Work:
    """Average the cost of a fit over a search space: all of a choice's values, the middle of a whole number's range."""
    values: dict[str, tuple[Any, ...]] = {}
    for key, range_ in space.items():
        if isinstance(range_, Choice):
            values[key] = range_.values
        elif isinstance(range_, Float):  # rates and penalties do not change the size of a fit
            values[key] = (value_at(hyperparameters, key) or range_.low,)
        else:
            values[key] = (round((range_.low * range_.high) ** 0.5) if range_.log else (range_.low + range_.high) // 2,)
    works = [
        make(model, **with_values(hyperparameters, dict(zip(values, combination, strict=True)))).work(
            n_samples, n_loci, n_traits
        )
        for combination in product(*values.values())
    ]
    total = works[0]
    for work in works[1:]:
        total += work
    return total * (1 / len(works))


def distinct_trials(space: dict[str, Range], n_trials: int) -> float:
    """Return the trials that are expected to be fitted, for a trial that repeats another is not."""
    if not all(isinstance(range_, Choice) for range_ in space.values()):
        return float(n_trials)
    combinations = 1
    for range_ in space.values():
        combinations *= len(range_.values)  # type: ignore[union-attr]
    return combinations * (1 - (1 - 1 / combinations) ** n_trials)


def seconds_of_fit(estimator: Any, n_samples: int, n_loci: int, n_traits: int, machine: Machine) -> float:
    """Estimate the seconds of fitting one estimator to so many samples, on a core or, if it takes one, the GPU."""
    return seconds(estimator.work(n_samples, n_loci, n_traits), machine, on_gpu(estimator, machine))


def seconds(work: Work, machine: Machine, gpu: bool = False) -> float:
    """Seconds of work on one core, or on the GPU and a core that feeds it."""
    on_core = (
        work.core_flops / machine.flops
        + work.flops64 / machine.flops64
        + work.eigen / machine.eigen
        + work.core_traffic / machine.bandwidth
    )
    if gpu:
        return on_core + _gpu_busy(work, machine) + work.steps * machine.gpu_step
    return on_core + work.flops / machine.flops + work.traffic / machine.bandwidth + work.steps * machine.step


def takes_torch(estimator: Any) -> bool:
    """Whether fitting an estimator starts a process with torch: a network, or what has one in it."""
    return bool(estimator.uses_validation) or hasattr(estimator, "device")


def on_gpu(estimator: Any, machine: Machine) -> bool:
    """Whether an estimator will take the machine's GPU."""
    return machine.gpu is not None and getattr(estimator, "device", "cpu") != "cpu"


def size(design: Design, row: DesignRow) -> tuple[int, int, int]:
    """Samples, loci and traits of a row."""
    simulation = design.simulation(row)
    return simulation.n_samples, simulation.n_loci, simulation.n_traits


def _job(estimator: Any, work: Work, more: float, disk: float, n_samples: int, machine: Machine) -> JobCost:
    start = machine.start_torch if takes_torch(estimator) else START_CLASSICAL * machine.pace
    gpu = on_gpu(estimator, machine)
    taken = start + more + seconds(work, machine, gpu)
    if not gpu:
        return JobCost(taken, work.memory, disk, n_samples)
    held = GPU_CONTEXT + max(0.0, work.memory - TORCH_PROCESS)
    share = max(held / machine.gpu_memory, _gpu_busy(work, machine) / taken)
    return JobCost(taken, work.memory + TORCH_PROCESS, disk, n_samples, held, min(1.0, share))


def _gpu_busy(work: Work, machine: Machine) -> float:
    bytes_per_second = 0.01 * machine.gpu_flops  # memory of GPUs that train networks is about so fast
    return work.flops / (GPU_EFFICIENCY * machine.gpu_flops) + work.traffic / bytes_per_second
