"""Catching up: what is due of an order is done, once however many look."""

import pytest

from server.core.orders.order import OrderState
from tests.store.shop import (
    LI,
    START_MS,
    Shop,
)


@pytest.mark.rule("DY-CAN-1")
async def test_an_unpaid_order_is_cancelled_in_time(shop: Shop) -> None:
    """After 30 room minutes, not a millisecond before, and once however many look."""
    asset = await shop.asset(1_500, use_end_at_ms=None)
    order = await shop.submit(asset)
    late_ms = START_MS + 30 * 60_000
    await shop.at(late_ms - 1)
    await shop.orders.catch_up(order.order_id)
    assert await shop.orders.due(LI) == []
    assert (await shop.orders.get(order.order_id)).order.state is OrderState.SUBMITTED_UNPAID
    await shop.at(late_ms)
    assert await shop.orders.due(LI) == [order.order_id]
    for _ in range(2):
        await shop.orders.catch_up(order.order_id)
    assert (await shop.orders.get(order.order_id)).order.state is OrderState.CANCELLED
    assert await shop.orders.due(LI) == []
    assert await shop.state(asset) == ""
