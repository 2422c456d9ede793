"""How a network is trained, and what happened."""

from dataclasses import dataclass, field
from typing import Literal


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
