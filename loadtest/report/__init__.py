"""The report: a run as one page. It reads the run folder and judges nothing."""

from loadtest.report.page import write_report

__all__ = ["write_report"]
