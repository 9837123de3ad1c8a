"""The audit of sales: what buyers were told is what was moved, and one fen of difference is found."""

import re
from typing import Any

import pytest

from client_sim.buyer import Deed
from loadtest.record.shape import Line
from loadtest.verdict.audit import audit
from loadtest.verdict.audit.circumstances import Circumstances
from loadtest.verdict.audit.violation import Violation
from server.core.ids import OrderId
from tests.loadtest.in_memory import sales_from
from tests.loadtest.record.test_sales import ANSWER, SALE, lines_of
from tests.loadtest.verdict.audit.test_orders import ORDER, a_run_with_an_order
from tests.loadtest.written_run import WrittenRun


def told_of(run: WrittenRun) -> list[Line]:
    """Return what the buyer of the run's one order was told, by a shop that told the truth."""
    order = run.of("order")[0]
    fen, viewer = order["payable_fen"], order["viewer_id"]
    answer = ANSWER._replace(order_id=OrderId(ORDER), viewer_id=viewer, payable_fen=fen, kept_fen=0)
    sale = SALE._replace(order_id=OrderId(ORDER), viewer_id=viewer, payable_fen=fen, kept_fen=fen, packets=())
    return lines_of(
        ("answer", answer._replace(deed=Deed.ORDER, state="submitted_unpaid")),
        ("answer", answer._replace(kept_fen=fen)),
        ("answer", answer._replace(kept_fen=fen, repeated=True)),
        ("answer", answer._replace(deed=Deed.REPORT, state=None, kept_fen=None, payable_fen=None, shown=True)),
        ("sale", sale),
    )


def judged(run: WrittenRun, lines: list[Line]) -> list[Violation]:
    return audit(*run.read(), sales=sales_from(lines))


def test_what_was_told_truly_passes() -> None:
    """A payment, told twice the same, and an order that ended in the books as in the shop."""
    run = a_run_with_an_order()
    assert judged(run, told_of(run)) == []


@pytest.mark.parametrize(
    ("at", "change", "said"),
    [
        (1, {"kept_fen": 5}, "after a pay .* was told of paid, 5 fen kept"),
        (1, {"state": "submitted_unpaid"}, "was told of submitted_unpaid"),
        (0, {"state": "paid"}, "after a order .* was told of paid"),
        (2, {"kept_fen": 5}, "asked again to pay, .* was answered otherwise"),
        (2, {"state": "refunded"}, "asked again to pay, .* was answered otherwise"),
        (4, {"payable_fen": 5, "kept_fen": 5}, "was told to have paid 5 fen, but the journal took"),
        (4, {"kept_fen": 5}, "fen refunded, but the journal gave 0"),
        (4, {"paid_at_ms": None, "kept_fen": 0}, "was told to have paid 0 fen, but the journal took"),
        (4, {"state": "cancelled"}, "ended otherwise than"),
        (4, {"viewer_id": "v99"}, "ended otherwise than v99 was told"),
        (4, {"order_id": "c1.other"}, "which the books do not have"),
    ],
)
def test_what_was_told_otherwise_is_a10(at: int, change: dict[str, Any], said: str) -> None:
    """Each thing a buyer was told is held against the journal, the books, or what it was told before."""
    run = a_run_with_an_order()
    lines = told_of(run)
    lines[at].update(change)
    found = judged(run, lines)
    assert {violation.invariant for violation in found} == {"A10"}
    assert any(re.search(said, violation.detail) for violation in found), found


@pytest.mark.parametrize("state", ["final", "paid"])
def test_nothing_is_under_way_in_the_end(state: str) -> None:
    """An order that is paid and not final holds its money still: the storm has not waited, or something is stuck."""
    run = a_run_with_an_order(state)
    lines = told_of(run)
    lines[4]["state"] = state
    held = [found.detail for found in judged(run, lines) if "everything is over" in found.detail]
    assert [text.split(" still")[0].rpartition(" ")[2] for text in held] == (
        [] if state == "final" else [f"clearing:{ORDER}", "redeemed:c1.p0"]
    )


def test_a_run_that_was_broken_off_has_money_under_way() -> None:
    """Nothing else is excused: the answers are held against the journal as ever."""
    run = a_run_with_an_order("paid")
    lines = told_of(run)
    lines[4]["state"] = "paid"
    broken_off = Circumstances(broken_off=True)
    assert audit(*run.read(), sales=sales_from(lines), run=broken_off) == []
    lines[1]["kept_fen"] = 5
    assert {each.invariant for each in audit(*run.read(), sales=sales_from(lines), run=broken_off)} == {"A10"}


def test_a_refund_is_taken_off_what_was_kept() -> None:
    """Two partial refunds add up, and a repeated request counts once."""
    run = a_run_with_an_order()
    lines = told_of(run)
    fen = lines[1]["payable_fen"]
    back = {**lines[1], "deed": "refund", "name": "refund-5", "asked_fen": 5, "kept_fen": fen - 5}
    again = {**back, "repeated": True}
    more = {**back, "name": "refund-7", "asked_fen": 7, "kept_fen": fen - 12}
    told = [*lines[:3], back, again, more, {"kind": "end", "answers": 6, "sales": 0}]
    assert judged(run, told) == []
    more["kept_fen"] += 1
    assert [violation.evidence[0]["name"] for violation in judged(run, told)] == ["refund-7"]
