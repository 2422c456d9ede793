"""What a run will cost on this machine, before it starts, and what it then did: jobs, time, memory and disk.

Times follow from the matrix products, optimiser steps and memory traffic of every fit (`Work`), at rates that are
measured here in a few seconds. It is an estimate: networks stop early when they like.
"""

from gpatlas.cost.happened import Happened, sum_up, what_happened
from gpatlas.cost.machine import Machine, calibrate
from gpatlas.cost.prices import JobCost, seconds_of_fit
from gpatlas.cost.resources import Request, Requests, request
from gpatlas.cost.show import duration, print_comparison, print_estimate
from gpatlas.cost.stages import Stage, estimate, needs_torch
from gpatlas.cost.verdict import obstacles, wall_seconds

__all__ = [
    "Happened",
    "JobCost",
    "Machine",
    "Request",
    "Requests",
    "Stage",
    "calibrate",
    "duration",
    "estimate",
    "needs_torch",
    "obstacles",
    "print_comparison",
    "print_estimate",
    "request",
    "seconds_of_fit",
    "sum_up",
    "wall_seconds",
    "what_happened",
]
