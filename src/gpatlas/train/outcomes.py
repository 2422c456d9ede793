"""Outcomes: how a network's outputs are scored against phenotypes, and turned into predictions in their units.

B samples, E environments, O outputs, C classes. A phenotype that is not there (NaN) is not in any loss.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from gpatlas.errors import did_you_mean

_FOCUS = 2.0  # γ of the focal loss


class Outcome(nn.Module):
    """Base: a number in every environment, standardised there.

    Outputs are deviations from a prediction that knows no genotypes, `base`: a network whose output is 0 predicts means
    and frequencies.
    """

    base_EO: Tensor

    def __init__(self, n_environments: int, classes: Sequence[float] = ()):
        super().__init__()
        self.n_outputs = self._count_outputs(len(classes))
        self.register_buffer("classes", torch.tensor(classes, dtype=torch.float64))
        for name in ("mean", "scale"):
            self.register_buffer(name, torch.ones(n_environments, dtype=torch.float64))
        self.register_buffer("base_EO", torch.zeros(n_environments, self.n_outputs))

    def _count_outputs(self, n_classes: int) -> int:
        return 1

    def learn_scale(self, y: NDArray[np.float64]) -> None:
        """Take means, scales or frequencies from phenotypes `(n, E)`."""
        spread = np.nanstd(y, axis=0)
        self.mean = torch.from_numpy(np.nanmean(y, axis=0))
        self.scale = torch.from_numpy(np.where(spread > 0, spread, 1.0))

    def targets(self, y: NDArray[np.float64]) -> Tensor:
        """Return what the loss compares with, float32 `(n, E)`."""
        return ((torch.from_numpy(y) - self.mean.cpu()) / self.scale.cpu()).float()

    def loss(self, output_BEO: Tensor, target_BE: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sum of the loss over what is known, and how many that are."""
        known_BE = ~torch.isnan(target_BE)
        each = self._each((output_BEO + self.base_EO)[known_BE], target_BE[known_BE], known_BE)
        return each.sum(), known_BE.sum()

    def _each(self, output_KO: Tensor, target_K: Tensor, known_BE: Tensor) -> Tensor:
        raise NotImplementedError

    def values(self, output_BEO: Tensor) -> Tensor:
        """Return predictions in units of the phenotype, float64 `(B, E)`."""
        return output_BEO[..., 0].double() * self.scale + self.mean

    def probabilities(self, output_BEO: Tensor) -> Tensor:
        """Return probabilities of classes, `(B, E, C)`."""
        raise NotImplementedError


class SquaredError(Outcome):
    """Squared error of the standardised phenotype; predictions are means."""

    def _each(self, output_KO: Tensor, target_K: Tensor, known_BE: Tensor) -> Tensor:
        return (output_KO[:, 0] - target_K).square()


class AbsoluteError(Outcome):
    """Absolute error of the standardised phenotype; predictions are medians."""

    def _each(self, output_KO: Tensor, target_K: Tensor, known_BE: Tensor) -> Tensor:
        return (output_KO[:, 0] - target_K).abs()


