"""Orders with packets of creator and platform: whatever dies between the two tags, both end up where home is."""

import asyncio

import orjson
import pytest

from server.commands import order_step
from server.commands.follow_order import PART_WAIT_REAL_MS
from server.core.ids import PLATFORM, OrderId
from server.core.orders.order import OrderState
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN
from server.store import keys
from tests.store.shop import DELAY_MS, HORIZON_MS, LI, START_MS, USE_END_MS, OrderCalls, Shop, a_line, a_purchase

LATE_MS = START_MS + PART_WAIT_REAL_MS


class Died(Exception):  # noqa: N818 - what has happened
    """The process is gone at this point."""


def dying(shop: Shop, monkeypatch: pytest.MonkeyPatch, script_number: int) -> OrderCalls:
    """Return the orders of a process that dies before its step of this number is sent."""
    sent = 0
    run = shop.store.run

    async def until_then(script: str, *rest: object) -> object:
        nonlocal sent
        if script == "step_order":
            sent += 1
            if sent == script_number:
                raise Died
        return await run(script, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(shop.store, "run", until_then)
    return shop.another_process()


async def die_in_submit(shop: Shop, monkeypatch: pytest.MonkeyPatch, *assets: str) -> None:
    """Have a process hold the platform's packet for an order, and no more."""
    with monkeypatch.context() as patched:
        shop.orders, living = dying(shop, patched, 2), shop.orders
        with pytest.raises(Died):
            await shop.submit(*assets)
    shop.orders = living


@pytest.mark.rule("DY-STK-2")
async def test_both_tags_have_their_part_of_every_step(shop: Shop) -> None:
    """The platform's journal has its packet's way, the creator's the rest, each under one entry a step."""
    own, whole = await shop.asset(1_500), await shop.asset(700, of=PLATFORM)
    order = await shop.submit(own, whole)
    await shop.orders.pay(order.order_id, "p")
    await shop.refund(order.order_id, l0=7_800)
    kinds = [entry["kind"] for entry in await shop.desks[PLATFORM].journal() if "postings" in entry]
    assert kinds == ["hold", "follow", "follow"]
    assert [entry["kind"] for entry in await shop.desks[LI].journal() if "postings" in entry] == [
        "submit",
        "pay",
        "refund",
    ]
    assert [await shop.state(each) for each in (own, whole)] == ["", ""]
    assert await shop.under_way() == {}


async def test_a_part_whose_order_never_came_is_let_go(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the wait, not before; home then refuses the submit that was on its way, and takes a new one."""
    own, whole = await shop.asset(1_500), await shop.asset(700, of=PLATFORM)
    await die_in_submit(shop, monkeypatch, own, whole)
    assert await shop.state(own) == ""
    assert (await shop.state(whole)).startswith("locked:")
    await shop.at(LATE_MS - 1)
    assert await shop.orders.due(PLATFORM) == []
    await shop.at(LATE_MS)
    [order_id] = await shop.orders.due(PLATFORM)
    for _ in range(2):
        await shop.orders.catch_up(order_id)
    assert await shop.state(whole) == ""
    assert await shop.under_way() == {}
    assert await shop.orders.due(PLATFORM) == []
    assert (await shop.orders.context.orders.standing(LI, order_id)).order is None
    assert (await shop.submit(own, whole)).order_id == order_id


async def test_a_submit_that_comes_late_finds_the_tombstone(shop: Shop) -> None:
    """A submission decided before the part's release and committed after it is raced and decided again."""
    own, whole = await shop.asset(1_500), await shop.asset(700, of=PLATFORM)
    run, interfered = shop.store.run, False

    async def slow(script: str, names: list[str], args: list[bytes]) -> object:
        nonlocal interfered
        if script == "step_order" and b'"submit"' in args[0] and not interfered:
            interfered = True
            await shop.another_process().catch_up(OrderId(orjson.loads(args[0])["order_id"]))
            assert await shop.state(whole) == ""
        return await run(script, names, args)

    shop.store.run = slow  # type: ignore[method-assign,assignment]
    order = await shop.submit(own, whole)
    assert interfered
    assert [await shop.state(each) for each in (own, whole)] == [f"locked:{order.order_id}"] * 2
    await shop.orders.pay(order.order_id, "p")
    assert (await shop.state(whole)).startswith("redeemed:")


async def test_a_part_about_to_be_let_go_is_not_built_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry between tombstone and release locks the packet again, and the late release changes nothing."""
    own, whole = await shop.asset(1_500), await shop.asset(700, of=PLATFORM)
    await die_in_submit(shop, monkeypatch, own, whole)
    await shop.at(LATE_MS)
    [order_id] = await shop.orders.due(PLATFORM)
    run, interfered = shop.store.run, False

    async def slow(script: str, names: list[str], args: list[bytes]) -> object:
        nonlocal interfered
        if script == "step_order" and b":released:" in args[0] and not interfered:
            interfered = True
            await shop.submit(own, whole)
        return await run(script, names, args)

    shop.store.run = slow  # type: ignore[method-assign,assignment]
    await shop.another_process().catch_up(order_id)
    assert interfered
    assert [await shop.state(each) for each in (own, whole)] == [f"locked:{order_id}"] * 2
    await shop.orders.cancel(order_id, "c")
    assert await shop.under_way() == {}


async def test_the_buyer_who_asks_again_gets_past_the_death(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same submission need not wait for the sweeper: what the dead one held is let go first."""
    own, whole = await shop.asset(1_500), await shop.asset(700, of=PLATFORM)
    await die_in_submit(shop, monkeypatch, own, whole)
    order = await shop.submit(own, whole)
    assert [await shop.state(each) for each in (own, whole)] == [f"locked:{order.order_id}"] * 2
    await shop.orders.cancel(order.order_id, "c")
    assert await shop.under_way() == {}


async def test_a_death_between_tombstone_and_release_is_made_good(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the process dies while releasing, the next one completes the release."""
    whole = await shop.asset(700, of=PLATFORM)
    await die_in_submit(shop, monkeypatch, whole)
    await shop.at(LATE_MS)
    [order_id] = await shop.orders.due(PLATFORM)
    with monkeypatch.context() as patched, pytest.raises(Died):
        await dying(shop, patched, 2).catch_up(order_id)
    assert (await shop.state(whole)).startswith("locked:")
    assert await shop.orders.due(PLATFORM) == [order_id]
    await shop.orders.catch_up(order_id)
    assert await shop.state(whole) == ""
    assert await shop.under_way() == {}


async def test_what_expired_since_the_death_is_let_go_at_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked again too late, the order is refused, and the platform's packet does not wait for the sweeper."""
    whole = await shop.asset(700, of=PLATFORM)
    await die_in_submit(shop, monkeypatch, whole)
    await shop.at(USE_END_MS)
    with pytest.raises(Refused) as refused:
        await shop.submit(whole)
    assert refused.value.code == "not_available"
    assert await shop.state(whole) == "expired"
    assert await shop.under_way() == {"reversing:platform": 700}


@pytest.mark.parametrize("step", ["pay", "cancel", "refund", "finish"])
async def test_a_part_catches_up_with_home(shop: Shop, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """If home's process died after a decision, any number of later callers make the part follow once."""
    own, whole = await shop.asset(1_500, use_end_at_ms=None), await shop.asset(700, of=PLATFORM, use_end_at_ms=None)
    order_id = (await shop.submit(own, whole, purchase=a_purchase(2_000))).order_id
    if step in ("refund", "finish"):
        await shop.orders.pay(order_id, "p")
    if step == "finish":
        await shop.at(START_MS + HORIZON_MS)
    before = await shop.state(whole)
    with monkeypatch.context() as patched:
        living, shop.orders = shop.orders, dying(shop, patched, 2)
        with pytest.raises(Died):
            await {
                "pay": lambda: shop.orders.pay(order_id, "p"),
                "cancel": lambda: shop.orders.cancel(order_id, "c"),
                "refund": lambda: shop.refund(order_id, l0=0),
                "finish": lambda: shop.orders.finish(order_id),
            }[step]()
    shop.orders = living
    assert await shop.state(whole) == before
    now_ms = START_MS + HORIZON_MS if step == "finish" else START_MS
    await shop.at(now_ms + PART_WAIT_REAL_MS)
    assert await shop.orders.due(LI) == [order_id]
    others = [shop.another_process() for _ in range(5)]
    await asyncio.gather(*(each.catch_up(order_id) for each in others))
    await shop.orders.catch_up(order_id)
    states = {"pay": "redeemed:", "cancel": "", "refund": "", "finish": "final:"}
    assert (await shop.state(whole)).startswith(states[step])
    assert (await shop.state(whole)).startswith((await shop.state(own))[:9])
    follows = [entry for entry in await shop.desks[PLATFORM].journal() if entry["kind"] == "follow"]
    assert len(follows) == (2 if step in ("refund", "finish") else 1)
    assert await shop.orders.due(LI) == await shop.orders.due(PLATFORM) == []
    if step != "pay":
        assert {name.split(":")[0] for name in await shop.under_way()} <= {"reversing"}


async def test_a_part_that_missed_many_steps_takes_them_all(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paid and refunded while nothing reached the platform, each step is carried out once and in order."""
    whole = await shop.asset(700, of=PLATFORM)
    order_id = (await shop.submit(whole)).order_id

    async def deaf(*_: object) -> None: ...

    with monkeypatch.context() as patched:
        patched.setattr(order_step, "follow_order", deaf)
        await shop.orders.pay(order_id, "p")
        await shop.refund(order_id, refund_id="a", l0=1)
        await shop.refund(order_id, refund_id="b", l0=9_299)
    assert (await shop.state(whole)).startswith("locked:")
    await shop.orders.catch_up(order_id)
    assert await shop.state(whole) == ""
    assert await shop.counters(whole) == {}
    assert await shop.under_way() == {}
    assert await shop.effects(keys.effects(PLATFORM)) == {
        "attributed_orders": 1,
        "gmv_fen": 10_000,
        "goods_paid_fen": 9_300,
        "redeemed": 1,
        "redeemed_fen": 700,
        "refund_fen": 9_300,
        "estimated_fen": 2_000,
        "estimate_over_fen": 2_000,
        "packets_back_fen": 700,
        "cost_back_fen": 700,
    }


async def test_what_comes_back_too_late_goes_to_the_platform(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A packet that home gave back in time, but followed after its validity, goes back to its funder."""
    whole = await shop.asset(700, of=PLATFORM)
    order_id = (await shop.submit(whole)).order_id
    with monkeypatch.context() as patched:
        living, shop.orders = shop.orders, dying(shop, patched, 2)
        with pytest.raises(Died):
            await shop.orders.cancel(order_id, "c")
    shop.orders = living
    await shop.at(USE_END_MS)
    await shop.orders.catch_up(order_id)
    assert await shop.state(whole) == "expired"
    assert await shop.under_way() == {"reversing:platform": 700}
    assert list((await shop.reversals(PLATFORM)).values()) == [USE_END_MS + DELAY_MS]


async def test_an_order_of_the_platforms_goods_alone_has_one_tag(shop: Shop) -> None:
    """Its home is the platform, and no part has to follow."""
    whole = await shop.asset(700, of=PLATFORM)
    order = await shop.submit(whole, purchase=a_purchase(a_line("l0", 5_000, None)))
    assert order.home == PLATFORM
    await shop.orders.pay(order.order_id, "p")
    assert await shop.state(whole) == f"redeemed:{order.order_id}"
    assert [entry["kind"] for entry in await shop.desks[PLATFORM].journal() if "postings" in entry] == ["submit", "pay"]


async def test_an_unpaid_order_with_both_lets_both_go_in_time(shop: Shop) -> None:
    """The sweeper's cancel reaches the platform's packet too."""
    own, whole = await shop.asset(1_500, use_end_at_ms=None), await shop.asset(700, of=PLATFORM, use_end_at_ms=None)
    order = await shop.submit(own, whole)
    await shop.at(START_MS + DOUYIN.order_unpaid_max_ms)
    await shop.orders.catch_up(order.order_id)
    assert (await shop.orders.get(order.order_id)).order.state is OrderState.CANCELLED
    assert [await shop.state(each) for each in (own, whole)] == ["", ""]
    assert await shop.under_way() == {}
