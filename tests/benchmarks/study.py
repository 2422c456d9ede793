"""What the whole published study would take here, from measured epochs: on a GPU in earnest, on a CPU as a rehearsal.

Two sizes of the published network give the seconds of a step, as a cost per step and a cost per FLOP; the numbers of
fits are those of `config/published`, and how early networks stop is the guess of `gpatlas cost`. What stays on the
CPU (simulation, ridge, the linear model by SGD) is priced by `gpatlas cost`.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from gpatlas.config import read_experiment
from gpatlas.cost import calibrate, duration, estimate
from gpatlas.design import Design
from gpatlas.models import make
from gpatlas.models.network import NetworkRegressor
from gpatlas.train.precision import Arithmetic, choose_arithmetic

PUBLISHED = Path(__file__).parents[2] / "config" / "published"
TARGET_HOURS, TARGET_SHARE = 2.0, 0.4


@dataclass(frozen=True)
class Epoch:
    """Seconds of a training epoch and of its steps' matrix products at the rate of large ones."""

    n_samples: int
    n_loci: int
    batch_size: int
    seconds: float
    flops: float
    steps: int


def measure() -> list[tuple[str, str]]:
    """Rows of a report: what was measured, and what follows."""
    arithmetic = choose_arithmetic("auto", "auto", n_weights=np.inf)
    on_gpu = arithmetic.device.type == "cuda"
    rate = product_rate(arithmetic, 8192 if on_gpu else 1024)
    large = (100_000, 448) if on_gpu else (1_500, 448)
    epochs = [epoch(*large, batch, arithmetic) for batch in (128, 2048 if on_gpu else 512)]
    small = epoch(1_000, 46, 128, arithmetic)
    rows = [
        ("device", f"{arithmetic.describe()}, {arithmetic.dtype}".replace("torch.", "")),
        ("matrix products", f"{rate / 1e12:.3g} TFLOP/s"),
    ]
    for found in epochs:
        share = found.flops / rate / found.seconds
        aim = f" (target ≥ {TARGET_SHARE:.0%})" if on_gpu else ""
        name = f"epoch, {found.n_samples:,} × {found.n_loci}, batches of {found.batch_size}"
        rows.append((name, f"{found.seconds:.3g} s, {share:.0%} of that rate{aim}"))
    fit = small.seconds * make("mlp", preset="published").max_epochs * 0.4
    rows.append(("fits of the published network at 1,000 × 46", f"{3600 / fit:.0f} per hour"))
    networks = seconds_of_networks(*coefficients(epochs[0], small))
    rows += [(f"networks of {name}", duration(seconds)) for name, seconds in networks.items()]
    rest = seconds_of_the_rest()
    cores = calibrate().cores
    rows += [(f"everything else of {name}, one core", duration(seconds)) for name, seconds in rest.items()]
    total = max(sum(networks.values()), sum(rest.values()) / cores) if on_gpu else sum(networks.values())
    verdict = f"target {TARGET_HOURS:.0f} h: {'met' if total < 3600 * TARGET_HOURS else 'missed'}"
    if not on_gpu:
        verdict = "a rehearsal on tiny sizes; networks alone, one process; the target is a GPU's"
    rows.append(("the published study", f"{duration(total)} ({verdict})"))
    return rows


def product_rate(arithmetic: Arithmetic, n: int) -> float:
    """FLOP/s of square matrix products."""
    a = torch.ones((n, n), device=arithmetic.device, dtype=arithmetic.dtype)
    return 2 * n**3 / min(_timed(lambda: a @ a, arithmetic) for _ in range(6))


def epoch(n_samples: int, n_loci: int, batch_size: int, arithmetic: Arithmetic) -> Epoch:
    """Time epochs of the published network on random data: the least of those after the first."""
    rng = np.random.default_rng(1)
    x: NDArray = rng.integers(0, 2, (n_samples, n_loci)).astype(np.int8)
    y, ticks = rng.normal(size=(n_samples, 5)), []
    device = str(arithmetic.device)

    def tick(*_: object) -> None:
        ticks.append(time.perf_counter())  # the validation loss has been waited for

    model = make("mlp", preset="published", device=device, batch_size=batch_size, max_epochs=4)
    model.fit(x, y, validation=(x[:2], y[:2]), progress=tick)
    work = make("mlp", preset="published", max_epochs=1, schedule="constant", batch_size=batch_size).work(*x.shape, 5)
    return Epoch(n_samples, n_loci, batch_size, float(np.diff(ticks).min()), work.flops, int(work.steps))


def coefficients(large: Epoch, small: Epoch) -> tuple[float, float]:
    """Seconds per step and per FLOP that give both epochs; where one would be negative, all is the other's."""
    system = np.array([[e.steps, e.flops] for e in (large, small)])
    seconds = np.array([large.seconds, small.seconds])
    per_step, per_flop = np.linalg.solve(system, seconds)
    if per_flop < 0:
        return float((seconds / system[:, 0]).max()), 0.0
    if per_step < 0:
        return 0.0, float((seconds / system[:, 1]).max())
    return float(per_step), float(per_flop)


def seconds_of_networks(per_step: float, per_flop: float, folder: Path = PUBLISHED) -> dict[str, float]:
    """Seconds of all fits of networks that take a GPU where there is one, by experiment."""
    found = {}
    for path in sorted(folder.glob("*.yaml")):
        design = Design(read_experiment(path))
        seconds = 0.0
        for label, entry in design.config.models.items():
            estimator = make(entry.model or label, preset=entry.preset, **entry.hyperparameters)
            if _on_gpu(estimator):
                for row in (row for job in design.jobs if label in design.models(job) for row in job.rows):
                    simulation, held_out = design.simulation(row), design.config.evaluation.test
                    n = round((1 - held_out) * simulation.founders.n_individuals)
                    work = estimator.work(n, simulation.founders.n_loci, simulation.n_traits)
                    trials = 1 + (entry.tune.n_trials if entry.tune is not None else 0)
                    seconds += trials * (per_step * work.steps + per_flop * work.flops)
        found[path.stem] = seconds
    return found


def seconds_of_the_rest() -> dict[str, float]:
    """Core seconds of all that is no network on a GPU, by experiment."""
    machine, found = calibrate(), {}
    for path in sorted(PUBLISHED.glob("*.yaml")):
        design = Design(read_experiment(path))
        networks = {
            label
            for label, entry in design.config.models.items()
            if _on_gpu(make(entry.model or label, preset=entry.preset, **entry.hyperparameters))
        }
        stages = estimate(design, machine)
        found[path.stem] = sum(stage.seconds for stage in stages if stage.name.split()[-1] not in networks)
    return found


def _on_gpu(estimator: object) -> bool:
    device = getattr(estimator, "device", "cpu")
    return device != "cpu" and (isinstance(estimator, NetworkRegressor) or hasattr(estimator, "mlp"))


def _timed(call, arithmetic: Arithmetic) -> float:
    start = time.perf_counter()
    call()
    if arithmetic.device.type == "cuda":
        torch.cuda.synchronize(arithmetic.device)
    return time.perf_counter() - start
