"""The commit of an order's step: all of it or nothing, whatever has changed since it was decided."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from server.core.ids import ClaimId, OrderId, PacketId
from server.core.money.posting import AssetChange, OrderKind, Posting, Reversal, StepPart
from server.core.orders.asset import Asset, AssetState
from server.core.orders.order_stats import OrderStats
from server.store import keys
from server.store.connection import Store
from server.store.orders.commit import OrderStep, commit, decided_until, stored_state
from server.store.transfers import StoreBroken
from tests.store.shop import ANNA, BOB, LI, START_MS, USE_END_MS, Shop

ORDER_ID = OrderId("li.0123456789")
FACE_FEN = 500
KEYS = ["clock", "transfers", "wallet", "journal", "orders", "orders_due", "reversals", f"order:{ORDER_ID}", "effects"]
OF_PACKET = ["packet", "claims", "assets", "effects"]


@pytest.fixture
async def shop(store: Store) -> Shop:
    return await Shop.open(store)


def a_step(asset_id: str, **changes: Any) -> OrderStep:
    """Return a step that touches every key: it locks a packet as no order of the core would, with money going back."""
    packet_id = PacketId(asset_id.rpartition(":")[0])
    part = StepPart(
        OrderKind.SUBMIT,
        "t",
        LI,
        ORDER_ID,
        (Posting(f"assets:{packet_id}", f"locked:{packet_id}", FACE_FEN),),
        (AssetChange(ClaimId(asset_id), FACE_FEN, AssetState.AVAILABLE, AssetState.LOCKED),),
    )
    gains = OrderStats({"redeemed": 1}, {packet_id: {"redeemed": 1}})
    step = OrderStep(part, ANNA, {"state": "x"}, 0, START_MS, USE_END_MS, START_MS, START_MS, asked="a", gains=gains)
    return replace(step, **changes)


def going_back(step: OrderStep) -> OrderStep:
    """Return the step that takes the packet out of the order again, on its way to its creator."""
    packet_id = PacketId(step.part.changes[0].asset_id.rpartition(":")[0])
    part = replace(
        step.part,
        kind=OrderKind.CANCEL,
        transfer_id="back",
        postings=(Posting(f"locked:{packet_id}", "reversing:li", FACE_FEN),),
        changes=(step.part.changes[0]._replace(before=AssetState.LOCKED, after=AssetState.EXPIRED_RETURNED),),
        reversals=(Reversal("k", packet_id, FACE_FEN, START_MS),),
    )
    return replace(step, part=part, version=1)


async def test_a_step_writes_everything_it_says(shop: Shop) -> None:
    """Record, asset, counters, totals, the sweeper's list, one entry; the next one finds the version it left."""
    asset = await shop.asset(FACE_FEN)
    step = a_step(asset)
    assert await commit(shop.store, step) == b"done"
    assert await shop.state(asset) == f"locked:{ORDER_ID}"
    assert await commit(shop.store, going_back(step)) == b"done"
    assert await shop.state(asset) == "expired"
    assert await shop.counters(asset) == {"expired": 1, "expired_fen": FACE_FEN}
    packet_id = PacketId(asset.rpartition(":")[0])
    assert await shop.reversals(LI) == {f"k|{packet_id}|{FACE_FEN}": START_MS}
    assert await shop.effects(keys.effects(LI)) == await shop.effects(keys.effects_of(packet_id)) == {"redeemed": 2}
    assert await shop.under_way() == {"reversing:li": FACE_FEN}
    assert (await shop.desks[LI].journal())[-1]["order_id"] == ORDER_ID


async def test_a_transfer_is_carried_out_once(shop: Shop) -> None:
    """Asked again it is repeated; under the same id for something else it is refused; neither changes anything."""
    step = a_step(await shop.asset(FACE_FEN))
    await commit(shop.store, step)
    before = await shop.desks[LI].state()
    assert await commit(shop.store, step) == b"repeated"
    assert await commit(shop.store, replace(step, asked="ab")) == b"transfer_conflict"
    assert await shop.desks[LI].state() == before


STALE: dict[str, Callable[[Shop, str], Awaitable[object]]] = {
    "another step came": lambda shop, _: shop.store.redis.hset(keys.order(LI, ORDER_ID), "version", "1"),
    "another order has it": lambda shop, asset: shop.store.redis.hset(of(asset, "assets"), "0", "locked:li.x"),
    "it expired": lambda shop, asset: shop.store.redis.hset(of(asset, "assets"), "0", "expired"),
    "another viewer's": lambda shop, asset: shop.store.redis.hdel(of(asset, "claims"), ANNA),
    "another share": lambda shop, asset: shop.store.redis.hset(of(asset, "claims"), ANNA, "1:500:1:q"),
    "another face": lambda shop, asset: shop.store.redis.hset(of(asset, "claims"), ANNA, "0:501:1:q"),
    "too early": lambda shop, _: shop.at(START_MS - 1),
    "too late": lambda shop, _: shop.at(USE_END_MS),
}


def of(asset_id: str, name: str) -> str:
    return f"{{li}}:{name}:{asset_id.rpartition(':')[0]}"


@pytest.mark.parametrize("change", list(STALE))
async def test_what_has_changed_since_makes_a_step_raced(shop: Shop, change: str) -> None:
    """Then nothing is written, and the step is to be decided anew."""
    asset = await shop.asset(FACE_FEN)
    await STALE[change](shop, asset)
    before = await shop.desks[LI].state()
    assert await commit(shop.store, a_step(asset)) == b"raced"
    assert await shop.desks[LI].state() == before


