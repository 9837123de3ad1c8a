"""The naive allocator really over-issues, and nothing around it hides or trips over that."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from server.core.ids import PacketId
from server.core.packets.claim import ClaimStatus
from server.store.allocators.default import DefaultAllocator
from server.store.allocators.naive import NaiveAllocator
from server.store.books import export
from tests.store.desk import CLAIM_END_AT_MS, GRAB_AT_MS, ROOM, Desk, crowd, grab

S = ClaimStatus


@pytest.fixture
async def naive(desk: Desk) -> AsyncIterator[NaiveAllocator]:
    context = desk.context()
    yield NaiveAllocator(context)
    await context.close()


@pytest.mark.parametrize("round_", range(3))
async def test_naive_over_issues_where_the_default_does_not(desk: Desk, naive: NaiveAllocator, round_: int) -> None:
    """Two hundred grabs at once for a hundred shares: more claims than shares, and one index given twice."""
    raced = await desk.open_packet([5 + round_] * 100, allocator="naive")
    safe = await desk.open_packet([5 + round_] * 100)
    default = DefaultAllocator(desk.store, desk.clock, lambda: True)

    await asyncio.gather(*(naive.claim(raced, ROOM, [one]) for one in crowd(200)))
    await asyncio.gather(*(default.claim(safe, ROOM, [one]) for one in crowd(200)))
    await default.caught_up()

    claims = await desk.packets.claims(raced)
    assert len(claims) > 100
    assert max(Counter(share.index for share in claims.values()).values()) > 1
    assert len(await desk.packets.claims(safe)) == 100


async def test_books_show_what_naive_did_and_the_sweep_survives_it(desk: Desk, naive: NaiveAllocator) -> None:
    """The counter stays below the claims; counts, sweep and books go by it, and the claims tell the truth."""
    packet_id = await desk.open_packet(list(range(1, 101)), allocator="naive")
    await naive.claim(packet_id, ROOM, crowd(200))
    before = await desk.packets.counts(packet_id)
    await desk.at(CLAIM_END_AT_MS)
    counts = await desk.packets.sweep(packet_id)

    assert counts is not None
    assert (before.given, 0, 100 - before.given) == (counts.given, counts.remaining, counts.returned)
    lines = [line async for line in export(desk.store, desk.clock, final=True)]
    kinds = Counter(line["kind"] for line in lines)
    assert kinds["claim"] == 200
    [packet] = [line for line in lines if line["kind"] == "packet"]
    assert before.given == packet["given"] < 200
    [left] = [line for line in lines if line["kind"] == "left"]
    assert list(range(before.given + 1, 101)) == left["amounts"]
    journalled = [one for line in lines if line["kind"] == "journal" for one in line["claims"] or []]
    assert {f"v{n}" for n in range(200)} == {viewer for viewer, *_ in journalled}


async def test_alone_naive_is_right(desk: Desk, naive: NaiveAllocator) -> None:
    """One grab after another it gives each share once, repeats, and ends: the race is its only fault."""
    packet_id = await desk.open_packet([5, 6], allocator="naive")

    answers = [
        (await naive.claim(packet_id, ROOM, [one]))[0].status
        for one in (grab("ann", "q1"), grab("ann", "q1"), grab("ann", "q2"), grab("bob"), grab("cat"))
    ]

    assert answers == [S.GRANTED, S.GRANTED, S.REPEATED, S.GRANTED, S.EXHAUSTED]
    counts = await desk.packets.counts(packet_id)
    assert (counts.given, counts.given_fen, counts.remaining, counts.remaining_fen) == (2, 11, 0, 0)
    await desk.at(CLAIM_END_AT_MS)
    swept = await desk.packets.sweep(packet_id)
    assert swept is not None
    assert (swept.remaining, swept.returned, swept.returned_fen) == (0, 0, 0)


async def test_naive_keeps_to_the_window(desk: Desk, naive: NaiveAllocator) -> None:
    """Before, after, voided, unknown: it refuses as the default does."""
    packet_id = await desk.open_packet([5, 6], allocator="naive")

    async def ask(at_ms: int) -> ClaimStatus:
        await desk.at(at_ms)
        return (await naive.claim(packet_id, ROOM, [grab("ann")]))[0].status

    assert await ask(GRAB_AT_MS - 1) == S.TOO_EARLY
    assert await ask(CLAIM_END_AT_MS) == S.TOO_LATE
    await desk.at(GRAB_AT_MS)
    await desk.packets.void(packet_id, transfer_id="v", lead_ms=None)
    assert await ask(GRAB_AT_MS) == S.VOIDED
    for unknown in ("c1.none", "c9.none", "nodot"):
        assert (await naive.claim(PacketId(unknown), ROOM, [grab("ann")]))[0].status == S.NOT_FOUND
