"""The report: everything that a run produced, on one self-contained HTML page."""

from gpatlas.report.page import write_report

__all__ = ["write_report"]
