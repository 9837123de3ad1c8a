"""Edit and end on the real store: edges, money, memory, and a stampede while all of it happens."""

import asyncio

import pytest

from loadtest.record.books import books_from
from loadtest.verdict.audit.judge import audit
from loadtest.verdict.verify import verify_packet
from server.core.ids import PacketId
from server.core.packets.claim import ClaimStatus
from server.core.packets.issuance import Edit, plan_edit
from server.core.packets.packet import Denomination, Packet, PacketState, Terms
from server.core.packets.split import commitment, split
from server.core.refusal import Refused
from server.core.rooms.feed import Cue, FactKind
from server.core.rulebooks.platforms import LAB
from server.store.allocators.default import DefaultAllocator
from server.store.allocators.running import CHANGES
from server.store.books import export
from server.store.feed import FROM_THE_START, Feed
from tests.store.desk import CLAIM_END_AT_MS, GRAB_AT_MS, ROOM, SEED, WARMUP_AT_MS, Desk, crowd, grab

S = ClaimStatus
WAIT_MS = 2_000  # a clock that stands still counts as one room millisecond a real one


async def edit(desk: Desk, packet_id: PacketId, share_count: int, key: str = "", seed: bytes = b"\1" * 32) -> Packet:
    packet = await desk.packets.get(packet_id)
    transfer_id = key or f"edit:{packet.edition}"
    if await desk.packets.transferred(desk.creator_id, transfer_id):
        return await desk.packets.edit(packet, Edit(share_count, packet.edition, None), transfer_id=transfer_id)
    planned = plan_edit(packet, share_count, LAB)
    shares = [] if planned.added is None else split(planned.added, seed)
    return await desk.packets.edit(packet, planned, transfer_id=transfer_id, shares=shares, seed=seed)


async def refusal(attempt: object) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        await attempt  # type: ignore[misc]
    return caught.value.code, caught.value.rule


async def end(desk: Desk, packet_id: PacketId, key: str = "end:1") -> None:
    await desk.packets.end(await desk.packets.get(packet_id), transfer_id=key)


async def a_real_packet(desk: Desk, count: int, total_fen: int) -> PacketId:
    """Open a packet whose shares are those of its seed."""
    terms = Terms(Denomination.RANDOM, count, total_fen, 1, 100)
    await desk.recharge(total_fen)
    packet = await desk.draft(split(terms, SEED), terms=terms, commitment=commitment(terms, SEED))
    await desk.launch(packet.packet_id)
    await desk.at(GRAB_AT_MS)
    return packet.packet_id


async def verified(desk: Desk, packet_id: PacketId) -> None:
    """Assert that books, shares and commitments of all editions agree."""
    books = books_from([line async for line in export(desk.store, desk.clock, final=True)])
    verification = verify_packet(books.packets[packet_id], books.claims.get(packet_id, []), books.left[packet_id])
    assert verification.problems == ()
    assert verification.shares is not None
    assert [each for each in audit(books, None) if each.invariant != "A11"] == []
    other = books.packets[packet_id].issued
    forged = books.packets[packet_id]._replace(editions=(*other[:1], other[1]._replace(seed="00" * 32), *other[2:]))
    found = verify_packet(forged, books.claims.get(packet_id, []), books.left[packet_id]).problems
    assert "commitment" in {problem.check for problem in found}


@pytest.fixture
def allocator(desk: Desk) -> DefaultAllocator:
    return DefaultAllocator(desk.store, desk.clock, lambda: True)


