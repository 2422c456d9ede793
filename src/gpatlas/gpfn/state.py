"""The state of a training, complete: going on from it gives the same numbers, to the bit, as never having stopped."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gpatlas import __version__
from gpatlas.config.pretrain import PretrainSpec
from gpatlas.errors import ConfigError, StoreError
from gpatlas.io.arrays import read_arrays, write_arrays
from gpatlas.priors import Task


@dataclass
class State:
    """What training has come to.

    Parameters
    ----------
    network, optimizer
        Being trained.
    average
        Moving average of the network's parameters, by name.
    batch
        Batches used; the next one has this number.
    digest
        Hash of all populations used, in their order.
    losses, pending
        Mean loss of each stretch between two validations, (batches used, loss), and the losses since the last one.
    validations
        Rows of the validation table.
    seconds
        Wall seconds of training, over all processes one after another.
    """

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
    def start(cls, network: nn.Module, optimizer: torch.optim.Optimizer) -> "State":
        """Begin."""
        return cls(network, optimizer, {k: v.detach().clone() for k, v in network.state_dict().items()})

    def use(self, hashes: Sequence[str], memory: float) -> None:
        """Take note of a step: of the populations that it used, and of the weights that it left."""
        self.batch += 1
        self.digest = hashlib.blake2b("".join([self.digest, *hashes]).encode(), digest_size=16).hexdigest()
        forget = 1 - min(memory, (1 + self.batch) / (10 + self.batch))  # early weights are forgotten sooner
        for name, value in self.network.state_dict().items():
            self.average[name].lerp_(value, forget)

    def save(self, path: Path, spec: PretrainSpec) -> None:
        """Write the state; the file appears whole or not at all."""
        tensors = {f"network.{k}": v for k, v in self.network.state_dict().items()}
        tensors |= {f"average.{k}": v for k, v in self.average.items()}
        for number, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{key}": torch.as_tensor(value) for key, value in moments.items()}
        record = {
            "gpatlas": __version__,
            "recipe": spec.model_dump(mode="json"),
            **{key: getattr(self, key) for key in ("batch", "digest", "losses", "pending", "validations", "seconds")},
        }
        write_arrays(path, {k: v.detach().cpu().numpy() for k, v in tensors.items()}, record)

    def load(self, path: Path, spec: PretrainSpec) -> None:
        """Go on from a saved state.

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
        wanted = spec.model_dump(mode="json", exclude={"n_calibration"})  # what training does not depend on
        differs = [key for key in wanted if record["recipe"].get(key) != wanted[key]]
        if differs:
            key = differs[0]
            raise ConfigError(
                f"{path} is of a training with {key} = {record['recipe'].get(key)}, not {wanted[key]}; "
                "train into another folder, or delete this one"
            )
        if record["gpatlas"] != __version__:
            raise ConfigError(f"{path} was written by gpatlas {record['gpatlas']}, this is {__version__}; train anew")
        tensors = {key: torch.from_numpy(np.array(value)) for key, value in arrays.items()}
        self.network.load_state_dict(_under("network.", tensors))
        for name, value in _under("average.", tensors).items():
            self.average[name].copy_(value)
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in _under("optimizer.", tensors).items():
            number, key = name.split(".")
            moments.setdefault(int(number), {})[key] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": moments})
        self.losses = [tuple(pair) for pair in record["losses"]]
        for key in ("batch", "digest", "pending", "validations", "seconds"):
            setattr(self, key, record[key])


def content_hash(task: Task) -> str:
    """Hash a population: equal hashes mean the same draw."""
    digest = hashlib.blake2b(digest_size=8)
    for array in (task.genotypes, task.position, task.phenotype, task.genetic_value, task.context):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
