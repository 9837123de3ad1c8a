"""Reversals: each arrives once, after it was sent and with that amount."""

import pytest

from loadtest.record.journal import JournalRecord
from loadtest.verdict.audit.reversals import check_reversals
from loadtest.verdict.audit.violation import Findings
from server.core.ids import CreatorId, PacketId

C1, P = CreatorId("c1"), PacketId("c1.p")


def sent(movement: str, amount_fen: int, transfer_id: str = "t") -> JournalRecord:
    debit = "assets" if movement == "expire" else "escrow"
    entry = (C1, "1-0", movement, transfer_id, P, f"{debit}:c1.p", "reversing:c1", amount_fen, 0, None, 2)
    return JournalRecord(*entry)


def arrived(amount_fen: int, *members: str) -> JournalRecord:
    entry = (C1, "2-0", "reverse", "r", PacketId(""), "reversing:c1", "funds:c1", amount_fen, 0, None, None)
    return JournalRecord(*entry, reversals=";".join(members))


def found(*entries: JournalRecord) -> list[str]:
    findings = Findings()
    check_reversals(findings, entries)
    return [violation.detail for violation in findings.violations()]


@pytest.mark.rule("DY-REV-8")
def test_what_was_sent_arrives_under_its_key() -> None:
    """Each cause has its own; those of orders are explained by the orders."""
    entries = [sent("sweep", 1), sent("void", 2), sent("end", 3), sent("trim", 4), sent("expire", 5, "expire:c1.p:0")]
    keys = ["sweep:c1.p", "void:c1.p", "end:c1.p", "trim:c1.p:2", "expire:c1.p:0"]
    members = [f"{key}|c1.p|{fen}" for fen, key in enumerate(keys, start=1)]

    assert found(*entries, arrived(15, *members), arrived(7, "refund:c1.o:c1.p:3|c1.p|7")) == []


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([arrived(1, "sweep:c1.p|c1.p|1")], "never sent"),
        ([arrived(1, "sweep:c1.p|c1.p|1"), sent("sweep", 1)], "never sent"),
        ([sent("sweep", 1), arrived(2, "sweep:c1.p|c1.p|2")], "but was sent with 1"),
        ([sent("sweep", 1), arrived(1, "sweep:c1.p|c1.q|1")], "but was sent with 1"),
        ([sent("sweep", 1), arrived(2, "sweep:c1.p|c1.p|1")], "sum to 1"),
        ([arrived(2, "refund:o|c1.p|1", "refund:o|c1.p|1")], "arrives twice"),
        ([arrived(0, "nothing")], "which is no reversal"),
    ],
)
def test_an_arrival_that_nothing_explains_is_found(entries: list[JournalRecord], said: str) -> None:
    """Out of nothing, with another amount, twice, or no reversal at all."""
    assert [said in text for text in found(*entries)] == [True]
