"""Training of a prior-data fitted network: one pass over the batches of a schedule, each seen once.

Several processes (torchrun) share every batch and add up their gradients; the first one writes.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from gpatlas.config.pretrain import PretrainSpec
from gpatlas.errors import ConfigError, EngineError
from gpatlas.gpfn.content import content_hash
from gpatlas.gpfn.draws import Draws
from gpatlas.gpfn.measures import average, measure, predict_queries
from gpatlas.gpfn.schedule import Schedule
from gpatlas.nn.gpfn.batch import TaskBatch
from gpatlas.nn.gpfn.loss import loss
from gpatlas.nn.gpfn.networks import make_network
from gpatlas.priors import Task
from gpatlas.train.distributed import Processes, join_processes
from gpatlas.train.precision import Arithmetic
from gpatlas.train.state import State

Report = Callable[[State], None]
STATE = "state.safetensors"
_BETAS = (0.9, 0.98)  # gradients of few populations are noisy, and their size changes while the gate opens


def train(
    spec: PretrainSpec,
    draws: Draws,
    folder: Path,
    arithmetic: Arithmetic,
    report: Report = lambda state: None,
    most_steps: int | None = None,
    replace: bool = False,
) -> State:
    """Train a network by a recipe, or go on where an earlier process stopped.

    Parameters
    ----------
    spec
        The recipe.
    draws
        Where batches come from.
    folder
        Holds the state, from which training goes on.
    arithmetic
        The device; numbers are float32.
    report
        Called after every step.
    most_steps
        Between two saved states, where that is fewer than the recipe says.
    replace
        Start anew where the state is of another recipe or version.

    Returns
    -------
    State
        Its `average` holds the trained weights.

    Raises
    ------
    ConfigError, StoreError
        See `State.load`; or there are more processes than populations in a batch.
    EngineError
        The loss is not finite: training diverged.
    """
    schedule, processes = Schedule(spec), join_processes(arithmetic.device)
    if processes.count > spec.batch_size:
        raise ConfigError(f"{processes.count} processes cannot share batches of batch_size {spec.batch_size}")
    torch.manual_seed(spec.seed)
    network = make_network(spec.architecture, **spec.network).to(arithmetic.device)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=spec.learning_rate, weight_decay=spec.weight_decay, betas=_BETAS
    )
    state, path, recipe = State.start(network, optimizer), folder / STATE, spec.model_dump(mode="json")
    if path.exists():
        try:
            state.load(path, recipe, ignored={"n_calibration"})  # training does not depend on it
        except ConfigError:  # raised before anything is loaded
            if not replace:
                raise
    every = min(spec.checkpoint_every, most_steps or spec.checkpoint_every)
    members = range(spec.batch_size)
    own = members[
        processes.rank * len(members) // processes.count : (processes.rank + 1) * len(members) // processes.count
    ]
    validation = _validation(schedule, processes)
    if not state.batch:
        state.validations += validate(state, validation, processes)
    since = time.monotonic()
    for tasks in draws.batches(state.batch, own):
        state.pending.append(_step(state, tasks, spec, schedule, processes, arithmetic))
        last = state.batch == spec.n_batches
        if last or state.batch % spec.validate_every == 0:
            state.losses.append((state.batch, float(np.mean(state.pending))))
            state.pending.clear()
            state.validations += validate(state, validation, processes)
        if last or state.batch % every == 0:
            state.seconds += time.monotonic() - since
            since = time.monotonic()
            if processes.rank == 0:
                state.save(path, recipe)
                draws.commit(state.batch)
        report(state)
    return state


def _step(
    state: State,
    tasks: list[Task],
    spec: PretrainSpec,
    schedule: Schedule,
    processes: Processes,
    arithmetic: Arithmetic,
) -> float:
    """Take one step; return the loss of the whole batch."""
    network, optimizer = state.network, state.optimizer
    network.train()
    for group in optimizer.param_groups:
        group["lr"] = schedule.learning_rate(state.batch)
    optimizer.zero_grad(set_to_none=True)
    torch.manual_seed(spec.seed + state.batch)  # dropout, where a network has it, is the same after a new start
    batch = TaskBatch.of(tasks).to(arithmetic.device)
    value = loss(network, batch) * (len(tasks) / spec.batch_size)
    value.backward()
    processes.sum_gradients(network)
    found = processes.total(value.detach().clone()).item()
    norm = nn.utils.clip_grad_norm_(network.parameters(), spec.clip)
    if not torch.isfinite(norm):
        raise EngineError(f"training diverged at step {state.batch + 1} (loss {found:g}); lower learning_rate")
    optimizer.step()
    state.use(_gathered([content_hash(task) for task in tasks], processes), spec.average)
    return found


def validate(state: State, validation: dict[str, list[Task]], processes: Processes) -> list[dict[str, Any]]:
    """Measure the averaged weights on fixed populations: one row per prior."""
    kept = {name: value.clone() for name, value in state.network.state_dict().items()}
    state.network.load_state_dict(state.average)
    state.network.eval()
    rows = []
    for prior, tasks in validation.items():
        own = [measure(task, *predict_queries(state.network, task)) for task in tasks]
        rows.append({"batch": state.batch, "prior": prior, **average(_gathered(own, processes))})
    state.network.load_state_dict(kept)
    return rows


def _validation(schedule: Schedule, processes: Processes) -> dict[str, list[Task]]:
    """Draw the validation populations; every process has its share of them."""
    return {prior: schedule.validation(prior)[processes.rank :: processes.count] for prior in sorted(schedule.weights)}


def _gathered(own: Sequence[Any], processes: Processes) -> list[Any]:
    """Collect what the processes have of each, in the order of ranks."""
    if processes.count == 1:
        return list(own)
    every: list[Any] = [None] * processes.count
    dist.all_gather_object(every, list(own))
    return [item for part in every for item in part]