@pytest.mark.rule("KS-EDT-1")
async def test_added_shares_wait_two_seconds_and_belong_to_the_next_edition(
    desk: Desk, allocator: DefaultAllocator
) -> None:
    """Sold out, raised by two: exhausted in the first edition until the wait is over, then given in the second."""
    packet_id = await desk.open_packet([5, 5])
    await allocator.claim(packet_id, ROOM, crowd(2))
    await desk.recharge(10)
    packet = await edit(desk, packet_id, 4)
    assert (packet.edition, packet.terms.share_count, packet.terms.total_fen) == (2, 4, 20)
    assert packet.claimable_at_ms == GRAB_AT_MS + WAIT_MS
    assert (await desk.packets.counts(packet_id)).remaining == 2

    await desk.at(GRAB_AT_MS + WAIT_MS - 1)
    [early] = await allocator.claim(packet_id, ROOM, [grab("late")])
    await allocator.caught_up()
    assert (early.status, early.edition) == (S.EXHAUSTED, 1)
    await desk.at(GRAB_AT_MS + WAIT_MS)
    claims = await allocator.claim(packet_id, ROOM, crowd(3, "late"))
    assert [(claim.status, claim.edition) for claim in claims] == [(S.GRANTED, 2), (S.GRANTED, 2), (S.EXHAUSTED, 2)]
    assert [claim.share.index for claim in claims if claim.share] == [2, 3]
    [entry] = await desk.journal("edit")
    assert (entry["debit"], entry["credit"], entry["amount_fen"]) == ("funds:c1", f"escrow:{packet_id}", "10")


async def test_a_batch_takes_from_both_lists_in_order(desk: Desk, allocator: DefaultAllocator) -> None:
    """The remaining shares of the first edition are granted first, in one batch with the added ones."""
    packet_id = await desk.open_packet([3, 4, 5])
    await desk.recharge(100)
    await edit(desk, packet_id, 5)
    await desk.at(GRAB_AT_MS + WAIT_MS)
    claims = await allocator.claim(packet_id, ROOM, crowd(6))
    assert [claim.share and claim.share.index for claim in claims] == [0, 1, 2, 3, 4, None]
    assert [claim.share.amount_fen for claim in claims if claim.share][:3] == [3, 4, 5]


async def test_what_was_remembered_is_forgotten_by_an_edit(desk: Desk, allocator: DefaultAllocator) -> None:
    """A process that answers exhausted from memory asks the store again once it has read that the packet changed."""
    packet_id = await desk.open_packet([5])
    await allocator.claim(packet_id, ROOM, crowd(2))
    await allocator.caught_up()
    calls = allocator.store_calls
    await allocator.claim(packet_id, ROOM, [grab("x")])
    assert allocator.store_calls == calls
    await desk.recharge(10)
    await edit(desk, packet_id, 2)
    [entry] = [e for e in await Feed(desk.store).read(desk.room, FROM_THE_START) if e.kind == "changed"]
    allocator.forget(entry.packet_id)
    await allocator.claim(packet_id, ROOM, [grab("x")])  # within the wait: not to be remembered
    await allocator.caught_up()
    await desk.at(GRAB_AT_MS + WAIT_MS)
    assert [c.status for c in await allocator.claim(packet_id, ROOM, [grab("x")])] == [S.GRANTED]


@pytest.mark.rule("KS-EDT-1")
async def test_down_to_exactly_what_is_claimed_and_no_further(desk: Desk, allocator: DefaultAllocator) -> None:
    """The tail goes back to the creator; one fewer than claimed is refused and changes nothing."""
    packet_id = await desk.open_packet([3, 4, 5, 6])
    await allocator.claim(packet_id, ROOM, crowd(2))
    before = await desk.state()
    assert await refusal(edit(desk, packet_id, 1)) == ("below_claimed", "KS-EDT-1")
    assert await desk.state() == before

    packet = await edit(desk, packet_id, 2)
    counts = await desk.packets.counts(packet_id)
    assert (packet.terms.total_fen, counts.given, counts.remaining, counts.remaining_fen) == (7, 2, 0, 0)
    assert (await desk.wallet.funds(desk.creator_id)).returned_fen == 11
    [entry] = await desk.journal("trim")
    assert (entry["debit"], entry["credit"], entry["amount_fen"]) == (f"escrow:{packet_id}", "funds:c1", "11")
    claims = await allocator.claim(packet_id, ROOM, [*crowd(2), grab("new")])
    assert [claim.status for claim in claims] == [S.GRANTED, S.GRANTED, S.EXHAUSTED]


