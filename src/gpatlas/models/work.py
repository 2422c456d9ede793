"""`Work`: what fitting a model asks of a machine, so that a run can be priced before it starts."""

from dataclasses import dataclass


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
    """

    flops: float
    memory: float
    steps: float = 0.0
    traffic: float = 0.0
