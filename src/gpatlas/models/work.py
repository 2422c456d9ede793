"""`Work`: what fitting a model asks of a machine, so that a run can be priced before it starts."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Work:
    """Cost of one fit.

    Parameters
    ----------
    flops
        Floating-point operations of its matrix products.
    steps
        Optimiser steps, which cost time however small they are.
    traffic
        Bytes that pass through memory outside matrix products.
    memory
        Bytes held at once.
    dense
        Bytes among them of the genotypes, which an estimator that streams leaves on disk where they are packed.
    """

    flops: float
    memory: float
    steps: float = 0.0
    traffic: float = 0.0
    dense: float = 0.0


def memory_of_fit(estimator: Any, n_samples: int, n_loci: int, n_traits: int, packed: bool) -> float:
    """Return the bytes that fitting an estimator holds at once, to genotypes that are packed or are not."""
    work: Work = estimator.work(n_samples, n_loci, n_traits)
    return work.memory - (work.dense if packed and getattr(estimator, "streams", False) else 0.0)
