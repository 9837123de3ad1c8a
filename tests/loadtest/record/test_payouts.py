"""Withdrawals and invoices in the final books: read exactly, or refused by field."""

from typing import Any

import pytest

from loadtest.record.books import books_from
from loadtest.record.payouts import InvoicedChannel
from loadtest.record.shape import BadRecord, Line

WITHDRAWAL: Line = {
    "kind": "withdrawal", "withdrawal_id": "w1", "creator_id": "c1", "state": "failed", "channel": "alipay",
    "amount_fen": 500, "requested_at_ms": 10, "ended_at_ms": 20,
}  # fmt: skip
INVOICE: Line = {
    "kind": "invoice", "number": 1, "creator_id": "c1", "state": "issued", "from_ms": 0, "to_ms": 100, "fee_fen": 7,
    "channels": [{"channel": "wechat", "recharges": 1, "credited_fen": 700, "fee_fen": 7}], "requested_at_ms": 101,
    "issued_at_ms": 102,
}  # fmt: skip


def a_book(*lines: Line) -> list[Line]:
    clock: Line = {"kind": "clock", "origin_ms": 0, "started_ms": 0, "speed": 1}
    return [clock, *lines, {"kind": "end", "final": True}]


def test_payouts_are_read_as_they_were_written() -> None:
    """Withdrawals by id, invoices as a list."""
    books = books_from(a_book(WITHDRAWAL, INVOICE))
    assert (books.withdrawals["w1"].state, books.withdrawals["w1"].amount_fen) == ("failed", 500)
    (invoice,) = books.invoices
    assert (invoice.number, invoice.channels) == (1, (InvoicedChannel("wechat", 1, 700, 7),))


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([{**WITHDRAWAL, "amount_fen": "500"}], "amount_fen must be int"),
        ([WITHDRAWAL, WITHDRAWAL], "w1 is listed twice"),
        ([{**INVOICE, "channels": [["wechat", 1]]}], "channels must hold lists of channel, recharges"),
        ([{**INVOICE, "to_ms": None}], "to_ms must be int"),
    ],
)
def test_a_malformed_payout_is_refused(lines: list[Any], said: str) -> None:
    """The error names the field."""
    with pytest.raises(BadRecord, match=said):
        books_from(a_book(*lines))
