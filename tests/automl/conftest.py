"""Fixtures of the tests of AutoML."""

from tests.automl.fakes import compete

__all__ = ["compete"]
