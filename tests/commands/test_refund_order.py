"""Refunding an order: every row of the table of refund, and the money in the journals behind it."""

import pytest

from server.core.ids import PLATFORM, PacketId
from server.core.orders.order import OrderState
from tests.store.shop import (
    USE_END_MS,
    Shop,
    a_purchase,
)


def packet_of(asset_id: str) -> PacketId:
    return PacketId(asset_id.rpartition(":")[0])


@pytest.mark.rule("DY-CAN-3")
@pytest.mark.rule("DY-REV-5")
async def test_a_full_refund_gives_a_valid_packet_back(shop: Shop) -> None:
    """The buyer has the money, the viewer the packet, and nothing is left in the order."""
    asset = await shop.asset(1_500)
    order = await shop.submit(asset)
    await shop.orders.pay(order.order_id, "p")
    refunded = await shop.refund(order.order_id, l0=8_500)
    assert refunded.order.state is OrderState.REFUNDED
    assert await shop.state(asset) == ""
    assert await shop.counters(asset) == {}
    assert await shop.under_way() == {}
    assert "buyer:anna" not in await shop.balances()


@pytest.mark.rule("DY-REV-9")
async def test_shipping_comes_back_after_the_goods(shop: Shop) -> None:
    """The merchant had got it with the last goods; the packets stay where they went (AMB-48)."""
    asset, whole = await shop.asset(1_500), await shop.asset(700, of=PLATFORM)
    order = await shop.submit(asset, whole, purchase=a_purchase(10_000, shipping_fen=600))
    await shop.orders.pay(order.order_id, "p")
    await shop.refund(order.order_id, refund_id="goods", l0=7_800)
    assert (await shop.balances())["merchant:shop"] == 600
    reused = await shop.submit(asset, key="again")
    for _ in range(2):
        last = await shop.refund(order.order_id, 600, refund_id="shipping")
    assert (last.order.state, last.order.kept_fen, last.repeated) == (OrderState.REFUNDED, 0, True)
    assert await shop.state(asset) == f"locked:{reused.order_id}"
    assert (await shop.state(whole), await shop.under_way()) == ("", {f"locked:{packet_of(asset)}": 1_500})
    assert not (await shop.balances()).keys() & {"buyer:anna", "merchant:shop"}


@pytest.mark.rule("DY-CAN-4")
@pytest.mark.rule("DY-REV-6")
@pytest.mark.rule("DY-REV-9")
async def test_a_full_refund_sends_an_expired_packet_to_its_funder(shop: Shop) -> None:
    """With its full face, although only a part of it was used (AMB-15); expiry counts when the refund succeeds."""
    asset = await shop.asset(1_500)
    order = await shop.submit(asset, purchase=a_purchase(1_000))
    await shop.orders.pay(order.order_id, "p")
    await shop.at(USE_END_MS)
    refunded = await shop.refund(order.order_id, l0=0)  # AMB-22: packets have paid for all of it
    assert refunded.order.state is OrderState.REFUNDED
    assert await shop.state(asset) == "expired"
    assert await shop.under_way() == {"reversing:li": 1_500}


@pytest.mark.rule("DY-CAN-5")
@pytest.mark.rule("DY-REV-7")
async def test_a_partial_refund_returns_no_packet(shop: Shop) -> None:
    """The packet stays in the order; partial refunds that reach the full sum return it with the last (AMB-23)."""
    asset = await shop.asset(1_000)
    order = await shop.submit(asset, purchase=a_purchase(6_000, 4_000))
    assert order.order.paid_by_line == {"l0": 5_400, "l1": 3_600}
    await shop.orders.pay(order.order_id, "p")
    await shop.refund(order.order_id, refund_id="a", l0=5_400)
    await shop.at(USE_END_MS + 5)
    await shop.refund(order.order_id, refund_id="b", l1=3_599)
    assert await shop.state(asset) == f"redeemed:{order.order_id}"
    assert await shop.under_way() == {f"redeemed:{packet_of(asset)}": 1_000, f"clearing:{order.order_id}": 1}

    last = await shop.refund(order.order_id, refund_id="c", l1=1)

    assert last.order.state is OrderState.REFUNDED
    assert await shop.state(asset) == "expired"
    assert await shop.under_way() == {"reversing:li": 1_000}
