"""Tuning: hyperparameters chosen on validation samples, by trials that several processes may share and resume."""

from gpatlas.tuning.importance import importances
from gpatlas.tuning.search import TuneResult, tune_dataset

__all__ = ["TuneResult", "importances", "tune_dataset"]
