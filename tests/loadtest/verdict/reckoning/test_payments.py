"""Payments: the vector of the settlement, and the whole life of an order from account to account."""

import pytest

from loadtest.record.book_orders import BookedRefund
from loadtest.verdict.reckoning.payments import PAYERS, commission_and_fee, payments_of, subsidies_of
from loadtest.verdict.reckoning.prices import own_price
from loadtest.verdict.reckoning.returns import refunded
from server.core.orders.discount import NATURE, RED_PACKETS
from server.core.orders.order import OrderState
from tests.loadtest.verdict.reckoning.cases import DOUYIN, a_case, a_packet, off

HERS, HIS, THE_PLATFORMS = a_packet("p", 1_550), a_packet("q", 450), a_packet("r", 1_000, of="platform")
DISCOUNTS = (off("full_reduction", 2_000), off("shop_coupon", 1_000))


@pytest.mark.rule("DY-SET-1")
@pytest.mark.rule("DY-SET-2")
@pytest.mark.rule("DY-SET-3")
def test_commission_and_fee_are_of_the_price_before_packets() -> None:
    """The vector DY-1: 3,400 and 850 of 17,000; without the platform's packets the base is 16,000."""
    case = a_case(20_000, discounts=DISCOUNTS, packets=(HERS, HIS, THE_PLATFORMS), state=OrderState.FINAL)
    price = own_price(case)
    assert price.paid_by_line == (14_000,)
    assert commission_and_fee(case.order, price, 14_000, DOUYIN) == (3_400, 850)
    less = DOUYIN._replace(base_includes_platform_packets=False)
    assert commission_and_fee(case.order, price, 14_000, less) == (3_200, 800)
    shipped = case.order._replace(shipping_fen=600)
    assert commission_and_fee(shipped, price, 14_000, DOUYIN._replace(service_fee_includes_shipping=True)) == (
        3_400,
        880,
    )


@pytest.mark.rule("DY-SET-5")
def test_everybody_pays_their_own_discounts() -> None:
    """The same parties as the rules name: and none is missing."""
    discounts = (
        off("shop_coupon", 9),
        off("creator_coupon", 20),
        off("platform_coupon", 5),
        off("consumption_credit", 3),
    )
    assert subsidies_of(own_price(a_case(500, discounts=discounts))) == {"creator": 20, "platform": 5, "unstated": 3}
    assert PAYERS.keys() == {str(kind) for kind in set(NATURE) - RED_PACKETS}


def test_a_final_order_has_paid_everybody() -> None:
    """The merchant is paid by buyer, packets and subsidies, and pays commission and fee; the residual goes back."""
    packet = a_packet("p", 700, "a")
    case = a_case(500, 1_000, discounts=(off("platform_coupon", 100, "b"),), packets=(packet,), state=OrderState.FINAL)
    price = own_price(case)
    back = refunded(case, price)
    assert payments_of(case, price, back, {packet.asset_id: "redeemed"}) == {
        ("buyer:anna", "clearing:li.o1"): 900,
        ("clearing:li.o1", "merchant:shop"): 900,
        ("assets:li.p", "locked:li.p"): 700,
        ("locked:li.p", "redeemed:li.p"): 700,
        ("redeemed:li.p", "merchant:shop"): 500,
        ("redeemed:li.p", "reversing:li"): 200,
        ("subsidy:platform", "merchant:shop"): 100,
        ("merchant:shop", "commission:li"): 280,
        ("merchant:shop", "service:platform"): 70,
    }


@pytest.mark.parametrize(("state", "account"), [("available", "assets:li.p"), ("expired_returned", "reversing:li")])
def test_a_refunded_order_has_given_everything_back(state: str, account: str) -> None:
    """Shipping that was kept went to the merchant, and comes back from there (AMB-48)."""
    packet = a_packet("p", 700)
    refunds = (BookedRefund("r0", {"a": 300}, 0), BookedRefund("r1", {}, 60))
    case = a_case(1_000, packets=(packet,), refunds=refunds, state=OrderState.REFUNDED, shipping_fen=90)
    price = own_price(case)
    assert payments_of(case, price, refunded(case, price), {packet.asset_id: state}) == {
        ("buyer:anna", "clearing:li.o1"): 390,
        ("clearing:li.o1", "buyer:anna"): 360,
        ("clearing:li.o1", "merchant:shop"): 90,
        ("merchant:shop", "clearing:li.o1"): 60,
        ("assets:li.p", "locked:li.p"): 700,
        ("locked:li.p", "redeemed:li.p"): 700,
        ("redeemed:li.p", account): 700,
    }


def test_an_unpaid_order_has_only_locked_its_packets() -> None:
    """Cancelled, it has let them go."""
    packet = a_packet("p", 700)
    case = a_case(1_000, packets=(packet,), paid_at_ms=None, state=OrderState.SUBMITTED_UNPAID)
    price = own_price(case)
    locked = {("assets:li.p", "locked:li.p"): 700}
    assert payments_of(case, price, refunded(case, price), {packet.asset_id: "locked"}) == locked
    cancelled = case._replace(order=case.order._replace(state=OrderState.CANCELLED))
    gone = {**locked, ("locked:li.p", "assets:li.p"): 700}
    assert payments_of(cancelled, price, refunded(cancelled, price), {packet.asset_id: "available"}) == gone
