"""The audit: compares viewers' receipts with the store's books, to the fen. Pure, and linear in both."""

from loadtest.verdict.audit.judge import audit, audit_cut
from loadtest.verdict.audit.outcome import Outcome, blind_spots, outcomes_of
from loadtest.verdict.audit.violation import INVARIANTS, Violation

__all__ = ["INVARIANTS", "Outcome", "Violation", "audit", "audit_cut", "blind_spots", "outcomes_of"]
