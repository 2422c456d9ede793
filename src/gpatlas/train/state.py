"""The state of a training, complete: going on from it gives the same numbers, to the bit, as never having stopped."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from gpatlas import __version__
from gpatlas.errors import ConfigError, StoreError
from gpatlas.io.arrays import read_arrays, write_arrays


@dataclass
class State:
    """What training has come to; a subclass names what it keeps besides.

    Parameters
    ----------
    network, optimizer
        Being trained.
    average
        Moving average of the network's parameters, by name.
    batch
        Batches used; the next one has this number.
    digest
        Hash of all data used, in their order.
    losses, pending
        Mean loss of each stretch between two validations, (batches used, loss), and the losses since the last one.
    validations
        Rows of the validation table.
    seconds
        Wall seconds of training, over all processes one after another.
    """

    groups: ClassVar[tuple[str, ...]] = ("average",)
    recorded: ClassVar[tuple[str, ...]] = ("batch", "digest", "losses", "pending", "validations", "seconds")

    network: nn.Module
    optimizer: torch.optim.Optimizer
    average: dict[str, Tensor]
    batch: int = 0
    digest: str = ""
    losses: list[tuple[int, float]] = field(default_factory=list)
    pending: list[float] = field(default_factory=list)
    validations: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    @classmethod
    def start(cls, network: nn.Module, optimizer: torch.optim.Optimizer) -> Self:
        """Begin."""
        return cls(network, optimizer, copied(network.state_dict()))

    def use(self, hashes: Sequence[str], memory: float) -> None:
        """Take note of a step: of the data that it used, and of the weights that it left."""
        self.batch += 1
        self.digest = hashlib.blake2b("".join([self.digest, *hashes]).encode(), digest_size=16).hexdigest()
        forget = 1 - min(memory, (1 + self.batch) / (10 + self.batch))  # early weights are forgotten sooner
        for name, value in self.network.state_dict().items():
            self.average[name].lerp_(value, forget)

    def save(self, path: Path, recipe: Mapping[str, Any]) -> None:
        """Write the state of a training by a JSON-like recipe; the file appears whole or not at all."""
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        for group in self.groups:
            tensors |= {f"{group}.{k}": v for k, v in getattr(self, group).items()}
        for number, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{key}": torch.as_tensor(value) for key, value in moments.items()}
        record = {
            "gpatlas": __version__,
            "recipe": dict(recipe),
            **{key: getattr(self, key) for key in self.recorded},
        }
        write_arrays(path, {k: v.detach().cpu().numpy() for k, v in tensors.items()}, record)

    def load(self, path: Path, recipe: Mapping[str, Any], ignored: Collection[str] = ()) -> None:
        """Go on from a saved state; its recipe must be the same, other than in the keys ignored.

        Raises
        ------
        ConfigError
            It is of another recipe, or of another version of gpatlas.
        StoreError
            The file cannot be read, or is another one.
        """
        arrays, record = read_arrays(path)
        if "recipe" not in record or "digest" not in record:
            raise StoreError(f"{path} is not the state of a training; train into another folder, or delete it")
        differs = [key for key in recipe if key not in ignored and record["recipe"].get(key) != recipe[key]]
        if differs:
            key = differs[0]
            raise ConfigError(
                f"{path} is of a training with {key} = {record['recipe'].get(key)}, not {recipe[key]}; "
                "train into another folder, or delete this one"
            )
        if record["gpatlas"] != __version__:
            raise ConfigError(f"{path} was written by gpatlas {record['gpatlas']}, this is {__version__}; train anew")
        try:
            self._take({key: torch.from_numpy(np.array(value)) for key, value in arrays.items()}, record)
        except (KeyError, ValueError, RuntimeError) as error:
            said = " ".join(str(error).split())[:200]
            raise StoreError(f"{path} is damaged, or of another network ({said}); delete it to train anew") from None

    def _take(self, tensors: dict[str, Tensor], record: Mapping[str, Any]) -> None:
        self.network.load_state_dict(_under("network.", tensors))
        for group in self.groups:
            for name, value in _under(f"{group}.", tensors).items():
                getattr(self, group)[name].copy_(value)
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in _under("optimizer.", tensors).items():
            number, key = name.split(".")
            moments.setdefault(int(number), {})[key] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": moments})
        for key in self.recorded:
            setattr(self, key, record[key])
        self.losses = [(step, loss) for step, loss in self.losses]


def copied(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a copy of weights that no training changes."""
    return {name: value.detach().clone() for name, value in weights.items()}


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
