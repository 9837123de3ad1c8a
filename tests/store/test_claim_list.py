"""The list of a packet's claims: every granted share once, page by page from either end."""

import pytest

from server.core.ids import PacketId
from server.core.refusal import Refused
from server.store import claim_list as module
from server.store import packet_stats
from server.store.allocators.default import DefaultAllocator
from server.store.claim_list import ClaimLists, ClaimPage
from server.store.packet_stats import StatsCounters
from tests.store.desk import CLAIM_END_AT_MS, GRAB_AT_MS, ROOM, Desk, crowd

SHARES = [100, 301, 500, 20, 301]


async def _grabbed(desk: Desk, packet_id: PacketId, viewers: int) -> None:
    allocator = DefaultAllocator(desk.store, desk.clock, lambda: True)
    await allocator.claim(packet_id, ROOM, crowd(viewers))
    await allocator.caught_up()


def _told(page: ClaimPage) -> tuple[int, list[object], int | None]:
    return page.claimed, [tuple(row) for row in page.rows], page.next


async def test_a_packet_without_claims_has_an_empty_list(desk: Desk) -> None:
    """Neither end has anything."""
    packet_id = await desk.open_packet(SHARES)
    for newest in (False, True):
        page = await ClaimLists(desk.store).page(packet_id, after=None, limit=2, newest=newest)
        assert _told(page) == (0, [], None)


async def test_pages_have_every_claim_once(desk: Desk) -> None:
    """From the first share on, or from the last one back, while more are claimed: nobody is missed or named twice."""
    packet_id = await desk.open_packet(SHARES)
    await _grabbed(desk, packet_id, 3)
    lists = ClaimLists(desk.store)
    first = await lists.page(packet_id, after=None, limit=2, newest=False)
    assert _told(first) == (3, [("v0", 0, 100, GRAB_AT_MS), ("v1", 1, 301, GRAB_AT_MS)], 1)
    newest = await lists.page(packet_id, after=None, limit=2, newest=True)
    assert _told(newest) == (3, [("v2", 2, 500, GRAB_AT_MS), ("v1", 1, 301, GRAB_AT_MS)], 1)
    await _grabbed(desk, packet_id, 4)
    rest = await lists.page(packet_id, after=first.next, limit=2, newest=False)
    assert _told(rest) == (4, [("v2", 2, 500, GRAB_AT_MS), ("v3", 3, 20, GRAB_AT_MS)], None)
    oldest = await lists.page(packet_id, after=newest.next, limit=2, newest=True)
    assert _told(oldest) == (4, [("v0", 0, 100, GRAB_AT_MS)], None)
    for newest_first, after in ((False, 99), (True, 0)):
        assert (await lists.page(packet_id, after=after, limit=2, newest=newest_first)).rows == []


async def test_without_owners_the_claims_are_sorted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An allocator that keeps no order has its claims read whole, up to a number; more are refused."""
    packet_id = await desk.open_packet(SHARES)
    await _grabbed(desk, packet_id, 4)
    await desk.store.redis.delete(f"{{{desk.creator_id}}}:owners:{packet_id}")
    lists = ClaimLists(desk.store)
    page = await lists.page(packet_id, after=0, limit=2, newest=False)
    assert _told(page) == (4, [("v1", 1, 301, None), ("v2", 2, 500, None)], 2)
    monkeypatch.setattr(module, "UNORDERED_MAX", 3)
    with pytest.raises(Refused) as refused:
        await lists.page(packet_id, after=None, limit=2, newest=False)
    assert refused.value.code == "too_many"


async def test_no_packet_has_no_list(desk: Desk) -> None:
    """A packet that is not there is no empty one."""
    with pytest.raises(Refused) as refused:
        await ClaimLists(desk.store).page(PacketId("c1.none"), after=None, limit=2, newest=False)
    assert refused.value.code == "not_found"


async def test_the_best_luck_is_known_once_no_more_can_come(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of equal shares the first; before that nobody has it, and too many claims are not looked through for it."""
    packet_id = await desk.open_packet([100, 301, 301])
    counters = StatsCounters(desk.store)
    await _grabbed(desk, packet_id, 2)
    assert await counters.best_luck(packet_id, GRAB_AT_MS) is None
    closed = await counters.best_luck(packet_id, CLAIM_END_AT_MS)
    assert closed is not None
    assert (closed.viewer_id, closed.index) == ("v1", 1)
    await _grabbed(desk, packet_id, 3)
    sold_out = await counters.best_luck(packet_id, GRAB_AT_MS)
    assert sold_out is not None
    assert (sold_out.viewer_id, sold_out.index) == ("v1", 1)
    monkeypatch.setattr(packet_stats, "CLAIMS_LOOKED_THROUGH_MAX", 2)
    assert await StatsCounters(desk.store).best_luck(packet_id, GRAB_AT_MS) is None
    assert await counters.best_luck(packet_id, GRAB_AT_MS) == sold_out
