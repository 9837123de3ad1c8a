"""The audit of a foreign service, by receipts alone or with its own books if it gives any. Pure."""

from loadtest.verdict.foreign.case import ForeignCase, foreign_cases
from loadtest.verdict.foreign.checkable import NOT_SHOWN, foreign_blind_spots
from loadtest.verdict.foreign.freshness import freshness_notes
from loadtest.verdict.foreign.judge import audit_foreign
from loadtest.verdict.foreign.measures import measure_foreign, of_foreign

__all__ = [
    "NOT_SHOWN", "ForeignCase", "audit_foreign", "foreign_blind_spots", "foreign_cases", "freshness_notes",
    "measure_foreign", "of_foreign",
]  # fmt: skip
