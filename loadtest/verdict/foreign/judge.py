"""The judge of a foreign service: every invariant that receipts, declaration and books can speak about."""

from collections.abc import Sequence

from loadtest.record.history import History
from loadtest.verdict.audit.answers import check_answers
from loadtest.verdict.audit.violation import Findings, Violation
from loadtest.verdict.foreign.case import ForeignCase
from loadtest.verdict.foreign.issuance import check_drain, check_issuance
from loadtest.verdict.foreign.receipts import check_one_each, check_same_answer
from loadtest.verdict.foreign.reconciliation import check_books
from loadtest.verdict.foreign.shares import check_shares
from loadtest.verdict.foreign.window import check_window


def audit_foreign(
    cases: Sequence[ForeignCase], history: History | None = None, *, recorded: bool = True
) -> list[Violation]:
    """
    Check A1 to A8, and with the whole *history* A12 and strays, and return what does not hold, each with its receipts.

    A grab whose outcome is unknown may have won: nothing is called a violation that it could explain; nor, unless all
    taps are *recorded*, a share in the books that nobody is known to have tapped for.
    """
    findings = Findings()
    for case in cases:
        check_issuance(findings, case)
        check_drain(findings, case)
        check_one_each(findings, case)
        check_books(findings, case, recorded=recorded)
        check_same_answer(findings, case)
        check_window(findings, case)
        check_shares(findings, case)
    if history is not None:
        check_answers(findings, history, once=False)
    return findings.violations()
