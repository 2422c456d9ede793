"""Pretraining of a perceiver on genotypes: calls are hidden, and the network says what they are.

No phenotype is needed, and none is taken: all individuals whose genotypes are known may serve, test samples included.
Several processes (torchrun) share every batch and add up their gradients; the first one writes.
"""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from gpatlas.config import PerceiverRecipe
from gpatlas.errors import ConfigError, EngineError, StoreError
from gpatlas.io.locks import ByteLocks
from gpatlas.nn.perceiver import Layout, make_network
from gpatlas.perceiver.batches import Batches
from gpatlas.perceiver.losses import batch_loss
from gpatlas.perceiver.measuring import as_tensors, validate
from gpatlas.perceiver.pace import has_ended, learning_rate
from gpatlas.perceiver.samples import check_memory, checked_codes, split_rows
from gpatlas.perceiver.sampling import indicator_shares
from gpatlas.perceiver.state import PerceiverState
from gpatlas.perceiver.targets import Targets
from gpatlas.seeding import stable_seed
from gpatlas.train.distributed import Processes, join_processes
from gpatlas.train.precision import Arithmetic

Report = Callable[[PerceiverState], None]
STATE = "state.safetensors"
_BETAS = (0.9, 0.98)  # a training of a thousand steps should forget its first hundred


def pretrain(
    codes: NDArray[np.integer],
    layout: Layout,
    recipe: PerceiverRecipe,
    arithmetic: Arithmetic,
    folder: Path | None = None,
    report: Report = lambda state: None,
    validation: ArrayLike | None = None,
    replace: bool = False,
) -> PerceiverState:
    """Pretrain a network by a recipe, or go on where an earlier process stopped.

    Parameters
    ----------
    codes
        Allele codes `(n_samples, n_loci)` in the order of the layout, 0 where a call is missing.
    layout
        The panel.
    recipe
        How to.
    arithmetic
        The device, and the format of matrix products (float16 is taken as float32).
    folder
        Holds the state, from which pretraining goes on; None keeps all in memory.
    report
        Called after every step.
    validation
        Rows that are held out; None: the recipe's share, drawn by its seed.
    replace
        Start anew where the state is of another recipe, other genotypes or another version.

    Returns
    -------
    PerceiverState
        Its `network` has the best weights, and is in evaluation mode.

    Raises
    ------
    DataError
        Unknown codes, too few samples, or more markers than memory.
    ConfigError, StoreError
        See `State.load` and `make_network`; or another process pretrains in the folder.
    EngineError
        The loss is not finite: training diverged.
    """
    codes = checked_codes(codes, layout)
    training, held_out = split_rows(len(codes), recipe, validation)
    batches = Batches(recipe, layout, codes, training, held_out)
    device = arithmetic.device
    if arithmetic.needs_loss_scaling:
        arithmetic = Arithmetic(device, torch.float32)
    with torch.random.fork_rng([device] if device.type == "cuda" else []), _threads(arithmetic, recipe.threads):
        processes = join_processes(device)
        check_memory(layout, recipe.network, device)
        torch.manual_seed(recipe.seed)
        network: Any = make_network(layout, **recipe.network).to(device)
        if hasattr(network, "start_from"):  # not every architecture has read-outs of single markers
            network.start_from(torch.from_numpy(indicator_shares(codes[training], layout)).to(device))
        optimizer = torch.optim.AdamW(
            network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )
        state = PerceiverState.start(network, optimizer)
        of_state = recipe.model_dump(mode="json") | {"genotypes": _content_hash(batches)}
        path = None if folder is None else folder / STATE
        with _alone_in(folder if processes.rank == 0 else None):
            if path is not None and path.exists():
                try:
                    state.load(path, of_state)
                except ConfigError:  # raised before anything is loaded
                    if not replace:
                        raise
            _loop(state, batches, arithmetic, processes, report, path, of_state)
        if not len(held_out):
            state.best = state.average
        network.load_state_dict(state.best)
    network.eval()
    return state


def _loop(
    state: PerceiverState,
    batches: Batches,
    arithmetic: Arithmetic,
    processes: Processes,
    report: Report,
    path: Path | None,
    of_state: dict[str, Any],
) -> None:
    recipe, targets = batches.recipe, Targets(batches.layout, arithmetic.device)
    validates = len(batches.validation) > 0
    if validates and not state.batch and not state.validations:
        state.note(validate(state, batches, targets, arithmetic))
    since = time.monotonic()
    while state.batch < recipe.n_steps and not has_ended(state.validation_losses, recipe.patience):
        state.pending.append(_step(state, batches, targets, arithmetic, processes))
        last = state.batch == recipe.n_steps
        if last or state.batch % recipe.validate_every == 0:
            state.losses.append((state.batch, float(np.mean(state.pending))))
            state.pending.clear()
            if validates:
                state.note(validate(state, batches, targets, arithmetic))
            last = last or has_ended(state.validation_losses, recipe.patience)
        if path is not None and (last or state.batch % recipe.checkpoint_every == 0):
            state.seconds += time.monotonic() - since
            since = time.monotonic()
            if processes.rank == 0:
                state.save(path, of_state)
        report(state)
    if path is None:
        state.seconds += time.monotonic() - since


def _step(
    state: PerceiverState, batches: Batches, targets: Targets, arithmetic: Arithmetic, processes: Processes
) -> float:
    """Take one step; return the loss of the whole batch."""
    network, optimizer, recipe, step = state.network, state.optimizer, batches.recipe, state.batch
    network.train()
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(step, recipe, state.validation_losses)
    optimizer.zero_grad(set_to_none=True)
    torch.manual_seed(stable_seed(recipe.seed, "perceiver", "dropout", step, bits=63))  # the same after a new start
    batch = batches.batch(step)
    n_asked = max(1, np.count_nonzero(batch.known))
    part = as_tensors(batch.part(processes.rank, processes.count), arithmetic.device)
    with arithmetic.autocast():
        value = batch_loss(network, part, targets, recipe) / n_asked
    value.backward()
    processes.sum_gradients(network)
    found = processes.total(value.detach().clone()).item()
    norm = nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
    if not torch.isfinite(norm):
        raise EngineError(f"training diverged at step {step + 1} (loss {found:g}); lower learning_rate")
    optimizer.step()
    state.use([batch.digest], recipe.average)
    return found


def _content_hash(batches: Batches) -> str:
    digest = hashlib.blake2b(json.dumps(batches.layout.as_config(), sort_keys=True).encode(), digest_size=8)
    for array in (batches.codes, batches.validation):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


@contextmanager
def _alone_in(folder: Path | None) -> Iterator[None]:
    """Let no other process pretrain in a folder: each would overwrite the other's state."""
    if folder is None:
        yield
        return
    locks = ByteLocks(folder / ".lock")
    try:
        if not locks.hold(0, wait=False):
            raise StoreError(f"{folder}: another process is pretraining here; wait for it, or choose another folder")
        yield
    finally:
        locks.close()


@contextmanager
def _threads(arithmetic: Arithmetic, n: int) -> Iterator[None]:
    """On a CPU, compute in as many threads as the recipe says: their number changes the last bits of sums."""
    before = torch.get_num_threads()
    if arithmetic.device.type == "cpu":
        torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)
