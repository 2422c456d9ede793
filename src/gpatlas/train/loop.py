"""The training loop of every network: minibatches from data that stays on the device, early stopping on validation.

The order of samples comes from a CPU generator, so that a seed means the same batches on every device.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import torch
import torch._dynamo  # every optimizer imports it (a second of CPU) on first use: here it is not timed as fitting
import torch.nn.functional as F
from torch import Tensor, nn

from gpatlas.train.precision import Arithmetic

Progress = Callable[[int, int, float], None]
_PREDICT_ROWS = 8192


@dataclass(frozen=True)
class TrainSettings:
    """How a network is trained.

    Parameters
    ----------
    loss
        "l1" or "mse", averaged over samples and traits; missing phenotypes do not count.
    optimizer
        "adamw" or "sgd" (plain, no momentum).
    learning_rate, weight_decay
        Of the optimizer; for schedule "one_cycle" the learning rate is its maximum. "sgd" with a weight decay w
        descends loss + w·½‖θ‖² (all parameters); that of "adamw" is decoupled (Loshchilov & Hutter 2019).
    l1
        Weight of the sum of |weights| (not biases) in what training descends; validation is without it.
    schedule
        "plateau": halve after 3 epochs without improvement; "one_cycle": rise for a fifth of the steps, then fall to
        nothing (Smith & Topin 2018); "constant".
    batch_size
        Samples per step.
    max_epochs
        Passes over the training data.
    patience
        Epochs without improvement after which training stops.
    min_delta
        Fall of the validation loss that counts as improvement.
    seed
        Of the order of samples.
    """

    loss: Literal["l1", "mse"] = "mse"
    optimizer: Literal["adamw", "sgd"] = "adamw"
    learning_rate: float = 0.01
    weight_decay: float = 0.01
    l1: float = 0.0
    schedule: Literal["plateau", "one_cycle", "constant"] = "one_cycle"
    batch_size: int = 128
    max_epochs: int = 60
    patience: int = 20
    min_delta: float = 0.0
    seed: int = 0


@dataclass
class History:
    """What happened in training, epoch by epoch."""

    train_loss: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    best_epoch: int = 0  # 1-based; 0 if validation never gave a finite loss


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
    device = arithmetic.device
    network.to(device)
    x, y, x_validation, y_validation = (t.to(device) for t in (x, y, x_validation, y_validation))
    optimizer = _optimizer(network, settings)
    n, size = len(x), min(settings.batch_size, len(x))
    complete = not torch.isnan(y).any().item()
    starts = [s for s in range(0, n, size) if n - s > 1 or n == 1]  # a batch of one has no variance to normalise by
    epoch_scheduler, step_scheduler = _schedulers(optimizer, settings, len(starts))
    scaler = torch.amp.GradScaler(device.type, enabled=arithmetic.needs_loss_scaling)
    order = torch.Generator().manual_seed(settings.seed)
    weights = [p for name, p in network.named_parameters() if name.endswith("weight")] if settings.l1 else []
    history, best_loss, best_state, stale = History(), float("inf"), None, 0
    for epoch in range(1, settings.max_epochs + 1):
        network.train()
        permutation = torch.randperm(n, generator=order).to(device)
        total = torch.zeros((), device=device)
        for start in starts:
            rows = permutation[start : start + size]
            with arithmetic.autocast():
                output = network(x[rows])
            loss = masked_loss(output.float(), y[rows], settings.loss, complete)
            if weights:
                loss = loss + settings.l1 * torch.stack([w.abs().sum() for w in weights]).sum()
            optimizer.zero_grad(set_to_none=True)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            if step_scheduler is not None:
                step_scheduler.step()
            total += loss.detach()
        output = predict(network, x_validation, arithmetic)
        validation_loss = masked_loss(output, y_validation, settings.loss).item()
        history.train_loss.append(total.item() / len(starts))
        history.validation_loss.append(validation_loss)
        if epoch_scheduler is not None:
            epoch_scheduler.step(validation_loss)
        if validation_loss < best_loss - settings.min_delta:
            best_loss, stale, history.best_epoch = validation_loss, 0, epoch
            best_state = copy.deepcopy(network.state_dict())
        else:
            stale += 1
        if progress is not None:
            progress(epoch, settings.max_epochs, validation_loss)
        if stale >= settings.patience:
            break
    if best_state is None:
        raise FloatingPointError(f"training diverged: no finite validation loss in {epoch} epochs; lower learning_rate")
    network.load_state_dict(best_state)
    network.eval()
    return history


@torch.no_grad()
def predict(network: nn.Module, x: Tensor, arithmetic: Arithmetic) -> Tensor:
    """Return float32 predictions `(n, T)` in evaluation mode, a few thousand samples at a time."""
    network.eval()
    parts = []
    for rows in x.split(_PREDICT_ROWS):
        with arithmetic.autocast():
            parts.append(network(rows.to(arithmetic.device)).float())
    return torch.cat(parts)


def masked_loss(output: Tensor, target: Tensor, kind: str, complete: bool = False) -> Tensor:
    """Mean loss over the phenotypes that are there (NaN is missing); 0 where none is.

    `complete` says that nothing is missing, which the caller knows and a GPU would have to stop to find out.
    """
    if complete:
        return F.l1_loss(output, target) if kind == "l1" else F.mse_loss(output, target)
    known = ~torch.isnan(target)
    difference = torch.where(known, output - target, 0.0)
    total = difference.abs().sum() if kind == "l1" else difference.square().sum()
    return total / known.sum().clamp(min=1)


def _optimizer(network: nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    if settings.optimizer == "sgd":
        return torch.optim.SGD(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    return torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )


def _schedulers(
    optimizer: torch.optim.Optimizer, settings: TrainSettings, steps_per_epoch: int
) -> tuple[torch.optim.lr_scheduler.ReduceLROnPlateau | None, torch.optim.lr_scheduler.LRScheduler | None]:
    """Return the scheduler that steps by epoch and the one that steps by batch; at least one is None."""
    if settings.schedule == "plateau":
        return torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=3), None
    if settings.schedule == "one_cycle":
        return None, torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=settings.learning_rate,
            total_steps=settings.max_epochs * steps_per_epoch,
            pct_start=0.2,
            cycle_momentum=settings.optimizer == "adamw",
        )
    return None, None