async def test_the_claim_counts_by_its_owner(shop: Shop) -> None:
    """A step for who has not grabbed the share is raced, however it was decided."""
    asset = await shop.asset(FACE_FEN)
    assert await commit(shop.store, a_step(asset, viewer_id=BOB)) == b"raced"


@pytest.mark.parametrize("key", [*KEYS, *(f"{name}:P" for name in OF_PACKET)])
async def test_a_key_of_the_wrong_type_changes_nothing(shop: Shop, key: str) -> None:
    """If any key has another type, the script fails and changes nothing."""
    asset = await shop.asset(FACE_FEN)
    step = a_step(asset)
    assert await commit(shop.store, step) == b"done"
    name = f"{{li}}:{key.replace('P', asset.rpartition(':')[0])}"
    await shop.store.redis.delete(name)
    if key in ("journal", "orders", "orders_due", "reversals"):
        await shop.store.redis.hset(name, "poison", "poison")
    else:
        await shop.store.redis.rpush(name, "poison")
    before = await shop.desks[LI].state()
    with pytest.raises(StoreBroken, match=r"WRONGTYPE|BROKEN"):
        await commit(shop.store, going_back(step))
    assert await shop.desks[LI].state() == before


FIELDS = [
    ("clock", "speed"),
    ("wallet", "reversing_fen"),
    (f"order:{ORDER_ID}", "version"),
    ("effects", "redeemed"),
    ("effects:P", "redeemed"),
    *(("packet:P", name) for name in ("locked", "locked_fen", "expired", "expired_fen")),
]


@pytest.mark.parametrize(("key", "field"), FIELDS)
@pytest.mark.parametrize("poison", ["", "many", "1.5", "-3", str(2**53), "nan"])
async def test_a_field_that_is_no_number_changes_nothing(shop: Shop, key: str, field: str, poison: str) -> None:
    """Money, counters and instants are whole numbers that a double holds, or the script fails before it writes."""
    asset = await shop.asset(FACE_FEN)
    step = a_step(asset)
    await commit(shop.store, step)
    await shop.store.redis.hset(f"{{li}}:{key.replace('P', asset.rpartition(':')[0])}", field, poison)
    before = await shop.desks[LI].state()
    with pytest.raises(StoreBroken, match="BROKEN"):
        await commit(shop.store, going_back(step))
    assert await shop.desks[LI].state() == before


async def test_a_counter_never_falls_below_zero(shop: Shop) -> None:
    """A packet that counts fewer locked shares than an order takes from it is broken."""
    asset = await shop.asset(FACE_FEN)
    step = a_step(asset)
    await commit(shop.store, step)
    await shop.store.redis.hset(of(asset, "packet"), "locked_fen", str(FACE_FEN - 1))
    with pytest.raises(StoreBroken, match="BROKEN packet"):
        await commit(shop.store, going_back(step))
    assert await shop.state(asset) == f"locked:{ORDER_ID}"


async def test_a_packet_that_is_not_there_is_broken(shop: Shop) -> None:
    """No counters come into being for it."""
    asset = await shop.asset(FACE_FEN)
    await shop.store.redis.delete(of(asset, "packet"))
    with pytest.raises(StoreBroken, match="BROKEN packet"):
        await commit(shop.store, a_step(asset))


async def test_a_step_without_money_has_no_entry(shop: Shop) -> None:
    """It changes the record and its version, and nothing in the journal."""
    asset = await shop.asset(FACE_FEN)
    part = StepPart(OrderKind.CANCEL, "", LI, ORDER_ID)
    before = await shop.desks[LI].journal()
    assert await commit(shop.store, a_step(asset, part=part, gains=OrderStats(), due_at_ms=None)) == b"done"
    assert await shop.desks[LI].journal() == before
    assert await shop.store.redis.hget(keys.order(LI, ORDER_ID), "version") == b"1"
    assert await shop.store.redis.zcard(keys.orders_due(LI)) == 0


async def test_the_sweeper_is_told_when_to_look_by_who_knows_the_order_as_it_is(shop: Shop) -> None:
    """An instant that somebody computed from an older record is not kept."""
    asset = await shop.asset(FACE_FEN)
    step = a_step(asset)
    await commit(shop.store, step)
    for version, due_at_ms, kept in ((0, 5, START_MS), (1, 6, 6), (1, None, None)):
        await shop.orders.context.orders.look_again(LI, ORDER_ID, version, due_at_ms)
        assert await shop.store.redis.zscore(keys.orders_due(LI), ORDER_ID) == kept


def test_a_decision_holds_until_a_validity_begins_or_ends() -> None:
    """The next instant after now counts, never now itself."""
    assets = [an_asset(5, 100), an_asset(20, 60)]
    assert [decided_until(assets, now_ms) for now_ms in (4, 5, 20, 60, 100)] == [5, 20, 60, 100, None]
    assert decided_until(assets, 5, 10) == 10
    assert decided_until((), 5) is None


def an_asset(use_start_at_ms: int, use_end_at_ms: int) -> Asset:
    return Asset("li.p:0", ANNA, LI, 1, use_start_at_ms, use_end_at_ms)


def test_each_state_has_its_text() -> None:
    """As ``asset_of`` reads them."""
    texts = [stored_state(state, ORDER_ID) for state in AssetState]
    assert texts == ["", f"locked:{ORDER_ID}", f"redeemed:{ORDER_ID}", "expired"]
    assert stored_state(AssetState.REDEEMED, ORDER_ID, final=True) == f"final:{ORDER_ID}"
