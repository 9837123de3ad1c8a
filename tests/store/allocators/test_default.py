"""The default allocator: batches, memory, and a crowd at once."""

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path

import pytest

from server.core.ids import PacketId, RoomId
from server.core.packets.claim import Claim, ClaimStatus
from server.core.rooms.messages import receipt
from server.store import keys
from server.store.allocators.default import PAIRS_MAX, DefaultAllocator
from server.store.connection import Durability, Store
from server.store.embedded.process import EmbeddedStore
from tests.store.desk import CLAIM_END_AT_MS, GRAB_AT_MS, ROOM, Desk, crowd, grab

S = ClaimStatus


@pytest.fixture
def allocator(desk: Desk) -> DefaultAllocator:
    return DefaultAllocator(desk.store, desk.clock, lambda: True)


def statuses(claims: list[Claim]) -> list[ClaimStatus]:
    return [claim.status for claim in claims]


async def test_a_call_costs_one_script(desk: Desk, allocator: DefaultAllocator) -> None:
    """Five hundred grabs of a call are one script call, answered in order."""
    packet_id = await desk.open_packet([5] * PAIRS_MAX)
    grabs = crowd(PAIRS_MAX)

    claims = await allocator.claim(packet_id, ROOM, grabs)

    assert allocator.store_calls == 1
    assert [(g.viewer_id, g.request_id) for g in grabs] == [(c.viewer_id, c.request_id) for c in claims]
    assert list(range(PAIRS_MAX)) == [claim.share.index for claim in claims if claim.share]


async def test_a_larger_call_goes_in_several_batches(desk: Desk, allocator: DefaultAllocator) -> None:
    """501 grabs of one call are two batches, and every one is answered."""
    packet_id = await desk.open_packet([5] * 600)

    claims = await allocator.claim(packet_id, ROOM, crowd(PAIRS_MAX + 1))

    assert allocator.store_calls == 2
    assert statuses(claims) == [S.GRANTED] * (PAIRS_MAX + 1)


async def test_calls_that_come_meanwhile_share_the_next_batch(desk: Desk, allocator: DefaultAllocator) -> None:
    """While one batch is in flight the others gather: a hundred callers cost a few script calls."""
    packet_id = await desk.open_packet([5] * 100)

    answers = await asyncio.gather(*(allocator.claim(packet_id, ROOM, [one]) for one in crowd(100)))

    assert allocator.store_calls <= 3
    assert {f"v{n}" for n in range(100)} == {claim.viewer_id for [claim] in answers}
    assert statuses([claim for [claim] in answers]) == [S.GRANTED] * 100


async def test_nothing_asked_is_nothing_answered(desk: Desk, allocator: DefaultAllocator) -> None:
    """An empty call costs nothing."""
    assert await allocator.claim(PacketId("c1.p"), ROOM, []) == []
    assert allocator.store_calls == 0


@pytest.mark.parametrize("text", ["", "nodot", "a b.c", ".p", "c1.", "c1." + "x" * 40])
async def test_what_is_no_packet_id_is_not_found_without_the_store(
    desk: Desk, allocator: DefaultAllocator, text: str
) -> None:
    """An id that names no creator costs no store call."""
    assert statuses(await allocator.claim(PacketId(text), ROOM, [grab("ann")])) == [S.NOT_FOUND]
    assert allocator.store_calls == 0


async def test_an_unknown_packet_is_not_found(desk: Desk, allocator: DefaultAllocator) -> None:
    """The store says so; the edition is 0."""
    [claim] = await allocator.claim(PacketId("c1.none"), ROOM, [grab("ann")])

    assert (claim.status, claim.edition) == (S.NOT_FOUND, 0)


