"""The training loop of every network: minibatches from data that stays on the device, early stopping on validation.

The order of samples comes from a CPU generator, so that a seed means the same batches on every device.
"""

import copy
from collections.abc import Callable
from contextlib import nullcontext

import torch
import torch._dynamo  # every optimizer imports it (a second of CPU) on first use: here it is not timed as fitting
from torch import Tensor, nn

from gpatlas.train.distributed import Processes, join_processes, with_own_batches, with_whole_batches
from gpatlas.train.graphs import graphed
from gpatlas.train.half_weights import HalfWeightAdamW
from gpatlas.train.loss import masked_loss
from gpatlas.train.memory import kept_memory
from gpatlas.train.optimizers import make_optimizer, make_schedulers
from gpatlas.train.precision import Arithmetic
from gpatlas.train.rows import DeviceRows
from gpatlas.train.settings import History, TrainSettings

Progress = Callable[[int, int, float], None]
_PREDICT_ROWS = 8192


def train(
    network: nn.Module,
    x: Tensor,
    y: Tensor,
    x_validation: Tensor,
    y_validation: Tensor,
    settings: TrainSettings,
    arithmetic: Arithmetic,
    progress: Progress | None = None,
) -> History:
    """Train in place, and leave the network with the weights of its best validation epoch, in evaluation mode.

    Parameters
    ----------
    network
        Maps raw dosage `(B, N)` to `(B, T)`; moved to the device.
    x, x_validation
        Dosage, int8 or float32 with NaN.
    y, y_validation
        float32 `(·, T)`, NaN where missing.
    settings, arithmetic
        How and where.
    progress
        Called after every epoch with (epoch, max_epochs, validation loss).

    Raises
    ------
    FloatingPointError
        The validation loss was never finite: training diverged.
    """
    network.to(arithmetic.device)
    processes = join_processes(arithmetic.device)
    if processes.count > 1:
        with_whole_batches(network)
    with kept_memory() if arithmetic.device.type == "cpu" else nullcontext():
        history, best = _epochs(
            network, (x, y), (x_validation, y_validation), settings, arithmetic, processes, progress
        )
    network.load_state_dict(best)
    with_own_batches(network)
    network.eval()
    return history


def _epochs(
    network: nn.Module,
    training: tuple[Tensor, Tensor],
    validation: tuple[Tensor, Tensor],
    settings: TrainSettings,
    arithmetic: Arithmetic,
    processes: Processes,
    progress: Progress | None,
) -> tuple[History, dict[str, Tensor]]:
    """Train until validation does not improve; return what happened and the state of the best epoch."""
    device = arithmetic.device
    x, x_validation = (DeviceRows(part[0], device) for part in (training, validation))
    y, y_validation = training[1].to(device), validation[1].to(device)
    optimizer = make_optimizer(network, settings, arithmetic, processes.count)
    n, size = len(x), min(settings.batch_size, len(x))
    starts = [s for s in range(0, n, size) if n - s > 1 or n == 1]  # a batch of one has no variance to normalise by
    epoch_scheduler, step_scheduler = make_schedulers(optimizer, settings, len(starts))
    scaler = torch.amp.GradScaler(device.type, enabled=arithmetic.needs_loss_scaling)
    order = torch.Generator().manual_seed(settings.seed)
    loss_of = _loss(network, x, y, settings, arithmetic, processes)

    def gradients(rows: Tensor) -> Tensor:
        loss = loss_of(rows)
        scaler.scale(loss).backward()
        return loss.detach()

    repeats = settings.max_epochs * (n // size) if processes.count == 1 else 0
    gradients_of = graphed(gradients, network, size, repeats, device)
    history, best_loss, best, stale = History(), float("inf"), None, 0
    for epoch in range(1, settings.max_epochs + 1):
        network.train()
        permutation = torch.randperm(n, generator=order).to(device)
        total = torch.zeros((), device=device)
        for start in starts:
            optimizer.zero_grad(set_to_none=True)
            total += gradients_of(permutation[start : start + size])
            processes.sum_gradients(network)
            scaler.step(optimizer)
            scaler.update()
            if step_scheduler is not None:  # goes by batches: a step left out for an overflow is not made up for
                step_scheduler.step()
        found = _validation_loss(network, x_validation, y_validation, settings.loss, arithmetic, processes)
        history.train_loss.append(processes.total(total).item() / len(starts))
        history.validation_loss.append(found)
        if epoch_scheduler is not None:
            epoch_scheduler.step(found)
        if found < best_loss - settings.min_delta:
            best_loss, stale, history.best_epoch = found, 0, epoch
            best = _snapshots(network, optimizer)
        else:
            stale += 1
        if progress is not None:
            progress(epoch, settings.max_epochs, found)
        if stale >= settings.patience:
            break
    if isinstance(optimizer, HalfWeightAdamW):
        optimizer.release()
    if best is None:
        raise FloatingPointError(f"training diverged: no finite validation loss in {epoch} epochs; lower learning_rate")
    return history, {name: value() for name, value in best.items()}


def _loss(
    network: nn.Module,
    x: DeviceRows,
    y: Tensor,
    settings: TrainSettings,
    arithmetic: Arithmetic,
    processes: Processes,
) -> Callable[[Tensor], Tensor]:
    """Return the function from the rows of a batch to this process' part of its loss."""
    complete = not torch.isnan(y).any().item()
    weights = [p for name, p in network.named_parameters() if name.endswith("weight")] if settings.l1 else []

    def loss_of(batch: Tensor) -> Tensor:
        rows = processes.share(batch)
        with arithmetic.autocast():
            output = network(x.take(rows))
        count = None if processes.count == 1 else (~torch.isnan(y[batch])).sum().clamp(min=1)
        loss = masked_loss(output.float(), y[rows], settings.loss, complete, count)
        if weights:
            loss = loss + settings.l1 / processes.count * torch.stack([w.abs().sum() for w in weights]).sum()
        return loss

    return loss_of


def _validation_loss(
    network: nn.Module, x: DeviceRows, y: Tensor, kind: str, arithmetic: Arithmetic, processes: Processes
) -> float:
    """Loss over all samples, of which every process predicts its share."""
    rows = processes.share(torch.arange(len(x), device=y.device))
    known = (~torch.isnan(y)).sum().clamp(min=1)
    output = _outputs(network, x, rows, arithmetic)
    part = masked_loss(output, y[rows], kind, count=known) if len(rows) else torch.zeros((), device=y.device)
    return processes.total(part).item()


def _snapshots(network: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Callable[[], Tensor]]:
    """Copy parameters and buffers; a copy is called for its float32 value."""
    if isinstance(optimizer, HalfWeightAdamW):
        return {name: optimizer.snapshot(tensor) for name, tensor in network.state_dict(keep_vars=True).items()}
    return {name: tensor.clone for name, tensor in copy.deepcopy(network.state_dict()).items()}


@torch.no_grad()
def _outputs(network: nn.Module, x: DeviceRows, rows: Tensor, arithmetic: Arithmetic) -> Tensor:
    network.eval()
    parts = []
    for block in rows.split(_PREDICT_ROWS):
        with arithmetic.autocast():
            parts.append(network(x.take(block)).float())
    return torch.cat(parts)


@torch.no_grad()
def predict(network: nn.Module, x: Tensor, arithmetic: Arithmetic) -> Tensor:
    """Return float32 predictions `(n, T)` in evaluation mode, a few thousand samples at a time."""
    network.eval()
    parts = []
    for rows in x.split(_PREDICT_ROWS):
        with arithmetic.autocast():
            parts.append(network(rows.to(arithmetic.device)).float())
    return torch.cat(parts)
