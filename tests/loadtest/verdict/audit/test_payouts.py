"""The audit of payouts: a withdrawal is paid once or comes back once, and invoices show the fees that were charged."""

from typing import Any

import pytest

from loadtest.record.books import books_from
from loadtest.record.shape import Line
from loadtest.verdict.audit.payouts import check_payouts
from loadtest.verdict.audit.violation import Findings
from tests.loadtest.record.test_payouts import INVOICE, WITHDRAWAL, a_book
from tests.loadtest.written_run import CREATOR, WrittenRun, a_run

TOLD = [
    {"action": "withdraw", "payout_id": "w1", "outcome": "pending"},
    {"action": "report failed", "payout_id": "w1", "outcome": "failed"},
    {"action": "report failed", "payout_id": "w1", "outcome": "failed"},
    {"action": "issue invoice", "payout_id": "c1 1", "outcome": "issued"},
    {"action": "launch", "packet_id": "c1.p0", "outcome": "launched"},
]


def entry(movement: str, at_ms: int, fen: int, **more: Any) -> Line:
    return {
        "kind": "journal", "creator_id": "c1", "entry_id": f"{at_ms}-0", "movement": movement, "transfer_id": "",
        "packet_id": "", "debit": "psp:wechat", "credit": "", "amount_fen": fen, "at_ms": at_ms, "claims": None,
        "edition": None, **more,
    }  # fmt: skip


def some_lines() -> list[Line]:
    """Return a recharge with a fee, a withdrawal that failed and came back, and the invoice."""
    asked = {"withdrawal_id": "w1"}
    journal = [
        entry("recharge", 5, 700, fee_fen=7),
        entry("withdraw", 10, 500, **asked),
        entry("withdraw_failed", 20, 500, **asked),
        entry("recharge", 100, 900, fee_fen=9),
    ]
    return [*journal, {**WITHDRAWAL}, {**INVOICE}]


def faults(lines: list[Line], told: list[dict[str, Any]]) -> list[str]:
    findings = Findings()
    check_payouts(findings, books_from(a_book(*lines)), told)
    return [violation.detail for violation in findings.violations()]


def test_payouts_that_went_well_are_explained() -> None:
    """One that failed twice came back once; a recharge at the end of a period is not in it."""
    assert faults(some_lines(), TOLD) == []


@pytest.mark.parametrize(
    ("at", "change", "said"),
    [
        (1, {"amount_fen": 501}, "is failed, but the journal of c1 has: withdraw 501, withdraw_failed 500"),
        (2, {"amount_fen": 499}, "withdraw 500, withdraw_failed 499"),
        (2, {"movement": "withdraw_paid"}, "withdraw 500, withdraw_paid 500"),
        (2, {"creator_id": "c2"}, "has: withdraw 500"),
        (4, {"state": "pending"}, "is pending, but the journal"),
        (4, {"state": "paid"}, "is paid, but the journal"),
        (4, {"state": "lost"}, "is lost, which is no state"),
        (4, {"withdrawal_id": "w2"}, "has: nothing"),
        (4, {"withdrawal_id": "w2"}, "payout w1 was told to be failed, but in the books it is missing"),
        (5, {"fee_fen": 8}, "do not add up to 8 fen"),
        (5, {"to_ms": 101}, "shows fees of {'wechat': (1, 700, 7)}, but charged were {'wechat': (2, 1600, 16)}"),
        (5, {"from_ms": 6}, "but charged were {}"),
        (5, {"to_ms": 0}, "is of no time"),
        (5, {"number": 2}, "c1's invoices are not numbered from 1: 1 is missing"),
        (5, {"state": "requested"}, "payout c1 1 was told to be issued, but in the books it is requested"),
    ],
)
def test_a_payout_that_went_otherwise_is_found(at: int, change: dict[str, Any], said: str) -> None:
    """By journal, state, fees, or what the creator was told."""
    lines = some_lines()
    lines[at].update(change)
    assert any(said in fault for fault in faults(lines, TOLD)), faults(lines, TOLD)


def test_invoices_that_overlap_or_share_a_number_are_found() -> None:
    """Two of one period charge a fee twice."""
    more = {**INVOICE, "number": 2, "from_ms": 50, "to_ms": 60, "fee_fen": 0, "channels": []}
    assert any("invoices 1 and 2 of c1 overlap" in fault for fault in faults([*some_lines(), more], TOLD))
    assert any("2 is missing" in fault for fault in faults([*some_lines(), {**more, "number": 1}], TOLD))


def test_what_was_retired_is_left_alone() -> None:
    """The fees of a journal whose beginning is gone cannot be added up, nor does a withdrawal begin in it."""
    opening: Line = {
        "kind": "opening", "creator_id": "c1", "through_entry_id": "4-0", "accounts": {}, "withdrawals": {},
        "retired": [], "wallet": dict.fromkeys(
            ("available_fen", "recharged_fen", "returned_fen", "withdrawn_fen", "spent_fen"), 0
        ),
    }  # fmt: skip
    assert faults([opening, *some_lines()[2:]], TOLD) == []
    assert faults(some_lines()[2:], TOLD) != []


def a_run_with_a_withdrawal(*ends: str) -> WrittenRun:
    """Write down a run in which 500 fen were asked for, with these ends of it one after another."""
    run = a_run()
    last = run.of("journal")[-1]
    at, fen = run.books.index(last) + 1, 500
    funds, aside = f"funds:{CREATOR}", f"withdrawing:{CREATOR}"
    accounts = {
        "withdraw": (funds, aside),
        "withdraw_failed": (aside, funds),
        "withdraw_paid": (aside, "payout:alipay"),
    }
    for number, movement in enumerate(("withdraw", *ends)):
        debit, credit = accounts[movement]
        more = {"movement": movement, "debit": debit, "credit": credit, "amount_fen": fen, "withdrawal_id": "w1"}
        names = {"entry_id": f"{3000 + number}-0", "transfer_id": f"{movement}:{number}", "packet_id": ""}
        run.books.insert(at + number, {**last, **names, **more})
    creator = run.of("creator")[0]
    creator["journal_last_id"] = f"{3000 + len(ends)}-0"
    back_fen = fen * ends.count("withdraw_failed")
    creator["wallet"]["withdrawn_fen"] = fen - back_fen
    creator["wallet"]["available_fen"] -= fen - back_fen
    state = {"withdraw_failed": "failed", "withdraw_paid": "paid"}[ends[-1]] if ends else "pending"
    withdrawal = {**WITHDRAWAL, "creator_id": CREATOR, "state": state, "ended_at_ms": 20 if ends else None}
    run.books.insert(len(run.books) - 1, withdrawal)
    return run


@pytest.mark.rule("DY-ACC-7")
@pytest.mark.parametrize("ends", [(), ("withdraw_paid",), ("withdraw_failed",)])
def test_a_withdrawal_that_ends_once_or_not_yet_is_explained(ends: tuple[str, ...]) -> None:
    """The whole audit agrees."""
    assert a_run_with_a_withdrawal(*ends).audit() == []


@pytest.mark.parametrize("ends", [("withdraw_failed", "withdraw_failed"), ("withdraw_paid", "withdraw_failed")])
def test_money_that_comes_back_a_second_time_is_a10(ends: tuple[str, ...]) -> None:
    """Journal and wallet agree that 500 fen came back twice, or once after they had been paid out."""
    found = a_run_with_a_withdrawal(*ends).audit()
    assert {violation.invariant for violation in found} == {"A10"}
    assert any("is failed, but the journal" in violation.detail for violation in found), found