@pytest.mark.rule("ALL-CLM-2")
@pytest.mark.parametrize("ending", ["sold_out", "over"])
async def test_a_winner_is_never_told_that_it_lost(desk: Desk, allocator: DefaultAllocator, ending: str) -> None:
    """The same tap gets the identical receipt, another one repeats it: from the store and from memory."""
    packet_id = await desk.open_packet([5, 6])
    [won] = await allocator.claim(packet_id, ROOM, [grab("ann", "q1")])
    if ending == "sold_out":
        await allocator.claim(packet_id, ROOM, [grab("bob")])
    else:
        await desk.at(CLAIM_END_AT_MS)

    async def ask() -> list[bytes]:
        claims = await allocator.claim(packet_id, ROOM, [grab("ann", "q1"), grab("ann", "q2"), grab("cat")])
        refused = S.EXHAUSTED if ending == "sold_out" else S.TOO_LATE
        assert [S.GRANTED, S.REPEATED, refused] == statuses(claims)
        assert claims[0].share == claims[1].share == won.share
        return [receipt(claim) for claim in claims]

    from_store = await ask()
    await allocator.caught_up()
    calls = allocator.store_calls
    from_memory = await ask()

    assert receipt(won) == from_store[0]
    assert from_store == from_memory
    assert calls == allocator.store_calls


async def test_a_crowd_after_the_last_share_costs_no_store_call(desk: Desk, allocator: DefaultAllocator) -> None:
    """Once the claims are copied, the store hears nothing of the packet any more."""
    packet_id = await desk.open_packet([5] * 10)
    await allocator.claim(packet_id, ROOM, crowd(20))
    await allocator.caught_up()
    calls = allocator.store_calls

    for _ in range(5):
        claims = await allocator.claim(packet_id, ROOM, crowd(1_000, "late"))
        assert {S.EXHAUSTED} == set(statuses(claims))
    await allocator.caught_up()

    assert calls == allocator.store_calls


async def test_memory_answers_other_rooms_that_there_is_no_such_packet(desk: Desk, allocator: DefaultAllocator) -> None:
    """A packet that is remembered is remembered in its room alone (AMB-46)."""
    packet_id = await desk.open_packet([5])
    other = RoomId("room-of-another")
    grabs = [grab("v0", "q0"), grab("late")]
    assert statuses(await allocator.claim(packet_id, ROOM, grabs)) == [S.GRANTED, S.EXHAUSTED]
    await allocator.caught_up()
    calls = allocator.store_calls

    assert statuses(await allocator.claim(packet_id, other, grabs)) == [S.NOT_FOUND] * 2
    assert statuses(await allocator.claim(packet_id, ROOM, grabs)) == [S.GRANTED, S.EXHAUSTED]
    assert calls == allocator.store_calls

    allocator.forget()
    both = await asyncio.gather(*(allocator.claim(packet_id, room_id, grabs) for room_id in (ROOM, other, ROOM)))
    assert [statuses(claims) for claims in both] == [
        [S.GRANTED, S.EXHAUSTED],
        [S.NOT_FOUND] * 2,
        [S.GRANTED, S.EXHAUSTED],
    ]


async def test_exhausted_becomes_too_late_with_doubt_between(desk: Desk, allocator: DefaultAllocator) -> None:
    """Before the end by more than the clock's error it is exhausted, after it too late, between the store decides."""
    packet_id = await desk.open_packet([5])
    await allocator.claim(packet_id, ROOM, crowd(2))
    await allocator.caught_up()

    async def ask(process_ms: int, error_ms: int, store_ms: int) -> tuple[ClaimStatus, int]:
        calls = allocator.store_calls
        await desk.at(process_ms)
        await desk.store_at(store_ms)
        allocator._clock = Estimate(process_ms, error_ms)  # type: ignore[assignment]
        [claim] = await allocator.claim(packet_id, ROOM, [grab("late")])
        return claim.status, allocator.store_calls - calls

    end = CLAIM_END_AT_MS
    assert await ask(end - 8, 7, end - 1) == (S.EXHAUSTED, 0)
    assert await ask(end - 7, 7, end - 1) == (S.EXHAUSTED, 1)
    assert await ask(end - 7, 7, end) == (S.TOO_LATE, 1)
    assert await ask(end + 6, 7, end - 1) == (S.EXHAUSTED, 1)
    assert await ask(end + 7, 7, end) == (S.TOO_LATE, 0)


