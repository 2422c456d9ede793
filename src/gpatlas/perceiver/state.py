"""The state of a pretraining: that of any training, and the best weights so far."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from gpatlas.train.state import State, copied


@dataclass
class PerceiverState(State):
    """What pretraining has come to.

    Parameters
    ----------
    best
        The averaged weights of the validation with the lowest loss; without held-out individuals, the last.
    """

    groups: ClassVar[tuple[str, ...]] = ("average", "best")

    best: dict[str, Tensor] = field(default_factory=dict)

    @classmethod
    def start(cls, network: nn.Module, optimizer: torch.optim.Optimizer) -> Self:
        """Begin."""
        state = super().start(network, optimizer)
        state.best = copied(network.state_dict())
        return state

    @property
    def validation_losses(self) -> list[float]:
        """Losses of all validations."""
        return [row["loss"] for row in self.validations]

    @property
    def best_row(self) -> list[dict[str, Any]]:
        """The validation that the best weights are of; none where nothing is held out."""
        return [min(self.validations, key=lambda row: row["loss"])] if self.validations else []

    def note(self, row: dict[str, float]) -> None:
        """Take note of a validation of the averaged weights."""
        if row["loss"] < min(self.validation_losses, default=float("inf")):
            self.best = copied(self.average)
        self.validations.append(row)
