"""Assets on the real store: what a viewer holds, read from the claims."""

import pytest

from server.core.ids import PLATFORM, ViewerId
from server.core.orders.asset import AssetState
from server.core.refusal import Refused
from server.store import assets as module
from server.store import keys
from server.store.assets import BEFORE_ALL, PACKETS_COUNTED_MAX, Cursor
from server.store.connection import Store
from tests.store.desk import GRAB_AT_MS, NOW_MS
from tests.store.shop import ANNA, BOB, LI, START_MS, USE_END_MS, WANG, Shop, a_purchase


@pytest.fixture
async def shop(store: Store) -> Shop:
    return await Shop.open(store)


async def usable(shop: Shop, viewer_id: ViewerId) -> int:
    return (await shop.assets.counts([BOB, ANNA], LI)).get(viewer_id, 0)


@pytest.mark.rule("KS-CLM-3")
async def test_a_viewer_sees_what_it_claimed_and_what_became_of_it(shop: Shop) -> None:
    """Claimed and used packets with name, state and times, of the creators asked for, and of nobody else."""
    own, used = await shop.asset(500), await shop.asset(700)
    whole = await shop.asset(900, of=PLATFORM)
    await shop.asset(1_000, of=WANG)
    await shop.asset(1_100, viewer=BOB)
    order = await shop.submit(used)
    held = {each.asset.asset_id: each for each in await shop.assets.of_viewer(ANNA, [LI, PLATFORM, LI])}
    assert set(held) == {own, used, whole}
    assert [held[each].asset.state for each in (own, used)] == [AssetState.AVAILABLE, AssetState.LOCKED]
    assert held[used].asset.order_id == order.order_id
    assert (held[own].asset.creator_id, held[whole].asset.creator_id) == (LI, None)
    assert (held[own].packet.name, held[own].claimed_at_ms) == ("rain", START_MS)
    assert (held[own].asset.face_fen, held[own].asset.use_end_at_ms) == (500, USE_END_MS)


async def test_a_relative_validity_counts_from_the_claim(shop: Shop) -> None:
    """Each viewer's own, by the instant of its grab (DY-CRE-3, AMB-5)."""
    desk = shop.desks[LI]
    await shop.at(NOW_MS)
    await desk.recharge(10)
    packet = await desk.draft([4, 6], use_for_ms=1_000, product_ids=["a", "b"])
    await desk.launch(packet.packet_id)
    for n, viewer in enumerate((ANNA, BOB)):
        await shop.at(GRAB_AT_MS + n)
        await desk.run_claim(packet.packet_id, [viewer, "q"])
    [annas], [bobs] = await shop.assets.of_viewer(ANNA, [LI]), await shop.assets.of_viewer(BOB, [LI])
    assert (annas.asset.use_start_at_ms, annas.asset.use_end_at_ms) == (GRAB_AT_MS, GRAB_AT_MS + 1_000)
    assert (bobs.asset.face_fen, bobs.asset.use_end_at_ms) == (6, GRAB_AT_MS + 1_001)
    assert annas.asset.product_ids == frozenset({"a", "b"})


async def test_only_what_can_be_used_counts(shop: Shop) -> None:
    """Neither what an order holds nor what has expired."""
    for _ in range(2):
        await shop.asset(500, use_end_at_ms=None)
    used = await shop.asset(700)
    assert await usable(shop, ANNA) == 3
    await shop.submit(used)
    assert await usable(shop, ANNA) == 2
    await shop.asset(800)
    await shop.at(USE_END_MS - 1)
    assert await usable(shop, ANNA) == 3
    await shop.at(USE_END_MS)
    assert await usable(shop, ANNA) == 2
    assert await usable(shop, BOB) == 0
    await shop.asset(900, viewer=BOB)
    assert await shop.assets.counts([ANNA, BOB], LI) == {ANNA: 3, BOB: 1}


async def test_a_creator_with_very_many_packets_is_not_looked_through(shop: Shop) -> None:
    """Up to the limit all are counted, one more and none is."""
    await shop.asset(500)
    names = {f"li.x{n}": n for n in range(PACKETS_COUNTED_MAX - 1)}
    await shop.store.redis.zadd(keys.packets(LI), names)
    assert await shop.assets.counts([ANNA], LI) == {ANNA: 1}
    await shop.store.redis.zadd(keys.packets(LI), {"li.y": 0})
    assert await shop.assets.counts([ANNA], LI) == {}


async def test_assets_are_found_by_their_ids(shop: Shop) -> None:
    """Those that are the viewer's, and no others; what is no id is refused."""
    first, second = await shop.asset(500), await shop.asset(600)
    bobs = await shop.asset(700, viewer=BOB)
    found = await shop.assets.named(ANNA, [second, first, bobs, "li.none:0"])
    assert sorted(each.asset.face_fen for each in found) == [500, 600]
    for wrong in ("li.p", "li.p:x"):
        with pytest.raises(Refused) as refused:
            await shop.assets.named(ANNA, [first, wrong])
        assert refused.value.code == "not_found"


async def test_a_naive_packet_has_no_owners_and_its_shares_are_usable_all_the_same(shop: Shop) -> None:
    """Only when they were claimed is not known."""
    asset = await shop.asset(500, use_end_at_ms=None)
    packet_id = asset.rpartition(":")[0]
    await shop.store.redis.delete(f"{{li}}:owners:{packet_id}")
    [held] = await shop.assets.of_viewer(ANNA, [LI])
    assert held.claimed_at_ms is None
    assert (await shop.submit(asset, purchase=a_purchase(1_000))).order.quote.payable_fen == 500


async def test_pages_over_all_creators_have_each_share_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the pages are cut: within a creator's packets, between two creators, or by the number of creators."""
    mine = [await shop.asset(500 + n, of=creator) for creator in (LI, PLATFORM, WANG) for n in range(3)]
    await shop.asset(999, viewer=BOB)
    whole, going_on = await shop.assets.page(ANNA)
    assert going_on is None
    assert sorted(each.asset.asset_id for each in whole) == sorted(mine)
    assert [each.claimed_at_ms or 0 for each in whole] == sorted(
        (each.claimed_at_ms or 0 for each in whole), reverse=True
    )
    for packets, creators in ((1, 9), (2, 9), (4, 9), (9, 1), (2, 1)):
        monkeypatch.setattr(module, "LOOKED_THROUGH_MAX", packets)
        monkeypatch.setattr(module, "CREATORS_MAX", creators)
        seen: list[str] = []
        cursor: Cursor | None = BEFORE_ALL
        while cursor is not None:
            page, cursor = await shop.assets.page(ANNA, cursor)
            seen += [each.asset.asset_id for each in page]
        assert sorted(seen) == sorted(mine), (packets, creators)
