"""The report: a run as one page that can be sent to a colleague. Reads the folder, judges nothing."""

from loadtest.report.page import write_report

__all__ = ["write_report"]