class Ranking(Outcome):
    """Pairs in one environment: log loss of which of two samples has the larger phenotype (Burges et al. 2005).

    Predictions order samples; that they have the mean and scale of the phenotype is for show.
    """

    def loss(self, output_BEO: Tensor, target_BE: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sum over ordered pairs of samples, and how many those are."""
        more_BBE = target_BE[:, None] > target_BE[None]  # false where one is not known
        score_BE = output_BEO[..., 0]
        gap_BBE = score_BE[:, None] - score_BE[None]
        return F.softplus(-gap_BBE[more_BBE]).sum(), more_BBE.sum()


class Poisson(Outcome):
    """Counts with a log link; predictions are expected counts."""

    def learn_scale(self, y: NDArray[np.float64]) -> None:
        """Take the log of mean counts."""
        self.base_EO = torch.from_numpy(np.log(np.maximum(np.nanmean(y, axis=0), 1e-6))).float()[:, None]

    def targets(self, y: NDArray[np.float64]) -> Tensor:
        """Return counts as they are."""
        return torch.from_numpy(y).float()

    def _each(self, output_KO: Tensor, target_K: Tensor, known_BE: Tensor) -> Tensor:
        return F.poisson_nll_loss(output_KO[:, 0], target_K, log_input=True, reduction="none")

    def values(self, output_BEO: Tensor) -> Tensor:
        """Return expected counts."""
        return (output_BEO + self.base_EO)[..., 0].double().exp()


class Classes(Outcome):
    """Base of outcomes with classes, ascending numbers that are their names; targets are 0, …, C-1."""

    def targets(self, y: NDArray[np.float64]) -> Tensor:
        """Return numbers of classes, 0, …, C-1."""
        number = np.searchsorted(self.classes.cpu().numpy(), y).astype(np.float32)
        return torch.from_numpy(np.where(np.isnan(y), np.float32(np.nan), number))

    def learn_scale(self, y: NDArray[np.float64]) -> None:
        """Take the classes' frequencies, each counted half a time more than it was seen."""
        count_EC = np.stack([(y == name).sum(axis=0) for name in self.classes.tolist()], axis=1) + 0.5
        self._start(torch.from_numpy(count_EC / count_EC.sum(axis=1, keepdims=True)))

    def _start(self, frequency_EC: Tensor) -> None:
        """Let an output of 0 mean these frequencies."""
        raise NotImplementedError


class Multiclass(Classes):
    """Classes without order: multinomial log loss; predictions are the most probable classes."""

    def _count_outputs(self, n_classes: int) -> int:
        return n_classes

    def _start(self, frequency_EC: Tensor) -> None:
        self.base_EO = frequency_EC.log().float()

    def _each(self, output_KO: Tensor, target_K: Tensor, known_BE: Tensor) -> Tensor:
        return F.cross_entropy(output_KO, target_K.long(), reduction="none")

    def probabilities(self, output_BEO: Tensor) -> Tensor:
        """Return probabilities of classes."""
        return (output_BEO + self.base_EO).double().softmax(dim=-1)

    def values(self, output_BEO: Tensor) -> Tensor:
        """Return the most probable classes."""
        return self.classes[self.probabilities(output_BEO).argmax(dim=-1)]


class Binary(Classes):
    """Two classes: log loss; predictions are probabilities of the second."""

    focus: ClassVar[float] = 0.0

    def _start(self, frequency_EC: Tensor) -> None:
        self.base_EO = torch.logit(frequency_EC[:, 1:]).float()

    def _each(self, output_KO: Tensor, target_K: Tensor, known_BE: Tensor) -> Tensor:
        loss = F.binary_cross_entropy_with_logits(output_KO[:, 0], target_K, reduction="none")
        return loss if self.focus == 0 else (1 - torch.exp(-loss)) ** self.focus * loss

    def probabilities(self, output_BEO: Tensor) -> Tensor:
        """Return probabilities of both classes."""
        case = (output_BEO + self.base_EO).double().sigmoid()
        return torch.cat([1 - case, case], dim=-1)

    def values(self, output_BEO: Tensor) -> Tensor:
        """Return probabilities of the second class."""
        return self.probabilities(output_BEO)[..., 1]


class Focal(Binary):
    """Two classes, those that are predicted well already counting less (Lin et al. 2017, γ = 2)."""

    focus: ClassVar[float] = _FOCUS


class Ordinal(Classes):
    """Ordered classes by proportional odds (McCullagh 1980): P(y > c) = σ(output - threshold_c); predictions are means.

    Thresholds are learnt, in every environment its own.
    """

    def __init__(self, n_environments: int, classes: Sequence[float] = ()):
        super().__init__(n_environments, classes)
        self.first_E = nn.Parameter(torch.zeros(n_environments))
        self.gap_EC = nn.Parameter(torch.zeros(n_environments, len(classes) - 2))  # log of threshold less that before

    def _start(self, frequency_EC: Tensor) -> None:
        threshold_EC = torch.logit(frequency_EC.cumsum(dim=1)[:, :-1])
        with torch.no_grad():
            self.first_E.copy_(threshold_EC[:, 0])
            self.gap_EC.copy_(threshold_EC.diff(dim=1).log())

    def _thresholds(self) -> Tensor:
        return torch.cat([self.first_E[:, None], self.first_E[:, None] + self.gap_EC.exp().cumsum(dim=1)], dim=1)

    def loss(self, output_BEO: Tensor, target_BE: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sum of -log P(y), and how many y there are."""
        known_BE = ~torch.isnan(target_BE)
        infinite_E1 = torch.full_like(self.first_E, torch.inf)[:, None]
        edges_EC = torch.cat([-infinite_E1, self._thresholds(), infinite_E1], dim=1).expand(len(target_BE), -1, -1)
        edges_KC, score_K = edges_EC[known_BE], output_BEO[..., 0][known_BE]
        class_K1 = target_BE[known_BE].long()[:, None]
        low_K, high_K = (edges_KC.gather(1, class_K1 + step)[:, 0] for step in (0, 1))
        # σ(a) - σ(b) = σ(a) σ(-b) (1 - exp(b - a)), which does not cancel
        within = F.logsigmoid(score_K - low_K) + F.logsigmoid(high_K - score_K)
        return -(within + torch.log1p(-torch.exp(low_K - high_K))).sum(), known_BE.sum()

    def probabilities(self, output_BEO: Tensor) -> Tensor:
        """Return probabilities of classes."""
        more = (output_BEO - self._thresholds()).double().sigmoid()
        none, all_ = torch.zeros_like(more[..., :1]), torch.ones_like(more[..., :1])
        return -torch.cat([all_, more, none], dim=-1).diff(dim=-1)

    def values(self, output_BEO: Tensor) -> Tensor:
        """Return expected values, classes being numbers on a scale."""
        return self.probabilities(output_BEO) @ self.classes


OUTCOMES: dict[str, type[Outcome]] = {
    "mse": SquaredError,
    "mae": AbsoluteError,
    "binary": Binary,
    "focal": Focal,
    "multiclass": Multiclass,
    "ordinal": Ordinal,
    "poisson": Poisson,
    "ranking": Ranking,
}


def make_outcome(loss: str, n_environments: int, classes: Sequence[float] = ()) -> Outcome:
    """Make the outcome of a loss, whose scale is still to be learnt."""
    if loss not in OUTCOMES:
        raise ValueError(f"unknown loss '{loss}'{did_you_mean(loss, OUTCOMES)}")
    return OUTCOMES[loss](n_environments, classes)
