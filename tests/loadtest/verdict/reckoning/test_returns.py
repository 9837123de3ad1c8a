"""Returns: when a refund is full, what comes back with it, and to whom."""

from typing import Any

import pytest

from loadtest.record.book_orders import BookedRefund
from loadtest.verdict.reckoning.prices import own_price
from loadtest.verdict.reckoning.returns import refund_faults, refunded, state_of
from loadtest.verdict.reckoning.usable import OrderCase
from server.core.orders.order import OrderState
from tests.loadtest.verdict.reckoning.cases import DOUYIN, END_MS, a_case, a_packet

PACKET = a_packet("p", 150, "a")


def refunds(*of: dict[str, int], extras_fen: int = 0) -> tuple[BookedRefund, ...]:
    return tuple(BookedRefund(f"r{number}", by_line, extras_fen) for number, by_line in enumerate(of))


def a_refunded_case(*of: dict[str, int], **more: Any) -> OrderCase:
    """Two lines of 200: the packet leaves 50 of the first."""
    return a_case(200, 200, packets=(PACKET,), **{"refunds": refunds(*of), **more})


@pytest.mark.rule("DY-REV-7")
@pytest.mark.rule("DY-REV-5")
def test_a_refund_is_full_when_every_line_is() -> None:
    """In parts too (AMB-23): what comes afterwards is of the merchant's."""
    case = a_refunded_case({"a": 50}, {"b": 199}, {"b": 1}, {"b": 0})
    back = refunded(case, own_price(case))
    assert (back.goods_fen, back.full_at, back.before_fen, back.after_fen) == (250, 2, 250, 0)
    assert back.back_at == {PACKET.asset_id: 2}
    part = a_refunded_case({"a": 50})
    assert (refunded(part, own_price(part)).full_at, refunded(part, own_price(part)).back_at) == (None, {})


def test_a_line_that_packets_paid_for_must_be_named() -> None:
    """Nothing of it is left to pay back, and yet it must be given back (AMB-22)."""
    unnamed = a_case(100, 200, packets=(PACKET,), refunds=refunds({"b": 200}))
    named = a_case(100, 200, packets=(PACKET,), refunds=refunds({"a": 0, "b": 200}))
    assert refunded(unnamed, own_price(unnamed)).full_at is None
    assert refunded(named, own_price(named)).full_at == 0


def test_where_the_platform_says_so_a_packet_comes_back_with_its_lines() -> None:
    """It does not wait for the rest of the order (AMB-21)."""
    case = a_refunded_case({"b": 200}, {"a": 50}, rulebook=DOUYIN._replace(item_level_reversal=True))
    assert refunded(case, own_price(case)).back_at == {PACKET.asset_id: 1}
    early = a_refunded_case({"a": 50}, rulebook=DOUYIN._replace(item_level_reversal=True))
    assert refunded(early, own_price(early)).back_at == {PACKET.asset_id: 0}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"refunds": refunds({"a": 50}, {"b": 200}), "state": OrderState.REFUNDED}, ""),
        ({"refunds": refunds({"a": 50}, {"b": 200})}, "it is paid, but all of its goods were refunded"),
        ({"refunds": refunds({"a": 50}), "state": OrderState.REFUNDED}, "but not all of its goods"),
        ({"refunds": refunds({"a": 51})}, "takes 51 fen of line a, more than was paid"),
        ({"refunds": refunds({"a": -1})}, "takes -1 fen of line a"),
        ({"refunds": refunds({"c": 1})}, "takes 1 fen of line c"),
        ({"refunds": refunds({"a": 1}, extras_fen=601), "shipping_fen": 600}, "601 fen of shipping"),
        ({"refunds": refunds({"a": 1}), "paid_at_ms": None}, "never paid"),
        ({"refunds": refunds({"a": 50}, {"b": 200}, {"b": 1})}, "all of which were refunded before"),
    ],
)
def test_no_more_is_refunded_than_was_paid(change: dict[str, Any], said: str) -> None:
    """And the order is refunded exactly when all of it is."""
    case = a_refunded_case(**change)
    price = own_price(case)
    found = [*refund_faults(case, price, refunded(case, price))]
    assert any(said in each for each in found) if said else found == []


@pytest.mark.rule("DY-CAN-1")
@pytest.mark.rule("DY-CAN-2")
@pytest.mark.rule("DY-CAN-3")
@pytest.mark.rule("DY-CAN-4")
@pytest.mark.rule("DY-CAN-5")
@pytest.mark.parametrize(
    ("state", "of", "at_ms", "wanted"),
    [
        (OrderState.SUBMITTED_UNPAID, [], None, "locked"),
        (OrderState.PAID, [], None, "redeemed"),
        (OrderState.PAID, [{"a": 1}], END_MS, "redeemed"),
        (OrderState.CANCELLED, [], END_MS - 1, "available"),
        (OrderState.CANCELLED, [], END_MS, "expired_returned"),
        (OrderState.REFUNDED, [{"a": 50, "b": 200}], END_MS - 1, "available"),
        (OrderState.REFUNDED, [{"a": 50, "b": 200}], END_MS, "expired_returned"),
        (OrderState.REFUNDED, [{"a": 50, "b": 200}], None, "redeemed"),  # the books' own word
    ],
)
def test_a_packet_goes_to_its_viewer_or_if_it_expired_to_its_funder(
    state: OrderState, of: list[dict[str, int]], at_ms: int | None, wanted: str
) -> None:
    """It is judged at the instant of the step that gives it back."""
    case = a_refunded_case(*of, state=state)
    assert state_of(case, PACKET, refunded(case, own_price(case)), [at_ms]) == wanted
    for_ever = PACKET._replace(use_end_at_ms=None)
    if wanted == "expired_returned":
        assert state_of(case, for_ever, refunded(case, own_price(case)), [at_ms]) == "available"
