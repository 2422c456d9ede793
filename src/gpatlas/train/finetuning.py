"""Finetuning: a head learns to predict from a network's latents, first while they stay, then while they move too.

B samples, N loci, L latents, D width, E environments, O outputs. While the encoder is frozen, latents are computed
once and the head alone is trained, which takes next to nothing.
"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gpatlas.nn.perceiver.heads import Head
from gpatlas.nn.perceiver.parts import ALL, check_parts, free_parts
from gpatlas.train.loop import Progress
from gpatlas.train.outcomes import Outcome
from gpatlas.train.precision import Arithmetic
from gpatlas.train.settings import History

Samples = tuple[NDArray[np.int16], NDArray[np.float64]]  # codes `(n, N)` and phenotypes `(n, E)`
Solve = Callable[[Head, Tensor, NDArray[np.float64]], None]
_ENCODED_AT_ONCE = 1 << 21  # loci of the samples of a block
_SCORED_AT_ONCE = 1024  # samples whose pairs are ranked
_LONGEST_GRADIENT = 1.0


@dataclass(frozen=True)
class FinetuneSettings:
    """How a network is finetuned.

    Parameters
    ----------
    frozen_epochs, free_epochs
        Most passes over the training samples with the encoder as it is, and then with parts of it free.
    free
        Parts that are freed (`gpatlas.nn.perceiver.parts`).
    learning_rate
        Of AdamW for the head while the encoder is frozen; of everything, if it never is.
    free_learning_rate
        Of everything after that.
    weight_decay
        Of matrices.
    batch_size
        Samples per step.
    patience
        Epochs without improvement of the validation loss that end a phase.
    refit
        Whether, once validation samples have said how many epochs of each phase to train, everything is trained anew
        with them among the training samples.
    seed
        Of the order of samples, and of dropout.
    """

    frozen_epochs: int = 100
    free_epochs: int = 100
    free: Sequence[str] = (ALL,)
    learning_rate: float = 3e-3
    free_learning_rate: float = 1e-4
    weight_decay: float = 0.01
    batch_size: int = 32
    patience: int = 20
    refit: bool = True
    seed: int = 0


@dataclass(frozen=True)
class Finetuned:
    """A network and what predicts from its latents, in evaluation mode; `epochs` are those of each phase."""

    network: nn.Module
    head: Head
    outcome: Outcome
    history: History
    epochs: tuple[int, int]


@torch.no_grad()
def encode(network: nn.Module, codes: NDArray[np.int16], arithmetic: Arithmetic) -> Tensor:
    """Return latents `(n, L, D)`, float32 on the device, encoded in blocks; the network is evaluated."""
    network.eval().to(arithmetic.device)
    parts = []
    for block in torch.from_numpy(codes).split(_block(codes)):
        with arithmetic.autocast():
            parts.append(network.encode(block.to(arithmetic.device)).float())
    return torch.cat(parts)


@torch.no_grad()
def outputs(network: nn.Module, head: Head, codes: NDArray[np.int16], arithmetic: Arithmetic) -> Tensor:
    """Return outputs `(n, E, O)`; latents are never held of all samples at once."""
    head.eval().to(arithmetic.device)
    starts = range(0, len(codes), _block(codes))
    return torch.cat([head(encode(network, codes[start : start + _block(codes)], arithmetic)) for start in starts])


def finetune(
    network: nn.Module,
    head: Head,
    outcome: Outcome,
    training: Samples,
    validation: Samples | None,
    settings: FinetuneSettings,
    arithmetic: Arithmetic,
    *,
    solve: Solve | None = None,
    progress: Progress | None = None,
) -> Finetuned:
    """Train a head, then a head and parts of its network, and keep what validation samples are predicted best by.

    Parameters
    ----------
    network, head, outcome
        Before training, but for the outcome's scale; what is given is not changed.
    training, validation
        Codes and phenotypes, NaN where missing. Without validation samples all epochs are trained.
    settings, arithmetic
        How and where.
    solve
        Sets the head's weights from the latents and targets of the training samples, which then is the first phase.
    progress
        Called after every epoch with (epoch, epochs at most, validation loss).

    Raises
    ------
    ConfigError
        A part that the network does not have.
    FloatingPointError
        Training diverged.
    ValueError
        The validation samples cannot be scored: no phenotype, or for a ranking no two that differ.
    """
    check_parts(network, settings.free)  # also where no phase would come to free it
    devices = [arithmetic.device] if arithmetic.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):

        def run(samples: Samples, stopping: Samples | None, epochs: tuple[int, int], say: Progress | None) -> _Run:
            torch.manual_seed(settings.seed)
            one = _Run(*copy.deepcopy((network, head, outcome)), samples, stopping, settings, arithmetic, epochs, say)
            one.train(solve)
            return one

        most = (settings.frozen_epochs, settings.free_epochs)
        found = last = run(training, validation, most, progress)
        if settings.refit and validation is not None:
            codes, y = (np.concatenate([training[part], validation[part]]) for part in (0, 1))
            last = run((codes, y), None, found.best_epochs, None)
    return Finetuned(last.network, last.head, last.outcome, found.history, found.best_epochs)


class _Run:
    """One course of training, and the best state that validation has seen; the phases go on from it."""

    def __init__(
        self,
        network: nn.Module,
        head: Head,
        outcome: Outcome,
        training: Samples,
        stopping: Samples | None,
        settings: FinetuneSettings,
        arithmetic: Arithmetic,
        epochs: tuple[int, int],
        progress: Progress | None,
    ):
        self.network, self.head, self.outcome = network, head, outcome
        self.modules = nn.ModuleList([network, head, outcome]).to(arithmetic.device)
        self.training, self.stopping, self.settings, self.arithmetic = training, stopping, settings, arithmetic
        self.epochs, self.progress = epochs, progress
        self.target = outcome.targets(training[1]).to(arithmetic.device)
        self.order = torch.Generator().manual_seed(settings.seed)
        self.history, self.best_loss, self.best_epochs = History(), float("inf"), (0, 0)
        self.best: dict[str, Tensor] | None = None

    def train(self, solve: Solve | None) -> None:
        """Train both phases, and leave the modules in their best state, in evaluation mode."""
        latents = encode(self.network, self.training[0], self.arithmetic)
        self.head.learn_scale(latents)
        stop = None if self.stopping is None else encode(self.network, self.stopping[0], self.arithmetic)

        def from_latents() -> Tensor:
            assert stop is not None
            return torch.cat([self.head(part) for part in stop.split(_SCORED_AT_ONCE)])

        if solve is not None:
            solve(self.head, latents, self.target.cpu().numpy())
            if stop is not None:
                self._judge(self._validation_loss(from_latents), (0, 0))
        elif self.epochs[0]:
            free_parts(self.network, ())
            self._phase(0, lambda rows: latents[rows], self.head, self.settings.learning_rate, from_latents)
        if self.epochs[1]:
            free_parts(self.network, self.settings.free)
            codes = torch.from_numpy(self.training[0]).to(self.arithmetic.device)
            never_frozen = self.settings.frozen_epochs == 0
            rate = self.settings.learning_rate if never_frozen else self.settings.free_learning_rate

            def from_codes() -> Tensor:
                assert self.stopping is not None
                return outputs(self.network, self.head, self.stopping[0], self.arithmetic)

            self._phase(1, lambda rows: self.network.encode(codes[rows]), self.modules, rate, from_codes)
        self._restore()
        free_parts(self.network, (ALL,))
        self.modules.eval()
        lost = self.stopping is not None and self.best is None
        if lost or not all(torch.isfinite(value).all() for value in self.modules.parameters()):
            raise FloatingPointError("training diverged: no finite loss; lower learning_rate")

    def _phase(
        self,
        number: int,
        latents_of: Callable[[Tensor], Tensor],
        learning: nn.Module,
        rate: float,
        outputs_of_others: Callable[[], Tensor],
    ) -> None:
        """Descend the loss until validation does not improve, from the best state so far."""
        self._restore()
        optimizer = torch.optim.AdamW(_groups([learning, self.outcome], self.settings.weight_decay), lr=rate)
        before, stale, seen = self.best_epochs[0], 0, len(self.history.train_loss)
        for epoch in range(1, self.epochs[number] + 1):
            self.modules.train()
            if number == 0:
                self.network.eval()
            self.history.train_loss.append(self._descend(latents_of, optimizer))
            found, epochs = float("nan"), (before, epoch) if number else (epoch, 0)
            if self.stopping is None:
                self.best_epochs = epochs
            else:
                found = self._validation_loss(outputs_of_others)
                stale = 0 if self._judge(found, epochs) else stale + 1
            self.history.validation_loss.append(found)
            if self.progress is not None:
                self.progress(seen + epoch, sum(self.epochs), found)
            if stale >= self.settings.patience:
                break

    def _descend(self, latents_of: Callable[[Tensor], Tensor], optimizer: torch.optim.Optimizer) -> float:
        """Pass over the training samples once; returns their mean loss."""
        total = torch.zeros((), device=self.arithmetic.device)
        order = torch.randperm(len(self.target), generator=self.order).to(self.arithmetic.device)
        for rows in order.split(self.settings.batch_size):
            optimizer.zero_grad(set_to_none=True)
            with self.arithmetic.autocast():
                output = self.head(latents_of(rows))
            loss, count = self.outcome.loss(output.float(), self.target[rows])
            loss = loss / count.clamp(min=1)
            loss.backward()
            nn.utils.clip_grad_norm_(self.modules.parameters(), _LONGEST_GRADIENT)
            optimizer.step()
            total += loss.detach() * (len(rows) / len(self.target))
        return total.item()

    @torch.no_grad()
    def _validation_loss(self, outputs_of_others: Callable[[], Tensor]) -> float:
        assert self.stopping is not None
        self.modules.eval()
        output = outputs_of_others()
        target = self.outcome.targets(self.stopping[1]).to(output.device)
        blocks = zip(output.split(_SCORED_AT_ONCE), target.split(_SCORED_AT_ONCE), strict=True)
        losses, counts = zip(*(self.outcome.loss(*block) for block in blocks), strict=True)
        if not sum(counts):
            raise ValueError(f"validation samples ({len(target)}) have no phenotypes that the loss could compare")
        return (sum(losses) / sum(counts)).item()

    def _judge(self, loss: float, epochs: tuple[int, int]) -> bool:
        """Keep the present state if it is the best so far."""
        if not loss < self.best_loss:
            return False
        self.best_loss, self.best_epochs = loss, epochs
        self.history.best_epoch = len(self.history.train_loss)
        self.best = copy.deepcopy(self.modules.state_dict())
        return True

    def _restore(self) -> None:
        if self.best is not None:
            self.modules.load_state_dict(self.best)


def _groups(modules: Sequence[nn.Module], weight_decay: float) -> list[dict]:
    """Return parameters that learn: matrices, which decay, and vectors, which do not."""
    learning = {id(p): p for module in modules for p in module.parameters() if p.requires_grad}.values()
    return [
        {"params": [p for p in learning if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in learning if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _block(codes: NDArray) -> int:
    return max(1, _ENCODED_AT_ONCE // max(1, codes.shape[1]))
