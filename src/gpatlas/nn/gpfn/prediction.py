"""What a network predicts, and how likely that makes the truth: as a normal or as a bar distribution."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gpatlas.errors import ConfigError

OUTPUTS = ("gaussian", "bar")
_SMALLEST_VARIANCE = 1e-4  # added to a normal's, in variances of the phenotype


@dataclass(frozen=True)
class Prediction:
    """Genetic values of queries in standard deviations of the context's phenotypes.

    Parameters
    ----------
    mean, variance
        `(B, Q)`.
    noise
        Error variance of phenotypes, `(B,)`.
    means, variances, weights
        Of the experts `(B, Q, E)`, and their weights `(B, E)`.
    log_mass
        Of a network with buckets of its own: log probability of each, `(B, Q, K)`.
    """

    mean: Tensor
    variance: Tensor
    noise: Tensor
    means: Tensor
    variances: Tensor
    weights: Tensor
    log_mass: Tensor | None = None


def normal_log_density(mean: Tensor, variance: Tensor, value: Tensor) -> Tensor:
    """Return the log density of a normal, up to a constant."""
    variance = variance + _SMALLEST_VARIANCE
    return -0.5 * ((value - mean).square() / variance + torch.log(variance))


class BarDistribution(nn.Module):
    """A distribution of constant density in each of some buckets (Müller et al. 2022, ICLR), with half-normal tails.

    Borders are quantiles of a normal, so that buckets are narrow where genetic values lie.

    Parameters
    ----------
    n_buckets
        K, the two tails among them.
    scale
        Standard deviation of that normal, in those of the phenotype.
    """

    borders: Tensor

    def __init__(self, n_buckets: int = 50, scale: float = 1.0):
        super().__init__()
        if n_buckets < 3:
            raise ConfigError(f"n_buckets {n_buckets}: a bar distribution has 3 or more, two of them tails")
        inner = torch.arange(1, n_buckets, dtype=torch.float64) / n_buckets
        self.register_buffer("borders", (scale * torch.special.ndtri(inner)).float(), persistent=False)

    @property
    def centres(self) -> Tensor:
        """Means of the buckets, `(K,)`."""
        middle = (self.borders[1:] + self.borders[:-1]) / 2
        reach = self._tail * (2 / torch.pi) ** 0.5
        return torch.cat([self.borders[:1] - reach, middle, self.borders[-1:] + reach])

    @property
    def _tail(self) -> Tensor:
        """Standard deviation of the tails, that of the normal's own."""
        return self.borders[-1] / 2

    def log_density(self, log_mass: Tensor, value: Tensor) -> Tensor:
        """Return the log density of values `(...)` under log masses `(..., K)`."""
        value = value.to(log_mass)
        bucket = torch.bucketize(value, self.borders.to(log_mass))
        mass = log_mass.gather(-1, bucket[..., None])[..., 0]
        width = torch.log(self.borders[1:] - self.borders[:-1]).to(log_mass)
        inside = -width[(bucket - 1).clamp(0, len(width) - 1)]
        beyond = torch.maximum(self.borders[0] - value, value - self.borders[-1]).clamp(min=0.0) / self._tail
        tail = -0.5 * beyond.square() - torch.log(self._tail * (torch.pi / 2) ** 0.5)
        return mass + torch.where((bucket == 0) | (bucket == len(self.borders)), tail, inside)

    def moments(self, log_mass: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and variance `(...)`."""
        mass, centres = log_mass.exp(), self.centres.to(log_mass)
        width = (self.borders[1:] - self.borders[:-1]).to(log_mass)
        tail = self._tail.to(log_mass)[None].square() * (1 - 2 / torch.pi)
        within = torch.cat([tail, width.square() / 12, tail])
        mean = mass @ centres
        return mean, mass @ (within + centres.square()) - mean.square()

    def of_mixture(self, predicted: Prediction) -> Tensor:
        """Return the log masses `(B, Q, K)` of a mixture of normals, the experts'."""
        sd_BQE1 = (predicted.variances + _SMALLEST_VARIANCE).sqrt()[..., None]
        at = (self.borders.to(sd_BQE1) - predicted.means[..., None]) / sd_BQE1
        below = torch.special.ndtr(at)
        edges = torch.cat([torch.zeros_like(below[..., :1]), below, torch.ones_like(below[..., :1])], -1)
        mass_BQK = torch.einsum("bqek,be->bqk", edges.diff(dim=-1), predicted.weights)
        return torch.log(mass_BQK.clamp(min=1e-7))
