"""The candidates of AutoML by name, cheapest first; each learner's library is loaded when one is made."""

from gpatlas.automl.candidates.candidate import Candidate
from gpatlas.automl.candidates.portfolio import CANDIDATES

__all__ = ["CANDIDATES", "Candidate"]
