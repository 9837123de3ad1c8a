"""Effects: what each step of an order adds to the totals of its packets, and to their creator's."""

import pytest

from server.core.ids import PLATFORM, PacketId
from server.core.money.posting import OrderKind
from server.core.orders.asset import AssetStep
from server.core.orders.order import Order, OrderState, Refund, finish, pay, refund, submit
from server.core.orders.order_stats import OrderStats, given_back, order_stats_of
from server.core.orders.settlement import Rates, settle
from server.core.orders.stacking import best_quote
from server.core.rulebooks.platforms import DOUYIN
from tests.core.shopping import ANNA, LI, NOW, WANG, a_packet, a_purchase

OWN, OWN_TOO = a_packet("li.p1:0", 1_000), a_packet("li.p2:4", 500)
WHOLE = a_packet("platform.p9:7", 700, creator_id=None)


def submitted() -> Order:
    quote, choice = best_quote(a_purchase(10_000), (), (OWN, OWN_TOO, WHOLE), NOW, DOUYIN)
    return submit("li.o1", ANNA, quote, [asset for asset, _ in choice.used], NOW, rulebook=DOUYIN).order


@pytest.mark.rule("KS-MON-1")
def test_a_payment_counts_for_each_packet_and_once_for_its_creator() -> None:
    """The order counts whole, price before packets; of the faces what was used."""
    order = submitted()
    gains = order_stats_of(OrderKind.PAY, order, order, LI)
    whole = {"attributed_orders": 1, "gmv_fen": 10_000, "goods_paid_fen": 7_800}
    assert gains.total == whole | {"redeemed": 2, "redeemed_fen": 1_500}
    assert gains.by_packet == {
        PacketId("li.p1"): whole | {"redeemed": 1, "redeemed_fen": 1_000},
        PacketId("li.p2"): whole | {"redeemed": 1, "redeemed_fen": 500},
    }
    assert order_stats_of(OrderKind.PAY, order, order, PLATFORM).total["redeemed_fen"] == 700


@pytest.mark.rule("KS-MON-1")
def test_refunds_and_commission_count_when_they_come() -> None:
    """A refund adds its own goods alone, the end of the order its commission."""
    order = submitted()
    assets = [each.stepped(AssetStep.LOCK, order.order_id) for each in (OWN, OWN_TOO, WHOLE)]
    paid = pay(order, assets, NOW, DOUYIN)
    first = refund(paid.order, paid.assets, Refund("a", {"l0": 100}), NOW, DOUYIN)
    second = refund(first.order, first.assets, Refund("b", {"l0": 50}), NOW, DOUYIN)
    assert order_stats_of(OrderKind.REFUND, first.order, second.order, LI).total == {"refund_fen": 50}
    settled = settle(order.quote, Rates(2_000, 500), DOUYIN, refunded_fen=150)
    final = finish(second.order, second.assets, NOW + DOUYIN.refund_horizon_ms, DOUYIN)
    assert final.order.state is OrderState.FINAL
    gains = order_stats_of(OrderKind.FINISH, second.order, final.order, LI, settled)
    assert gains.total == {"commission_fen": settled.commission_fen}


@pytest.mark.rule("KS-MON-1")
def test_packets_given_back_leave_the_cost_and_their_price_the_gmv() -> None:
    """All of the order's packets paid for goods that came back; each leaves the cost of its own creator (AMB-51)."""
    order = submitted()
    assets = [each.stepped(AssetStep.LOCK, order.order_id) for each in (OWN, OWN_TOO, WHOLE)]
    paid = pay(order, assets, NOW, DOUYIN)
    part = refund(paid.order, paid.assets, Refund("a", {"l0": 100}), NOW, DOUYIN)
    assert given_back(paid.assets, part.assets) == frozenset()
    full = refund(part.order, part.assets, Refund("b", {"l0": 7_700}), NOW, DOUYIN)
    back = given_back(part.assets, full.assets)
    gains = order_stats_of(OrderKind.REFUND, part.order, full.order, LI, given_back=back)
    assert gains.total == {"refund_fen": 7_700, "packets_back_fen": 2_200, "cost_back_fen": 1_500}
    assert gains.by_packet[PacketId("li.p2")] == {"refund_fen": 7_700, "packets_back_fen": 2_200, "cost_back_fen": 500}
    theirs = order_stats_of(OrderKind.REFUND, part.order, full.order, PLATFORM, given_back=back).total
    assert theirs == {"refund_fen": 7_700, "packets_back_fen": 2_200, "cost_back_fen": 700}


@pytest.mark.parametrize("kind", list(OrderKind))
def test_who_has_no_packet_in_an_order_gains_nothing(kind: OrderKind) -> None:
    """A creator without a packet in an order gains nothing from any step of it."""
    order = submitted()
    assert order_stats_of(kind, order, order, WANG) == OrderStats()
