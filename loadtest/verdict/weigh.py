"""The verdict: pass, fail or unknown, the reasons, and the one table of exit codes (README.md)."""

from collections.abc import Iterable
from enum import IntEnum, StrEnum


class Exit(IntEnum):
    """Every exit status of every command."""

    PASS = 0
    INVARIANT = 10
    REGRESSION = 11
    THRESHOLD = 12
    UNKNOWN = 20
    ENVIRONMENT = 30
    USAGE = 64
    INTERRUPTED = 130


class Verdict(StrEnum):
    """The three-valued verdict: an inconclusive run is not a pass."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """The reasons for a verdict other than pass, in the order in which they decide the exit code."""

    INVARIANT = "invariant"
    VOID = "void"
    NOT_READ = "not_read"
    VACUOUS = "vacuous"
    SERVER_ERRORS = "server_errors"
    REGRESSION = "regression"
    THRESHOLD = "threshold"
    INCONCLUSIVE = "inconclusive"
    NOT_VERIFIED = "not_verified"


_EXITS = {
    Reason.INVARIANT: Exit.INVARIANT,
    Reason.VOID: Exit.UNKNOWN,
    Reason.NOT_READ: Exit.UNKNOWN,
    Reason.VACUOUS: Exit.UNKNOWN,
    Reason.SERVER_ERRORS: Exit.UNKNOWN,
    Reason.REGRESSION: Exit.REGRESSION,
    Reason.THRESHOLD: Exit.THRESHOLD,
    Reason.INCONCLUSIVE: Exit.UNKNOWN,
    Reason.NOT_VERIFIED: Exit.UNKNOWN,
}
_FAILS = {Reason.INVARIANT, Reason.REGRESSION, Reason.THRESHOLD}


def decide(reasons: Iterable[Reason]) -> tuple[Verdict, list[Reason], Exit]:
    """Return the verdict for *reasons*, the reasons in order of weight, and the exit code of the weightiest."""
    present = set(reasons)
    ordered = [reason for reason in Reason if reason in present]
    if not ordered:
        return Verdict.PASS, [], Exit.PASS
    verdict = Verdict.FAIL if present & _FAILS else Verdict.UNKNOWN
    return verdict, ordered, _EXITS[ordered[0]]
