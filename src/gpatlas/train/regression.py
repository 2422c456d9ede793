"""From arrays to a trained network and back: what network estimators do below scikit-learn's surface."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gpatlas.nn.inputs import AlleleCounts, StandardisedDosage
from gpatlas.nn.mlp import seeded
from gpatlas.train.loop import Progress, predict, train
from gpatlas.train.many import Member, train_many
from gpatlas.train.precision import Arithmetic
from gpatlas.train.settings import History, TrainSettings

Samples = tuple[NDArray, NDArray[np.float64]]
InputCoding = Literal["standardised", "allele_counts"]
_BLOCK_VALUES = 1 << 22


@dataclass(frozen=True)
class TrainedNetwork:
    """A network from raw dosage to traits, with the scale of its targets.

    Parameters
    ----------
    network
        Maps dosage `(B, N)` to scaled traits `(B, T)`.
    target_mean, target_scale
        `(T,)`; a prediction is output · scale + mean.
    history
        Losses of training.
    """

    network: nn.Module
    target_mean: NDArray[np.float64]
    target_scale: NDArray[np.float64]
    history: History

    def predict(self, x: NDArray, arithmetic: Arithmetic) -> NDArray[np.float64]:
        """Return predictions in trait units, `(n, T)`."""
        output = predict(self.network, dosage_tensor(x), arithmetic).cpu().numpy().astype(np.float64)
        return output * self.target_scale + self.target_mean

    def state(self) -> dict[str, Any]:
        """Return all that `from_state` needs, in numbers, text and NumPy arrays only."""
        encoder = self.network[0]
        return {
            "n_features": encoder.n_features,
            "ploidy": getattr(encoder, "ploidy", 0),  # 0: standardised dosage
            "weights": {name: tensor.cpu().numpy() for name, tensor in self.network.state_dict().items()},
            "target_mean": self.target_mean,
            "target_scale": self.target_scale,
            "history": vars(self.history),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], build: Callable[[int, int], nn.Module]) -> "TrainedNetwork":
        """Make the network again; `build` as for `train_regression`."""
        n_features, ploidy = state["n_features"], state["ploidy"]
        encoder = (
            AlleleCounts(n_features // 2, ploidy)
            if ploidy
            else StandardisedDosage(torch.zeros(n_features), torch.ones(n_features))
        )
        network = nn.Sequential(encoder, seeded(build, 0, n_features, len(state["target_mean"])))
        network.load_state_dict({name: torch.from_numpy(array) for name, array in state["weights"].items()})
        return cls(network, state["target_mean"], state["target_scale"], History(**state["history"]))


def train_regression(
    training: Samples,
    validation: Samples,
    build: Callable[[int, int], nn.Module],
    settings: TrainSettings,
    arithmetic: Arithmetic,
    *,
    input_coding: InputCoding,
    standardise_targets: bool,
    progress: Progress | None = None,
) -> TrainedNetwork:
    """Train a network.

    Parameters
    ----------
    training, validation
        Dosage `(n, N)` and phenotypes `(n, T)`, NaN where missing.
    build
        Makes the network behind the input coding, given the numbers of features and of traits.
    settings, arithmetic
        How and where; initial weights come from `settings.seed`, too.
    input_coding
        What the first layer sees.
    standardise_targets
        Whether traits are scaled to mean 0 and variance 1 over the training samples.
    progress
        See `train`.
    """
    task = _prepared(training, validation, build, settings.seed, input_coding, standardise_targets)
    member = task.member
    history = train(
        member.network,
        member.x,
        member.y,
        member.x_validation,
        member.y_validation,
        settings,
        arithmetic,
        progress,
    )
    return TrainedNetwork(member.network, task.mean, task.scale, history)


def train_regressions(
    data: Sequence[tuple[Samples, Samples]],
    seeds: Sequence[int],
    build: Callable[[int, int], nn.Module],
    settings: TrainSettings,
    arithmetic: Arithmetic,
    *,
    input_coding: InputCoding,
    standardise_targets: bool,
) -> list[TrainedNetwork]:
    """Train one network on each data set, all at once (see `train_many`).

    Parameters
    ----------
    data
        Training and validation samples of each, of equal shapes.
    seeds
        Of each.
    build, settings, arithmetic, input_coding, standardise_targets
        As for `train_regression`.
    """
    tasks = [
        _prepared(training, validation, build, seed, input_coding, standardise_targets)
        for (training, validation), seed in zip(data, seeds, strict=True)
    ]
    histories = train_many([task.member for task in tasks], settings, arithmetic)
    return [
        TrainedNetwork(task.member.network, task.mean, task.scale, history)
        for task, history in zip(tasks, histories, strict=True)
    ]


@dataclass(frozen=True)
class _Task:
    """A network with its data as tensors, and the scale of its targets."""

    member: Member
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]


def _prepared(
    training: Samples,
    validation: Samples,
    build: Callable[[int, int], nn.Module],
    seed: int,
    input_coding: InputCoding,
    standardise_targets: bool,
) -> _Task:
    x, y = training
    mean, scale = np.zeros(y.shape[1]), np.ones(y.shape[1])
    if standardise_targets:
        mean, spread = np.nanmean(y, axis=0), np.nanstd(y, axis=0)
        scale = np.where(spread > 0, spread, 1.0)

    def scaled(values: NDArray[np.float64]) -> Tensor:
        return torch.from_numpy(((values - mean) / scale).astype(np.float32))

    encoder = _encoder(x, input_coding)
    network = nn.Sequential(encoder, seeded(build, seed, encoder.n_features, y.shape[1]))
    tensors = (dosage_tensor(x), scaled(y), dosage_tensor(validation[0]), scaled(validation[1]))
    return _Task(Member(network, *tensors, seed), mean, scale)


def dosage_tensor(x: NDArray) -> Tensor:
    """Keep small integers as int8, a quarter of float32's memory on the device."""
    if x.dtype.kind in "iub" and x.size and x.min() >= -128 and x.max() <= 127:
        return torch.from_numpy(np.require(x, np.int8, ["C", "W"]))
    return torch.from_numpy(np.require(x, np.float32, ["C", "W"]))


def _encoder(x: NDArray, coding: InputCoding) -> AlleleCounts | StandardisedDosage:
    if coding == "allele_counts":
        return AlleleCounts(x.shape[1], ploidy=max(1, int(np.ceil(np.nanmax(x)))))
    mean, spread = _moments(x)
    scale = np.where(spread > 1e-8 * np.maximum(np.abs(mean), 1.0), spread, 1.0)
    return StandardisedDosage(*(torch.from_numpy(v.astype(np.float32)) for v in (mean, scale)))


def _moments(x: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of every locus over the calls that are there, in blocks of samples."""
    known, total, square = np.zeros((3, x.shape[1]))
    for start in range(0, len(x), step := max(1, _BLOCK_VALUES // x.shape[1])):
        block = x[start : start + step].astype(np.float64)
        missing = np.isnan(block)
        block[missing] = 0.0
        known += len(block) - missing.sum(axis=0)
        total += block.sum(axis=0)
        square += (block**2).sum(axis=0)
    mean = total / np.maximum(known, 1)
    return mean, np.sqrt(np.maximum(square / np.maximum(known, 1) - mean**2, 0.0))
