"""Cancelling an order: every row of the table of cancel, and the money in the journals behind it."""

import pytest

from server.core.ids import PLATFORM, PacketId
from server.core.orders.order import OrderState
from tests.store.shop import (
    DELAY_MS,
    LI,
    USE_END_MS,
    Shop,
)


def packet_of(asset_id: str) -> PacketId:
    return PacketId(asset_id.rpartition(":")[0])


@pytest.mark.rule("DY-CAN-1")
@pytest.mark.rule("DY-REV-4")
async def test_a_cancelled_order_gives_a_valid_packet_back(shop: Shop) -> None:
    """Not expired, it is the viewer's again, and may be used again; no money is on its way to anybody."""
    asset = await shop.asset(1_500)
    order = await shop.submit(asset)
    await shop.at(USE_END_MS - 1)
    cancelled = await shop.orders.cancel(order.order_id, "c")
    assert cancelled.order.state is OrderState.CANCELLED
    assert await shop.state(asset) == ""
    assert await shop.counters(asset) == {}
    assert await shop.under_way() == {}
    assert (await shop.submit(asset, key="again")).order.state is OrderState.SUBMITTED_UNPAID


@pytest.mark.rule("DY-CAN-2")
@pytest.mark.rule("DY-REV-8")
async def test_a_cancelled_order_sends_an_expired_packet_to_its_funder(shop: Shop) -> None:
    """At the first instant after its validity it is gone, once, and the money arrives after the delay (AMB-26)."""
    asset = await shop.asset(1_500)
    order = await shop.submit(asset)
    await shop.at(USE_END_MS)
    for _ in range(2):
        await shop.orders.cancel(order.order_id, "c")
    assert await shop.state(asset) == "expired"
    assert await shop.counters(asset) == {"expired": 1, "expired_fen": 1_500}
    key = f"cancel:{order.order_id}:{asset}|{packet_of(asset)}|1500"
    assert await shop.reversals(LI) == {key: USE_END_MS + DELAY_MS}
    assert await shop.under_way() == {"reversing:li": 1_500}


@pytest.mark.rule("DY-CAN-6")
async def test_each_packet_of_an_order_goes_its_own_way(shop: Shop) -> None:
    """Of two creators' packets and one of the platform, each is judged by its own validity."""
    short, long = await shop.asset(500, use_end_at_ms=USE_END_MS), await shop.asset(600, use_end_at_ms=USE_END_MS + 9)
    whole = await shop.asset(700, of=PLATFORM, use_end_at_ms=USE_END_MS)
    order = await shop.submit(short, long, whole)
    await shop.at(USE_END_MS)
    await shop.orders.cancel(order.order_id, "c")
    assert [await shop.state(each) for each in (short, long, whole)] == ["expired", "", "expired"]
    assert await shop.under_way() == {"reversing:li": 500, "reversing:platform": 700}
