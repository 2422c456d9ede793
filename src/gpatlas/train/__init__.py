"""One training loop for every network."""

import os

# Gradients of wide layers are freed and allocated anew in every step; on huge pages that costs a tenth of the page
# faults (an eighth of the CPU time of a 4096-wide network). torch reads it at its first allocation.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

from gpatlas.train.loop import predict, train
from gpatlas.train.settings import History, TrainSettings

__all__ = ["History", "TrainSettings", "predict", "train"]
