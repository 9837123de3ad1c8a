"""The orders and refunds of the shop machine's customers, and its two shops."""

from dataclasses import replace
from typing import NamedTuple

from hypothesis import strategies as st

from server.core.orders.discount import Discount, DiscountKind
from server.core.orders.order import Order, Refund
from server.core.orders.purchase import App, Entrance, Line, Purchase
from server.core.orders.settlement import Rates
from server.core.rulebooks.platforms import LAB
from server.core.rulebooks.rulebook import PayAfterExpiry
from tests.store.money_machine import CREATORS, FEES, WHICH

_PAID_IN = replace(LAB, channels=FEES.channels, fee_mode=FEES.fee_mode, withdraw_channels=FEES.withdraw_channels)
STRICT = replace(_PAID_IN, platform="strict", order_unpaid_max_ms=150, refund_horizon_ms=200, reversal_delay_ms=25)
LENIENT = replace(
    _PAID_IN,
    platform="lenient",
    order_unpaid_max_ms=90,
    refund_horizon_ms=120,
    pay_after_expiry=PayAfterExpiry.HONOUR,
    item_level_reversal=True,
)
SHOPS = {each.platform: each for each in (STRICT, LENIENT)}
DISCOUNTS = (
    Discount("full", DiscountKind.FULL_REDUCTION, amount_fen=120),
    Discount("creator", DiscountKind.CREATOR_COUPON, amount_fen=90),
    Discount("platform", DiscountKind.PLATFORM_COUPON, amount_fen=70),
    Discount("coin", DiscountKind.GOLD_COIN, amount_fen=30),
)
RATES = Rates(commission=2_000, service_fee=500)
MERCHANT = "shop"
NOTHING = Refund("", {})
SELDOM = st.integers(0, 4).map(lambda n: n == 4)
SHARE = st.sampled_from(["line", "half", "all", "extras", "too much"])


class Cart(NamedTuple):
    """An order: the owner of the nth asset, with a choice of its own assets and perhaps another's."""

    whose: int
    prices: list[int]
    picked: list[int] | None
    discounts: list[Discount]
    elsewhere: bool  # on the platform that the packets are not for
    shipping_fen: int
    stolen: bool
    anywhere: bool  # not in a creator's room

    def purchase(self) -> Purchase:
        at, entrance = None if self.anywhere else CREATORS[0], Entrance.LIVE_ROOM
        lines = [
            Line(f"l{i}", f"goods-{i}", fen, creator_id=at, entrance=entrance) for i, fen in enumerate(self.prices)
        ]
        return Purchase(tuple(lines), App.DOUYIN, shipping_fen=self.shipping_fen)


CARTS = st.builds(
    Cart,
    WHICH,
    st.lists(st.integers(150, 1_500) | st.integers(0, 50), min_size=1, max_size=3),
    st.none() | st.lists(WHICH, min_size=1, max_size=3),
    st.lists(st.sampled_from(DISCOUNTS), unique=True, max_size=2),
    SELDOM,
    st.sampled_from([0, 40]),
    SELDOM,
    SELDOM,
)


def refund_for(order: Order, refund_id: str, share: str) -> Refund:
    """Return a refund of so much of what an order still has to refund."""
    refunded = order.refunded_by_line
    left = {line: fen - refunded.get(line, 0) for line, fen in order.paid_by_line.items()}
    extras_fen = order.quote.purchase.shipping_fen - sum(each.extras_fen for each in order.refunds)
    first = next(iter(left))
    match share:
        case "line":
            return Refund(refund_id, {first: left[first]})
        case "half":
            return Refund(refund_id, {line: fen // 2 for line, fen in left.items()})
        case "all":
            return Refund(refund_id, left, extras_fen)
        case "extras":
            return Refund(refund_id, {}, extras_fen)
    return Refund(refund_id, {first: left[first] + 1})
