"""An order's line in the final books: read exactly, or refused by field."""

from typing import Any

import pytest

from loadtest.record.books import books_from
from loadtest.record.shape import BadRecord
from server.core.orders.order import OrderState
from tests.loadtest.verdict.audit.test_orders import a_run_with_an_order


def test_an_order_is_read_as_it_was_written() -> None:
    """Its packets are records, and it knows what was refunded and whether it is over."""
    books, _ = a_run_with_an_order().read()
    (order,) = books.orders.values()
    (use,) = order.packets
    assert (use.packet_id, use.face_fen, use.used_fen, use.state) == ("c1.p0", use.face_fen, use.face_fen, "redeemed")
    assert order.over
    assert order._replace(refunded_goods_fen=3, refunded_extras_fen=4).refunded_fen == 7
    assert not order._replace(state=OrderState.PAID).over


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"subsidies": None}, "subsidies must be an object"),
        ({"subsidies": {"creator": "1"}}, "subsidies must be an object"),
        ({"packets": None}, "packets must be a list"),
        ({"packets": [["c1.p0:0", 1]]}, "packets must hold lists of asset_id, face_fen, used_fen, state"),
        ({"packets": [["c1.p0:0", 1, 1, "lost"]]}, "state must be one of"),
        ({"state": "lost"}, "state must be one of"),
        ({"payable_fen": "1"}, "payable_fen must be int"),
    ],
)
def test_a_malformed_order_is_refused(change: dict[str, Any], said: str) -> None:
    """The error names the field."""
    run = a_run_with_an_order()
    run.of("order")[0].update(change)
    with pytest.raises(BadRecord, match=said):
        books_from(run.books)


def test_an_order_stands_there_once() -> None:
    """A second line of it is refused."""
    run = a_run_with_an_order()
    order = run.of("order")[0]
    run.books.insert(run.books.index(order), order)
    with pytest.raises(BadRecord, match="is listed twice"):
        books_from(run.books)