async def test_too_early_comes_from_memory_only_while_it_is_certain(desk: Desk, allocator: DefaultAllocator) -> None:
    """The schedule is read once; within the clock's error of the opening the store decides."""
    packet_id = await desk.open_packet([5, 6])
    await desk.at(GRAB_AT_MS - 100)
    assert statuses(await allocator.claim(packet_id, ROOM, [grab("ann")])) == [S.TOO_EARLY]
    await allocator.caught_up()
    calls = allocator.store_calls

    allocator._clock = Estimate(GRAB_AT_MS - 8, 7)  # type: ignore[assignment]
    assert statuses(await allocator.claim(packet_id, ROOM, [grab("ann")])) == [S.TOO_EARLY]
    assert calls == allocator.store_calls
    await desk.at(GRAB_AT_MS)
    allocator._clock = Estimate(GRAB_AT_MS - 7, 7)  # type: ignore[assignment]
    assert statuses(await allocator.claim(packet_id, ROOM, [grab("ann")])) == [S.GRANTED]
    assert calls + 1 == allocator.store_calls


async def test_a_draft_is_not_remembered(desk: Desk, allocator: DefaultAllocator) -> None:
    """A packet that has no schedule yet is asked of the store each time."""
    await desk.recharge(5)
    packet = await desk.draft([5])
    assert statuses(await allocator.claim(packet.packet_id, ROOM, [grab("ann")])) == [S.TOO_EARLY]
    await allocator.caught_up()
    await desk.launch(packet.packet_id)
    await desk.at(GRAB_AT_MS)

    assert statuses(await allocator.claim(packet.packet_id, ROOM, [grab("ann")])) == [S.GRANTED]


async def test_a_process_that_hears_nothing_answers_nothing_from_memory(desk: Desk) -> None:
    """Cut off from its feed, it may have missed a void: every grab goes to the store."""
    heard = [True]
    allocator = DefaultAllocator(desk.store, desk.clock, lambda: heard[0])
    packet_id = await desk.open_packet([5])
    await allocator.claim(packet_id, ROOM, crowd(2))
    await allocator.caught_up()
    calls = allocator.store_calls

    heard[0] = False
    await allocator.claim(packet_id, ROOM, [grab("late")])
    assert calls + 1 == allocator.store_calls
    heard[0] = True
    await allocator.claim(packet_id, ROOM, [grab("late")])
    assert calls + 1 == allocator.store_calls


async def test_a_voided_packet_is_forgotten(desk: Desk, allocator: DefaultAllocator) -> None:
    """After the feed has told of a void, nobody hears exhausted from an old memory; winners keep their share."""
    packet_id = await desk.open_packet([5])
    await allocator.claim(packet_id, ROOM, crowd(2))
    await allocator.caught_up()
    await desk.packets.void(packet_id, transfer_id="v", lead_ms=None)

    allocator.observe(await desk.packets.get(packet_id))
    assert statuses(await allocator.claim(packet_id, ROOM, [grab("late")])) == [S.EXHAUSTED]
    allocator.forget(packet_id)
    assert statuses(await allocator.claim(packet_id, ROOM, [grab("v0", "q0"), grab("late")])) == [S.GRANTED, S.VOIDED]


async def test_a_copy_under_way_is_dropped_when_the_packet_is_voided(desk: Desk, allocator: DefaultAllocator) -> None:
    """A void told while the claims are being copied leaves no memory behind."""
    packet_id = await desk.open_packet([5])
    await allocator.claim(packet_id, ROOM, crowd(2))
    allocator.forget(packet_id)
    await allocator.caught_up()
    await desk.packets.void(packet_id, transfer_id="v", lead_ms=None)

    assert statuses(await allocator.claim(packet_id, ROOM, [grab("late")])) == [S.VOIDED]


