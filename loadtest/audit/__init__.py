"""The audit: does what viewers were told agree with what the store says, fen by fen? Pure, and linear in both."""

from loadtest.audit.judge import audit
from loadtest.audit.violation import INVARIANTS, Violation

__all__ = ["INVARIANTS", "Violation", "audit"]
