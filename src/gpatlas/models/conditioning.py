"""Training populations that a pretrained network is conditioned on: between arrays in trait units and its tensors."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gpatlas.models.fixed_effects import FixedEffects
from gpatlas.models.products import row_blocks

if TYPE_CHECKING:
    from torch import nn

    from gpatlas.nn.gpfn.awg import Conditioned

Array = NDArray[np.float64]
_DOUBLE = 1 << 26  # genotypes up to which they are held in double precision
_BLOCK = 1 << 24  # genotypes of new samples at once


@dataclass
class Conditioning:
    """Traits phenotyped in the same samples.

    Parameters
    ----------
    z
        `(n, n_loci)` genotypes less their mean.
    mean_x
        `(n_loci,)` what was subtracted.
    y
        `(n, n_traits)` phenotypes, projected by what is fixed, in standard deviations.
    sd
        `(n_traits,)` these; 0 for a trait that does not vary.
    basis
        `(n, rank)` of what is fixed.
    traits
        `(n_traits,)` their numbers.
    chromosome
        `(n_loci,)` numbers, or None.
    """

    z: NDArray
    mean_x: Array
    y: Array
    sd: Array
    basis: Array
    traits: NDArray[np.intp]
    chromosome: NDArray[np.int64] | None
    solved: "list[Conditioned] | None" = field(default=None, repr=False)

    @classmethod
    def of(
        cls, x: NDArray, y: Array, fixed: FixedEffects, traits: NDArray[np.intp], chromosome: NDArray[np.int64] | None
    ) -> "Conditioning":
        """Take complete dosages and centred traits `(n, n_traits)`."""
        mean = x.mean(axis=0, dtype=np.float64)
        z, largest = np.empty(x.shape, np.float64 if x.size <= _DOUBLE else np.float32), np.zeros(x.shape[1])
        for rows in row_blocks(x):
            z[rows] = x[rows] - mean
            np.maximum(largest, np.abs(z[rows]).max(axis=0), out=largest)
        z[:, largest <= 1e-9 * np.abs(mean)] = 0.0  # no rounding is taken for genotypes
        contrasts = fixed.project(y)
        sd: Array = np.sqrt((contrasts**2).sum(axis=0) / (len(y) - fixed.rank))
        return cls(z, mean, contrasts / np.where(sd > 0, sd, 1.0), sd, fixed.basis, traits, chromosome)

    def solve(self, network: "nn.Module", device: Any) -> "list[Conditioned]":
        """Condition the network on each trait; kernels that traits share are decomposed once."""
        import torch

        from gpatlas.nn.gpfn.population import Population

        if self.solved is None:
            z, basis = (torch.from_numpy(value).to(device)[None] for value in (self.z, self.basis))
            mask = torch.ones(1, len(self.z), dtype=torch.float64, device=device)
            chromosome = None
            if self.chromosome is not None:
                chromosome = torch.from_numpy(self.chromosome).to(device)[None]
            shared: dict[int, Any] = {}
            self.solved = []
            with torch.no_grad():
                for y in self.y.T:
                    trait = torch.from_numpy(np.ascontiguousarray(y)).to(device)[None]
                    population = Population(z, trait, mask, basis, chromosome)
                    self.solved.append(network.condition(population, shared))
        return self.solved

    def predict(self, network: "nn.Module", x: NDArray, device: Any) -> tuple[Array, Array]:
        """Return genomic values less their training mean, and their variances, `(n_new, n_traits)`, of dosages."""
        import torch

        values, variances = np.zeros((2, len(x), len(self.traits)))
        step = max(1, _BLOCK // max(1, x.shape[1]))
        for start in range(0, len(x), step):
            rows = slice(start, start + step)
            query = torch.from_numpy((x[rows] - self.mean_x).astype(self.z.dtype)).to(device)[None]
            for column, conditioned in enumerate(self.solve(network, device)):
                with torch.no_grad():
                    found = network.predict(conditioned, query)
                values[rows, column] = found.mean[0].cpu().numpy() * self.sd[column]
                variances[rows, column] = found.variance[0].cpu().numpy() * self.sd[column] ** 2
        return values, variances

    def __getstate__(self) -> dict[str, Any]:
        """Return what a file holds: what is solved is solved anew, it would be many times as large."""
        return self.__dict__ | {"solved": None}
