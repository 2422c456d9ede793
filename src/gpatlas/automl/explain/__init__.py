"""Why a model predicts what it does, and what the data say besides: effects, breeding values, structure."""

from gpatlas.automl.explain.explanation import Explanation, write_explanation
from gpatlas.automl.explain.run import explain

__all__ = ["Explanation", "explain", "write_explanation"]
