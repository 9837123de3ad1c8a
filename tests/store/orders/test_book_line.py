"""Orders in the books: whatever became of them, the audit explains every fen of the real journals."""

import pytest

from loadtest.record.books import Books, books_from
from loadtest.verdict.audit import audit
from server.core.ids import PLATFORM
from server.core.rulebooks.platforms import RULEBOOKS
from server.store.books import export
from server.store.connection import Store
from tests.store.shop import DELAY_MS, HORIZON_MS, LI, START_MS, USE_END_MS, Shop


async def books_of(shop: Shop) -> Books:
    return books_from([line async for line in export(shop.store, shop.clock, final=True, rulebooks=RULEBOOKS.values())])


def of_money(books: Books) -> list[str]:
    """Return what is wrong with the money; the seeds of these packets are made up, which is another matter (A11)."""
    return [f"{each.invariant} {each.detail}" for each in audit(books, None) if each.invariant == "A10"]


@pytest.mark.rule("DY-SET-3")
@pytest.mark.rule("DY-CAN-6")
async def test_orders_in_every_state_are_explained(store: Store) -> None:
    """One unpaid, one paid, one cancelled, one refunded with a share that expired, one final: with both funders."""
    shop = await Shop.open(store)
    shares = {
        name: [await shop.asset(500), await shop.asset(700, of=PLATFORM)]
        for name in ("unpaid", "paid", "cancelled", "part", "expired", "final")
    }
    orders = {name: (await shop.submit(*shares[name], key=name)).order_id for name in shares}
    for name in ("paid", "part", "expired", "final"):
        await shop.orders.pay(orders[name], f"pay-{name}")
    await shop.orders.cancel(orders["cancelled"], "cancel")
    await shop.refund(orders["part"], l0=100)
    states = {order.order_id: str(order.state) for order in (await books_of(shop)).orders.values()}
    assert states == {orders[name]: state for name, state in _states(finished=False).items()}
    assert of_money(await books_of(shop)) == []

    await shop.at(USE_END_MS)
    await shop.refund(orders["expired"], l0=8_800)
    assert of_money(await books_of(shop)) == []

    await shop.at(START_MS + HORIZON_MS)
    for name in ("part", "paid", "final"):
        await shop.orders.finish(orders[name])
    found = await books_of(shop)
    assert {order.order_id: str(order.state) for order in found.orders.values()} == {
        orders[name]: state for name, state in _states(finished=True).items()
    }
    assert of_money(found) == []
    assert DELAY_MS > 0
    assert found.creators[LI].wallet.reversing_fen == 500  # the expired share: nobody has swept here


def _states(*, finished: bool) -> dict[str, str]:
    states = dict.fromkeys(("unpaid", "paid", "cancelled", "part", "expired", "final"), "paid")
    states |= {"unpaid": "submitted_unpaid", "cancelled": "cancelled"}
    if finished:
        states |= dict.fromkeys(("paid", "part", "final"), "final") | {"expired": "refunded"}
    return states
