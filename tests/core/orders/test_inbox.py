"""The messages of an order's steps: money that comes back, and packets."""

from dataclasses import replace

import pytest

from server.core.ids import OrderId, ViewerId
from server.core.orders.asset import Asset, AssetState
from server.core.orders.inbox import InboxMessage, MessageKind, of_step, of_trail
from server.core.orders.order import Order, OrderState, Refund
from server.core.orders.pricing import Quote
from server.core.orders.purchase import App, Line, Purchase
from server.core.orders.trail import ServiceMessage, TrailStep

ORDER_ID = OrderId("li.o1")
QUOTE = Quote(Purchase((Line("l", "p", 900),), App.DOUYIN), (), (), (900,))
ORDER = Order(ORDER_ID, ViewerId("anna"), QUOTE, (), OrderState.PAID, 1, (Refund("r1", {"l": 1}),))
HELD = Asset("li.p1:0", ViewerId("anna"), None, 500, 0, 10, state=AssetState.REDEEMED, order_id=ORDER_ID)


def test_a_step_of_a_trail_is_a_message() -> None:
    """At the instant that its sender gave."""
    message = ServiceMessage(ViewerId("anna"), ORDER_ID, TrailStep.PACKED, 7)
    assert of_trail(message) == InboxMessage(MessageKind.TRAIL, ORDER_ID, "packed", 0, 7)


@pytest.mark.rule("DY-CAN-3")
@pytest.mark.rule("DY-CAN-4")
@pytest.mark.parametrize(
    ("state", "kind"),
    [(AssetState.AVAILABLE, MessageKind.PACKET_RETURNED), (AssetState.EXPIRED_RETURNED, MessageKind.PACKET_EXPIRED)],
)
def test_a_refund_says_what_came_back(state: AssetState, kind: MessageKind) -> None:
    """The new refunds alone, with shipping; and each packet that left the order, to the viewer or to its funder."""
    after = replace(ORDER, refunds=(*ORDER.refunds, Refund("r2", {"l": 899}, 60)))
    told = [*of_step(ORDER, after, [HELD, HELD], [HELD, replace(HELD, state=state, order_id=None)], 9)]
    assert told == [
        InboxMessage(MessageKind.REFUNDED, ORDER_ID, "r2", 959, 9),
        InboxMessage(kind, ORDER_ID, "li.p1:0", 500, 9),
    ]


def test_a_payment_brings_nothing_back() -> None:
    """A locked packet that is redeemed is no news to its owner."""
    locked = replace(HELD, state=AssetState.LOCKED)
    assert [*of_step(ORDER, ORDER, [locked], [HELD], 9)] == []
