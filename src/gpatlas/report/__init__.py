"""The report: everything that a run produced, on one self-contained HTML page."""

from gpatlas.report.automl_results import read_results
from gpatlas.report.page import write_report

__all__ = ["read_results", "write_report"]
