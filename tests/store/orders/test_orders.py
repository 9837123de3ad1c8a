"""Orders in the store: found by id, by creator and by when something is due; a step is committed whole or raced."""

import pytest

from server.core.ids import PLATFORM, OrderId
from server.core.money.posting import OrderKind, StepPart
from server.core.refusal import Raced, Refused
from server.core.rulebooks.platforms import DOUYIN
from server.store.connection import Store
from server.store.orders.commit import OrderStep
from server.store.orders.orders import Orders
from tests.store.shop import ANNA, LI, START_MS, WANG, Shop


@pytest.fixture
async def shop(store: Store) -> Shop:
    return await Shop.open(store)


@pytest.fixture
def orders(shop: Shop) -> Orders:
    return Orders(shop.store, shop.clock)


async def test_orders_are_listed_by_their_home(shop: Shop, orders: Orders) -> None:
    """Oldest first, all or the latest; what was never made is not found."""
    made = []
    for n in range(3):
        await shop.at(START_MS + n)
        made.append(await shop.submit(key=f"k{n}"))
    assert await orders.list(LI) == made
    assert await orders.list(LI, latest=2) == made[1:]
    assert await orders.list(WANG) == []
    assert await orders.get(made[0].order_id) == made[0]
    with pytest.raises(Refused) as refused:
        await orders.get(OrderId("li.0123456789"))
    assert (refused.value.code, refused.value.field) == ("not_found", "order_id")


async def test_an_order_is_due_until_it_was_looked_at(shop: Shop, orders: Orders) -> None:
    """From the instant on at which it ends unpaid, until somebody has said when to look again."""
    await shop.at(START_MS)
    order = await shop.submit()
    late_ms = START_MS + DOUYIN.order_unpaid_max_ms
    await shop.at(late_ms - 1)
    assert await orders.due(LI) == []
    await shop.at(late_ms)
    assert await orders.due(LI) == [order.order_id]
    await orders.look_again(LI, order.order_id, order.version, late_ms + 1)
    assert await orders.due(LI) == []
    assert await orders.now_ms(LI) == (await orders.standing(LI, order.order_id)).now_ms == late_ms


async def test_a_step_decided_on_another_version_is_raced(shop: Shop, orders: Orders) -> None:
    """The order is as it was."""
    order = await shop.submit()
    part = StepPart(OrderKind.CANCEL, "t", LI, order.order_id)
    for version in (0, 2):
        with pytest.raises(Raced) as raced:
            await orders.commit(OrderStep(part, ANNA, {}, version, START_MS))
        assert (raced.value.code, raced.value.field) == ("raced", "order_id")
    assert await orders.get(order.order_id) == order


async def test_the_home_that_was_chosen_first_is_kept(orders: Orders) -> None:
    """Each order has its own."""
    assert await orders.keep_home(OrderId("li.0123456789"), WANG) == WANG
    assert await orders.keep_home(OrderId("li.0123456789"), PLATFORM) == WANG
    assert await orders.keep_home(OrderId("li.1123456789"), PLATFORM) == PLATFORM


async def test_a_turn_is_one_orders(orders: Orders) -> None:
    """Two steps of an order wait for each other, those of two orders do not."""
    turn = orders.turn(OrderId("li.0123456789"))
    assert orders.turn(OrderId("li.0123456789")) is turn
    assert orders.turn(OrderId("li.1123456789")) is not turn
