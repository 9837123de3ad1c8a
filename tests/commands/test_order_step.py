"""A step of an order: once per transfer id, and of an order that is there."""

import pytest

from server.core.ids import OrderId
from server.core.refusal import Refused
from tests.store.shop import (
    Shop,
)


async def test_a_transfer_id_stands_for_one_step(shop: Shop) -> None:
    """A payment's id repeated moves nothing; for another order, or another step, it is refused."""
    order, other = await shop.submit(), await shop.submit(key="other")
    await shop.orders.pay(order.order_id, "p")
    assert (await shop.orders.pay(order.order_id, "p")).version == 2
    assert (await shop.orders.pay(order.order_id, "another")).version == 2
    for wrong in (shop.orders.pay(other.order_id, "p"), shop.orders.cancel(other.order_id, "p")):
        with pytest.raises(Refused) as refused:
            await wrong
        assert refused.value.code == "transfer_conflict"
    assert (await shop.balances())["buyer:anna"] == -10_000


async def test_what_is_not_there_is_not_found(shop: Shop) -> None:
    """An unknown order and an invalid id are refused."""
    for order_id in ("li.0123456789", "li", ".", "li."):
        with pytest.raises(Refused) as refused:
            await shop.orders.pay(OrderId(order_id), "p")
        assert refused.value.code == "not_found"
