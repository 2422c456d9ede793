"""`Work`: what fitting a model asks of a machine, so that a run can be priced before it starts."""

from dataclasses import dataclass, replace
from typing import Any

# bytes that a process of `gpatlas fit` holds before it has any data, without and with torch
CLASSICAL_PROCESS, TORCH_PROCESS = 2.1e8, 5.1e8


@dataclass(frozen=True)
class Work:
    """Cost of one fit.

    Parameters
    ----------
    flops
        Floating-point operations of its matrix products in single precision.
    memory
        Bytes that the process holds at once.
    steps
        Optimiser steps, which cost time however small they are.
    traffic
        Bytes that pass through memory outside matrix products.
    flops64
        Floating-point operations of its matrix products in double precision.
    eigen
        Cubed rows of its symmetric eigendecompositions in double precision.
    dense
        Bytes of memory that are dense genotypes, which an estimator that streams leaves on disk where they are packed.
    core_flops, core_traffic
        As `flops` and `traffic`, of what stays on a core although the estimator takes a GPU. Work in double precision
        always does.
    """

    flops: float
    memory: float
    steps: float = 0.0
    traffic: float = 0.0
    flops64: float = 0.0
    eigen: float = 0.0
    dense: float = 0.0
    core_flops: float = 0.0
    core_traffic: float = 0.0

    def __add__(self, other: "Work") -> "Work":
        """Return the cost of one after the other."""
        larger = self if self.memory >= other.memory else other
        return Work(
            self.flops + other.flops,
            larger.memory,
            self.steps + other.steps,
            self.traffic + other.traffic,
            self.flops64 + other.flops64,
            self.eigen + other.eigen,
            larger.dense,
            self.core_flops + other.core_flops,
            self.core_traffic + other.core_traffic,
        )

    def __mul__(self, times: float) -> "Work":
        """Return the cost of doing it so many times."""
        return Work(
            times * self.flops,
            self.memory,
            times * self.steps,
            times * self.traffic,
            times * self.flops64,
            times * self.eigen,
            self.dense,
            times * self.core_flops,
            times * self.core_traffic,
        )

    def on_core(self) -> "Work":
        """Return it as work that no GPU takes."""
        core_flops, core_traffic = self.core_flops + self.flops, self.core_traffic + self.traffic
        return replace(self, flops=0.0, traffic=0.0, core_flops=core_flops, core_traffic=core_traffic)

    def held(self, estimator: Any, packed: bool) -> float:
        """Return the bytes held where genotypes are packed or are not: an estimator that streams needs less."""
        return self.memory - (self.dense if packed and getattr(estimator, "streams", False) else 0.0)
