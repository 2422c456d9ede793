"""One training loop for every network."""

from gpatlas.train.loop import History, TrainSettings, predict, train

__all__ = ["History", "TrainSettings", "predict", "train"]