async def test_a_packet_voided_before_it_was_copied_is_not_remembered(desk: Desk, allocator: DefaultAllocator) -> None:
    """The state is read after the claims, so that a void that was told before the copy began is seen too."""
    packet_id = await desk.open_packet([5])
    await allocator.claim(packet_id, ROOM, crowd(1))
    await desk.packets.void(packet_id, transfer_id="v", lead_ms=None)
    allocator._learn(packet_id, b"x", 1)
    await allocator.caught_up()

    assert statuses(await allocator.claim(packet_id, ROOM, [grab("late")])) == [S.VOIDED]


@pytest.mark.rule("ALL-CLM-3")
async def test_two_thousand_grabs_at_once_never_over_issue(desk: Desk) -> None:
    """Two processes, a thousand viewers tapping in both: a hundred shares, each given once, to the fen."""
    shares = [1 + n for n in range(100)]
    packet_id = await desk.open_packet(shares)
    both = [DefaultAllocator(desk.store, desk.clock, lambda: True) for _ in range(2)]
    taps = [
        asyncio.create_task(allocator.claim(packet_id, ROOM, [grab(f"v{n}", f"{which}-{n}")]))
        for n in range(1_000)
        for which, allocator in enumerate(both)
    ]

    claims = [claim for answer in await asyncio.gather(*taps) for claim in answer]
    for allocator in both:
        await allocator.caught_up()

    counts = Counter(statuses(claims))
    assert (counts[S.GRANTED], sum(counts.values())) == (100, 2_000)
    assert set(counts) <= {S.GRANTED, S.REPEATED, S.EXHAUSTED}
    granted = {claim.share.index: claim for claim in claims if claim.status is S.GRANTED and claim.share}
    assert dict(enumerate(shares)) == {index: c.share.amount_fen for index, c in granted.items() if c.share}
    held = await desk.packets.claims(packet_id)
    assert held == {claim.viewer_id: claim.share for claim in granted.values()}
    assert all(held[claim.viewer_id] == claim.share for claim in claims if claim.share)
    assert sum(shares) == sum(int(entry["amount_fen"]) for entry in await desk.journal("claim"))


async def test_a_poisoned_packet_is_an_error_for_its_callers_and_for_nobody_else(
    desk: Desk, allocator: DefaultAllocator
) -> None:
    """Nobody waits for ever on a store that answers nonsense, and the next packet works."""
    bad, good = await desk.open_packet([5] * 3), await desk.open_packet([5] * 3)
    await desk.store.redis.hset(keys.packet(bad), "given", "many")

    answers = await asyncio.gather(
        *(allocator.claim(bad, ROOM, crowd(300)) for _ in range(3)),
        allocator.claim(good, ROOM, crowd(3)),
        return_exceptions=True,
    )

    assert all("BROKEN packet" in str(answer) for answer in answers[:3])
    assert statuses(answers[3]) == [S.GRANTED] * 3  # type: ignore[arg-type]


async def test_a_caller_that_gives_up_takes_nothing_with_it(desk: Desk, allocator: DefaultAllocator) -> None:
    """A cancelled call's grabs are answered all the same, and the others of its batch too."""
    packet_id = await desk.open_packet([5] * 3)
    gone = asyncio.create_task(allocator.claim(packet_id, ROOM, [grab("ann")]))
    stays = asyncio.create_task(allocator.claim(packet_id, ROOM, [grab("bob")]))
    await asyncio.sleep(0)
    gone.cancel()

    assert statuses(await stays) == [S.GRANTED]
    await allocator.caught_up()
    assert {"ann", "bob"} == set(await desk.packets.claims(packet_id))


