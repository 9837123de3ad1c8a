"""An allocator's context: a packet as it is, its shares, keys of its own, and the books."""

from collections.abc import AsyncIterator

import pytest

from server.core.ids import PacketId
from server.core.packets.claim import ClaimStatus
from server.store import keys
from server.store.allocators.context import AllocatorContext
from tests.store.desk import CLAIM_END_AT_MS, GRAB_AT_MS, ROOM, Desk, crowd, grab

S = ClaimStatus


@pytest.fixture
async def context(desk: Desk) -> AsyncIterator[AllocatorContext]:
    made = desk.context()
    yield made
    await made.close()


async def test_the_window_is_seen_to_the_millisecond(desk: Desk, context: AllocatorContext) -> None:
    """Half-open, by the store's clock; voided and unknown packets are told apart."""
    packet_id = await desk.open_packet([5, 6], allocator="counter")
    seen = []
    for at_ms in (GRAB_AT_MS - 1, GRAB_AT_MS, CLAIM_END_AT_MS - 1, CLAIM_END_AT_MS):
        await desk.store_at(at_ms)
        view = await context.view(packet_id)
        assert view is not None
        assert view.now_ms == at_ms
        seen.append(view.refusal)
    assert seen == [S.TOO_EARLY, None, None, S.TOO_LATE]
    await desk.at(GRAB_AT_MS)
    await desk.packets.void(packet_id, transfer_id="v", lead_ms=None)
    view = await context.view(packet_id)
    assert view is not None
    assert view.refusal is S.VOIDED
    for unknown in ("c1.none", "c9.none", "nodot"):
        assert await context.view(PacketId(unknown)) is None


async def test_the_shares_are_those_of_the_packet(desk: Desk, context: AllocatorContext) -> None:
    """In their order, and read once."""
    packet_id = await desk.open_packet([5, 6, 7], allocator="counter")
    assert await context.shares(packet_id) == [5, 6, 7]
    await desk.store.redis.delete(keys.shares(packet_id))
    assert await context.shares(packet_id) == [5, 6, 7]


async def test_a_recorded_share_is_in_the_books_once(desk: Desk, context: AllocatorContext) -> None:
    """Claims, counters and journal have it; recording it again changes nothing, a refusal is passed on."""
    packet_id = await desk.open_packet([5, 6], allocator="counter")
    view = await context.view(packet_id)
    assert view is not None
    ann, bob = grab("ann", "q1"), grab("bob", "q2")
    claims = [view.holding(ann, 0, 5, ann.request_id), view.refused(bob, S.EXHAUSTED)]

    for _ in range(2):
        assert await context.record(view, claims) == claims

    assert await context.held(packet_id, ann.viewer_id) == claims[0].share
    assert await context.held(packet_id, bob.viewer_id) is None
    counts = await desk.packets.counts(packet_id)
    assert (counts.given, counts.given_fen, counts.remaining, counts.remaining_fen) == (1, 5, 1, 6)
    [entry] = await desk.journal("claim")
    assert (entry["claims"], entry["amount_fen"], entry["at_ms"]) == ("ann,0,5,q1", "5", str(GRAB_AT_MS))


async def test_what_was_given_wrongly_is_recorded_as_it_is(desk: Desk, context: AllocatorContext) -> None:
    """One share for two viewers, two shares for one, one more than there are: the books say so, for the audit."""
    packet_id = await desk.open_packet([5, 6], allocator="counter")
    view = await context.view(packet_id)
    assert view is not None
    given = [("ann", 0, 5), ("bob", 0, 5), ("ann", 1, 6), ("cat", 2, 9)]
    claims = [
        view.holding(one, index, fen, one.request_id)
        for one, index, fen in ((grab(viewer), index, fen) for viewer, index, fen in given)
    ]
    assert await context.record(view, claims) == claims
    counts = await desk.packets.counts(packet_id)
    assert (counts.given, counts.given_fen, counts.remaining) == (4, 25, 0)
    [entry] = await desk.journal("claim")
    assert entry["claims"] == "ann,0,5,q;bob,0,5,q;ann,1,6,q;cat,2,9,q"


@pytest.mark.parametrize(("voided", "status"), [(False, S.TOO_LATE), (True, S.VOIDED)])
async def test_what_comes_after_the_end_is_refused(
    desk: Desk, context: AllocatorContext, status: ClaimStatus, *, voided: bool
) -> None:
    """The shares have gone back by then; who has one in the books keeps it."""
    packet_id = await desk.open_packet([5, 6], allocator="counter")
    view = await context.view(packet_id)
    assert view is not None
    first, second = (view.holding(one, n, 5 + n, one.request_id) for n, one in enumerate(crowd(2)))
    await context.record(view, [first])
    if voided:
        await desk.packets.void(packet_id, transfer_id="v", lead_ms=None)
    else:
        await desk.at(CLAIM_END_AT_MS)
        assert await desk.packets.sweep(packet_id) is not None

    told = await context.record(view, [first, second])

    assert told[0] == first
    assert (told[1].status, told[1].share) == (status, None)
    assert list(await desk.packets.claims(packet_id)) == ["v0"]


async def test_more_than_a_call_takes_goes_in_several(desk: Desk, context: AllocatorContext) -> None:
    """1,001 shares are recorded in order."""
    packet_id = await desk.open_packet([5] * 1_001, allocator="counter")
    view = await context.view(packet_id)
    assert view is not None
    claims = [view.holding(one, n, 5, one.request_id) for n, one in enumerate(crowd(1_001))]
    assert await context.record(view, claims) == claims
    assert (await desk.packets.counts(packet_id)).given == 1_001


async def test_keys_of_ones_own_lie_with_the_packet(context: AllocatorContext, desk: Desk) -> None:
    """A script may touch several of them, and of the packet's."""
    key = context.key(PacketId("c1.p"), "mine")
    assert key == "{c1}:allocator:c1.p:mine"
    assert desk.room.room_id == ROOM
    await context.redis.set(key, "x")
    assert await context.redis.get(key) == b"x"