async def test_an_edit_is_made_once_per_key(desk: Desk) -> None:
    """The same key and number again changes nothing; another number with it is a conflict."""
    packet_id = await desk.open_packet([5, 5])
    await desk.recharge(100)
    await edit(desk, packet_id, 4, "k")
    before = await desk.state()
    await edit(desk, packet_id, 4, "k")
    assert await refusal(edit(desk, packet_id, 5, "k")) == ("transfer_conflict", "")
    assert await desk.state() == before


async def test_an_increase_needs_funds_and_leaves_nothing_staged(desk: Desk) -> None:
    """One fen too little is refused, and all is as before."""
    packet_id = await desk.open_packet([5, 5])
    await desk.recharge(4)
    before = await desk.state()
    assert await refusal(edit(desk, packet_id, 3)) == ("insufficient_funds", "DY-ACC-6")
    assert await desk.state() == before


@pytest.mark.rule("KS-EDT-1")
async def test_nothing_is_edited_or_ended_after_the_close(desk: Desk) -> None:
    """At the window's end, settled or not, it is too late for both."""
    packet_id = await desk.open_packet([5, 5])
    await desk.at(CLAIM_END_AT_MS)
    assert await refusal(edit(desk, packet_id, 1)) == ("too_late", "KS-EDT-1")
    assert await refusal(end(desk, packet_id)) == ("too_late", "KS-END-1")
    await desk.packets.sweep(packet_id)
    assert await refusal(edit(desk, packet_id, 1)) == ("settled", "KS-EDT-1")
    assert await refusal(end(desk, packet_id)) == ("settled", "KS-END-1")


async def test_an_edit_that_was_decided_on_an_older_edition_is_raced(desk: Desk) -> None:
    """The script refuses what was planned before another edit."""
    packet_id = await desk.open_packet([5, 5, 5])
    stale = await desk.packets.get(packet_id)
    await edit(desk, packet_id, 2)
    attempt = desk.packets.edit(stale, plan_edit(stale, 1, LAB), transfer_id="other")
    assert await refusal(attempt) == ("edit_raced", "")


async def test_a_draft_is_edited_and_ended(desk: Desk) -> None:
    """Pending means draft too; an ended draft gives everything back."""
    await desk.recharge(100)
    packet = await desk.draft([5, 5])
    await edit(desk, packet.packet_id, 4)
    await edit(desk, packet.packet_id, 5)
    await edit(desk, packet.packet_id, 3)
    await end(desk, packet.packet_id)
    assert (await desk.packets.get(packet.packet_id)).state is PacketState.SETTLED
    assert (await desk.wallet.funds(desk.creator_id)).available_fen == 100


@pytest.mark.rule("KS-END-1")
async def test_an_end_gives_back_what_is_unclaimed_and_keeps_claims(desk: Desk, allocator: DefaultAllocator) -> None:
    """Nothing more is given, the added shares go back too, winners keep theirs, and the key works once."""
    packet_id = await desk.open_packet([3, 4, 5])
    await desk.recharge(4)
    await edit(desk, packet_id, 4)
    await allocator.claim(packet_id, ROOM, crowd(1))
    await end(desk, packet_id)
    before = await desk.state()
    await end(desk, packet_id)
    assert await desk.state() == before

    counts = await desk.packets.counts(packet_id)
    assert (counts.given, counts.remaining, counts.returned, counts.returned_fen) == (1, 0, 3, 13)
    assert [e["amount_fen"] for e in await desk.journal("end")] == ["13"]
    claims = await allocator.claim(packet_id, ROOM, [*crowd(1), grab("new")])
    assert [claim.status for claim in claims] == [S.GRANTED, S.TOO_LATE]
    assert await desk.packets.due(desk.creator_id) == []
    assert await desk.packets.sweep(packet_id) == counts