async def test_a_store_that_is_gone_makes_every_grab_unavailable(tmp_path: Path) -> None:
    """All grabs of all batches are answered, none is granted, and memory does not make anything up."""
    running = EmbeddedStore.start(tmp_path, durability=Durability.NONE)
    store = await Store.connect(running.url, durability=Durability.NONE)
    desk = await Desk.open(store)
    allocator = DefaultAllocator(store, desk.clock, lambda: True)
    packet_id = await desk.open_packet([5] * 3)
    running.stop()

    claims = await asyncio.gather(*(allocator.claim(packet_id, ROOM, crowd(600)) for _ in range(2)))

    assert {S.UNAVAILABLE} == {claim.status for answer in claims for claim in answer}
    assert [len(answer) for answer in claims] == [600, 600]
    await allocator.caught_up()
    await store.close()


async def test_more_than_can_wait_is_refused_at_once(
    desk: Desk, allocator: DefaultAllocator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the limit of waiting grabs the answer is unavailable; what waits already is answered."""
    monkeypatch.setattr("server.store.allocators.default.GRABS_WAITING_MAX", 10)
    packet_id = await desk.open_packet([5] * 20)

    first, second = await asyncio.gather(
        allocator.claim(packet_id, ROOM, crowd(10)), allocator.claim(packet_id, ROOM, crowd(1))
    )

    assert statuses(first) == [S.GRANTED] * 10
    assert statuses(second) == [S.UNAVAILABLE]
    assert statuses(await allocator.claim(packet_id, ROOM, [grab("v0", "q0")])) == [S.GRANTED]


class Estimate:
    """A process's clock that is wrong by at most what it says."""

    def __init__(self, room_ms: int, error_ms: int) -> None:
        self.error_ms = error_ms
        self.record = type("Record", (), {"speed": 1})
        self._room_ms = room_ms

    def room_ms(self) -> int:
        return self._room_ms


async def test_after_the_store_was_away_it_is_asked_again(desk: Desk, allocator: DefaultAllocator) -> None:
    """Answers remembered before an outage are not used; the store is asked again and gives the same answer."""
    packet_id = await desk.open_packet([5])
    await allocator.claim(packet_id, ROOM, crowd(2))
    await allocator.caught_up()
    calls = allocator.store_calls
    assert statuses(await allocator.claim(packet_id, ROOM, [grab("late")])) == [S.EXHAUSTED]
    assert allocator.store_calls == calls

    allocator.forget()
    assert statuses(await allocator.claim(packet_id, ROOM, [grab("later")])) == [S.EXHAUSTED]
    assert allocator.store_calls > calls
    await allocator.caught_up()


async def test_a_store_that_dies_leaves_grabs_unknown_and_the_same_request_finds_out(tmp_path: Path) -> None:
    """Killed under a crowd: in flight or later, a grab is unavailable at once, and asked again it has one outcome."""
    running = EmbeddedStore.start(tmp_path)
    desk = await Desk.open(await Store.connect(running.url))
    allocator = DefaultAllocator(desk.store, desk.clock, lambda: True)
    packet_id = await desk.open_packet([5] * 2_000)
    first = asyncio.gather(*(allocator.claim(packet_id, ROOM, [each]) for each in crowd(2_000)))
    await asyncio.sleep(0.002)
    os.kill(running.pid, signal.SIGKILL)
    told = [claim for claims in await first for claim in claims]
    assert S.UNAVAILABLE in statuses(told)

    async with asyncio.timeout(60):
        again = await allocator.claim(packet_id, ROOM, crowd(2_000))
        while S.UNAVAILABLE in statuses(again):
            await asyncio.sleep(0.01)  # it is asked anew each time
            again = await allocator.claim(packet_id, ROOM, crowd(2_000))
    assert set(statuses(again)) == {S.GRANTED}
    assert len({claim.share.index for claim in again if claim.share}) == 2_000
    granted = {claim.viewer_id: claim for claim in told if claim.status is S.GRANTED}
    assert all(granted.get(claim.viewer_id, claim) == claim for claim in again)
    await desk.store.close()
    running.stop()
