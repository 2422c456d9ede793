"""What a run will cost on this machine, before it starts, and what it then did: jobs, time, memory and disk.

Times follow from the matrix products, optimiser steps and memory traffic of every fit (`Work`), at rates that are
measured here in a few seconds. It is an estimate: networks stop early when they like.
"""

from gpatlas.cost.happened import Happened, what_happened
from gpatlas.cost.machine import Machine, calibrate
from gpatlas.cost.prices import seconds_of_fit
from gpatlas.cost.resources import Request, Requests
from gpatlas.cost.show import duration, print_comparison, print_estimate
from gpatlas.cost.stages import Stage, estimate, needs_torch
from gpatlas.cost.verdict import obstacles, wall_seconds

__all__ = [
    "Happened",
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
    "seconds_of_fit",
    "wall_seconds",
    "what_happened",
]