async def test_a_room_hears_reopened_once_an_edition_and_an_early_close(desk: Desk) -> None:
    """Sold out, reopened and sold out again are three facts; a reopening of an old edition is none."""
    feed, allocator = Feed(desk.store), DefaultAllocator(desk.store, desk.clock, lambda: True)
    packet_id = await desk.open_packet([5])

    async def say(kind: str, **body: object) -> str:
        return (await feed.announce(desk.room, Cue(FactKind(kind), packet_id, body))).outcome.value

    assert await say("reopened", edition=1) == "refused"  # the room does not know of the packet yet
    assert [await say("warmup"), await say("open")] == ["announced", "announced"]
    await allocator.claim(packet_id, ROOM, crowd(1))
    assert [await say("sold_out"), await say("sold_out")] == ["announced", "already"]
    await desk.recharge(10)
    await edit(desk, packet_id, 2)
    assert [await say("reopened", edition=n) for n in (1, 2, 2)] == ["refused", "announced", "already"]
    assert await say("sold_out") == "refused"
    await desk.at(GRAB_AT_MS + WAIT_MS)
    await allocator.claim(packet_id, ROOM, [grab("b")])
    assert [await say("sold_out"), await say("sold_out"), await say("closed")] == ["announced", "already", "too_early"]
    await end(desk, packet_id)
    assert [await say("closed", reason="ended"), await say("result")] == ["announced", "announced"]


async def test_a_warm_up_of_an_old_edition_is_no_fact(desk: Desk) -> None:
    """An edit before the warm-up has every process look at the packet before it tells of it."""
    feed = Feed(desk.store)
    packet_id = await desk.open_packet([5, 5])
    await edit(desk, packet_id, 1)
    await desk.at(WARMUP_AT_MS)
    old, new = ({"packet": {"edition": n}} for n in (1, 2))
    assert (await feed.announce(desk.room, Cue(FactKind.WARMUP, packet_id, old))).outcome.value == "refused"
    assert (await feed.announce(desk.room, Cue(FactKind.WARMUP, packet_id, new))).outcome.value == "announced"


async def test_a_stampede_while_the_issuance_goes_up_and_down_and_ends(desk: Desk) -> None:
    """2,000 grabs through two allocators: never too much, the journal explains all, and every edition verifies."""
    packet_id = await a_real_packet(desk, 600, 12_000)
    await desk.recharge(50_000)
    allocators = [DefaultAllocator(desk.store, desk.clock, lambda: True) for _ in range(2)]
    grabs = crowd(2_000)

    async def storm(number: int) -> list[ClaimStatus]:
        answers = []
        for first in range(number * 1_000, (number + 1) * 1_000, 25):
            answers += await allocators[number].claim(packet_id, ROOM, grabs[first : first + 25])
        return [claim.status for claim in answers]

    async def edits() -> None:
        for share_count in (700, 640, 900, 650):
            try:
                await edit(desk, packet_id, share_count)
            except Refused as refused:
                assert refused.code in ("below_claimed", "unchanged")  # noqa: PT017 - either may come first
            for entry in await Feed(desk.store).read(desk.room, FROM_THE_START):
                for each in allocators:
                    if entry.kind in CHANGES:
                        each.forget(entry.packet_id)
            await desk.at(desk.clock.room_ms() + WAIT_MS)
        await end(desk, packet_id)

    first, second, _ = await asyncio.gather(storm(0), storm(1), edits())
    for each in allocators:
        await each.caught_up()
    told = first + second
    packet, counts = await desk.packets.get(packet_id), await desk.packets.counts(packet_id)
    claims = await desk.packets.claims(packet_id)
    assert told.count(S.GRANTED) == len(claims) == counts.given
    assert counts.given + counts.returned == packet.terms.share_count
    assert counts.given_fen + counts.returned_fen == packet.terms.total_fen
    assert len(packet.editions) > 2
    moved = {kind: sum(int(e["amount_fen"]) for e in await desk.journal(kind)) for kind in ("fund", "edit", "trim")}
    assert moved["fund"] + moved["edit"] - moved["trim"] == packet.terms.total_fen
    funds = await desk.wallet.funds(desk.creator_id)
    assert funds.available_fen + counts.given_fen == funds.recharged_fen
    again = await allocators[0].claim(packet_id, ROOM, [g for g in grabs if g.viewer_id in claims])
    assert {claim.status for claim in again} == {S.GRANTED}
    await verified(desk, packet_id)
