"""Sweeping a creator: what orders hold is left to them, and what they gave back expires like any other."""

import pytest

from server.sweeper import Sweeper
from tests.store.shop import (
    DELAY_MS,
    LI,
    USE_END_MS,
    Shop,
)


@pytest.mark.rule("DY-REV-3")
@pytest.mark.rule("DY-CAN-2")
async def test_the_sweeper_leaves_what_an_order_holds(shop: Shop) -> None:
    """It passes a locked packet whose validity is over, and the cancel sends it back, once (AMB-26)."""
    held, free = await shop.asset(1_500), await shop.asset(700)
    order = await shop.submit(held)
    desk = shop.desks[LI]
    sweeper = Sweeper(shop.orders.context)
    await shop.at(USE_END_MS)
    await sweeper.look()
    assert [await shop.state(each) for each in (held, free)] == [f"locked:{order.order_id}", "expired"]
    await shop.orders.cancel(order.order_id, "c")
    await shop.at(USE_END_MS + DELAY_MS)
    await sweeper.look()
    assert await shop.state(held) == "expired"
    assert await shop.under_way() == {}
    assert (await desk.wallet.funds(LI)).returned_fen == 2_200
    assert (await shop.balances())["funds:li"] == 2_200


async def test_what_is_given_back_in_time_expires_like_any_other(shop: Shop) -> None:
    """A packet that was in an order and came back is found by the sweeper when its time comes."""
    asset = await shop.asset(1_500)
    order = await shop.submit(asset)
    sweeper = Sweeper(shop.orders.context)
    await shop.at(USE_END_MS - 1)
    await sweeper.look()
    await shop.orders.cancel(order.order_id, "c")
    await shop.at(USE_END_MS)
    await sweeper.look()
    assert await shop.state(asset) == "expired"
    assert await shop.counters(asset) == {"expired": 1, "expired_fen": 1_500}
