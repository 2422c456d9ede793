"""Tasks of a prior as one batch of tensors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gpatlas.nn.gpfn.population import Population


class TaskLike(Protocol):
    """What is read of a task: `gpatlas.priors.Task` has it."""

    @property
    def genotypes(self) -> NDArray[np.int8]:
        """Dosage `(n, m)`."""
        ...

    @property
    def chromosome(self) -> NDArray[np.int32]:
        """`(m,)`."""
        ...

    @property
    def phenotype(self) -> NDArray[np.float64]:
        """`(n,)`."""
        ...

    @property
    def genetic_value(self) -> NDArray[np.float64]:
        """`(n,)`."""
        ...

    @property
    def context(self) -> NDArray[np.bool_]:
        """`(n,)`; True for rows whose phenotype is told."""
        ...


@dataclass(frozen=True)
class TaskBatch:
    """Populations with the same number of markers; rows of zeros fill up contexts and queries of unequal length.

    Parameters
    ----------
    z, query
        Genotypes less the context's mean, `(B, N, M)` and `(B, Q, M)`.
    y, g, query_y
        Phenotypes of the context `(B, N)`, genetic values and phenotypes of the queries `(B, Q)`, less the mean of the
        context's phenotypes, in their standard deviations.
    mask, query_mask
        1 for rows that are there.
    chromosome
        `(B, M)`.
    """

    z: Tensor
    y: Tensor
    mask: Tensor
    query: Tensor
    g: Tensor
    query_y: Tensor
    query_mask: Tensor
    chromosome: Tensor

    @classmethod
    def of(cls, tasks: Sequence[TaskLike], dtype: torch.dtype = torch.float32) -> "TaskBatch":
        """Collate tasks."""
        parts = [_standardised(task) for task in tasks]
        z, y, query, g, query_y = (
            _padded([torch.from_numpy(part[k]).to(dtype) for part in parts]) for k in range(len(parts[0]))
        )
        mask, query_mask = (_padded([torch.ones(len(part[k]), dtype=dtype) for part in parts]) for k in (1, 3))
        chromosome = torch.stack([torch.from_numpy(np.ascontiguousarray(task.chromosome)) for task in tasks])
        return cls(z, y, mask, query, g, query_y, query_mask, chromosome)

    @property
    def population(self) -> Population:
        """The contexts."""
        return Population.of(self.z, self.y, self.mask, self.chromosome)

    def to(self, device: Any) -> "TaskBatch":
        """Return it on another device."""
        return TaskBatch(*(value.to(device) for value in vars(self).values()))


def _standardised(task: TaskLike) -> tuple[NDArray, ...]:
    known = task.phenotype[task.context]
    mean, sd = known.mean(), known.std(ddof=1)
    x = task.genotypes.astype(np.float64)
    centre = x[task.context].mean(axis=0)
    y = (known - mean) / sd
    g = (task.genetic_value[~task.context] - mean) / sd
    query_y = (task.phenotype[~task.context] - mean) / sd
    return x[task.context] - centre, y, x[~task.context] - centre, g, query_y


def _padded(rows: list[Tensor]) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
