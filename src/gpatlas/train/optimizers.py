"""Optimizers and schedules of the learning rate."""

from importlib.util import find_spec

import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR, ReduceLROnPlateau

from gpatlas.train.half_weights import HalfWeightAdamW
from gpatlas.train.precision import Arithmetic
from gpatlas.train.settings import TrainSettings

_WIDE = 1 << 20  # weights of a layer from which their traffic counts beside the calls of Python


def make_optimizer(
    network: nn.Module, settings: TrainSettings, arithmetic: Arithmetic, n_processes: int = 1
) -> torch.optim.Optimizer:
    """Make the optimizer; wide networks in bf16 on a CPU get the one that casts nothing, where there is numba."""
    if settings.optimizer == "sgd":
        return torch.optim.SGD(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    wide = any(isinstance(layer, nn.Linear) and layer.weight.numel() >= _WIDE for layer in network.modules())
    casts = arithmetic.device.type == "cpu" and arithmetic.dtype == torch.bfloat16
    if casts and wide and n_processes == 1 and settings.l1 == 0 and find_spec("numba"):
        return HalfWeightAdamW(network, settings.learning_rate, settings.weight_decay)
    return torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )


def make_schedulers(
    optimizer: torch.optim.Optimizer, settings: TrainSettings, steps_per_epoch: int
) -> tuple[ReduceLROnPlateau | None, LRScheduler | None]:
    """Return the scheduler that steps by epoch and the one that steps by batch; at least one is None."""
    if settings.schedule == "plateau":
        return ReduceLROnPlateau(optimizer, factor=0.5, patience=3), None
    if settings.schedule == "one_cycle":
        return None, OneCycleLR(
            optimizer,
            max_lr=settings.learning_rate,
            total_steps=settings.max_epochs * steps_per_epoch,
            pct_start=0.2,
            cycle_momentum=settings.optimizer == "adamw",
        )
    return None, None
