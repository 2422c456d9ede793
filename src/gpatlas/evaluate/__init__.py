"""Metrics of predictions, and closed-form expectations to hold them against."""

from gpatlas.evaluate.expectations import expected_rrblup_accuracy, expected_variance_shares
from gpatlas.evaluate.metrics import METRICS, evaluate

__all__ = ["METRICS", "evaluate", "expected_rrblup_accuracy", "expected_variance_shares"]
