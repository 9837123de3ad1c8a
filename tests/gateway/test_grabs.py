"""The grab desk: one batch per packet and turn, one receipt per grab."""

import asyncio
from collections.abc import Sequence
from itertools import count

import orjson
import pytest

from server.core.ids import PacketId, RequestId, RoomId, ViewerId
from server.core.packets.claim import Claim, ClaimStatus, Grab, Share
from server.core.refusal import Refused
from server.gateway.grabs import RECEIPTS_PER_TURN, GrabDesk
from server.gateway.metrics import Metrics
from server.store.allocators.port import Allocator
from server.store.connection import StoreUnavailable

P1, P2 = PacketId("c1.p1"), PacketId("c1.p2")
ROOM = RoomId("r1")
FOREIGN = PacketId("c1.elsewhere")
ROOMS = {P2: ROOM, FOREIGN: RoomId("r2")}
"""The rooms of packets that the process knows; it knows nothing of P1."""


class FewShares(Allocator):
    """An allocator in memory: first come, first served."""

    def __init__(self, shares: int, trouble: Exception | None = None) -> None:
        self.shares = shares
        self.trouble = trouble
        self.batches: list[tuple[PacketId, RoomId, int]] = []

    async def claim(self, packet_id: PacketId, room_id: RoomId, grabs: Sequence[Grab]) -> list[Claim]:
        self.batches.append((packet_id, room_id, len(grabs)))
        await asyncio.sleep(0)
        if self.trouble is not None:
            raise self.trouble
        return [self._answer(packet_id, grab) for grab in grabs]

    def _answer(self, packet_id: PacketId, grab: Grab) -> Claim:
        self.shares -= 1
        if self.shares < 0:
            return Claim(packet_id, grab.viewer_id, grab.request_id, ClaimStatus.EXHAUSTED, 1)
        share = Share(self.shares, 100, 1, grab.request_id)
        return Claim(packet_id, grab.viewer_id, grab.request_id, ClaimStatus.GRANTED, 1, share)


class Requester:
    """A connection that keeps its receipts."""

    def __init__(self) -> None:
        self.writes: list[tuple[bytes, int]] = []
        self.missed: list[PacketId] = []
        self.won_of: list[PacketId] = []

    def answer(self, receipts_joined: bytes, receipts: int) -> None:
        self.writes.append((receipts_joined, receipts))

    def won(self, packet_id: PacketId) -> None:
        self.won_of.append(packet_id)

    def missed_out(self, packet_id: PacketId) -> None:
        self.missed.append(packet_id)

    def statuses(self) -> list[str]:
        return [receipt["status"] for data, _ in self.writes for receipt in unframed(data)]


def unframed(data: bytes) -> list[dict[str, str]]:
    messages = []
    while data:
        size, start = (int.from_bytes(data[2:4], "big"), 4) if data[1] == 126 else (data[1], 2)
        messages.append(orjson.loads(data[start : start + size]))
        data = data[start + size :]
    return messages


def a_desk(allocator: FewShares) -> tuple[GrabDesk, Metrics]:
    metrics = Metrics()
    return GrabDesk(asyncio.get_running_loop(), lambda _: allocator, ROOMS.get, metrics), metrics


_numbers = count()


def a_grab(viewer: str = "v1") -> Grab:
    return Grab(ViewerId(viewer), RequestId(f"q{next(_numbers)}"))


async def test_the_grabs_of_a_turn_are_one_batch_per_packet() -> None:
    """Grabs of one turn of the loop go to the allocator as one batch; those of the next turn are the next batch."""
    allocator = FewShares(100)
    desk, metrics = a_desk(allocator)
    requesters = [Requester() for _ in range(5)]
    for requester in requesters:
        desk.take(requester, P1, ROOM, a_grab())
    desk.take(requesters[0], P2, ROOM, a_grab())
    await asyncio.sleep(0)
    desk.take(requesters[0], P1, ROOM, a_grab())
    await desk.drain()
    assert sorted(allocator.batches) == [(P1, ROOM, 1), (P1, ROOM, 5), (P2, ROOM, 1)]
    assert [len(requester.statuses()) for requester in requesters] == [3, 1, 1, 1, 1]
    assert metrics.grabs[ClaimStatus.GRANTED] == 7


async def test_a_packet_known_to_be_of_another_room_is_not_asked_for() -> None:
    """Its grabs are not found without the allocator, whatever that would say (AMB-46)."""
    allocator = FewShares(100)
    desk, metrics = a_desk(allocator)
    requester = Requester()
    desk.take(requester, FOREIGN, ROOM, a_grab())
    desk.take(requester, P2, ROOM, a_grab())
    await desk.drain()
    assert requester.statuses() == ["not_found", "granted"]
    assert allocator.batches == [(P2, ROOM, 1)]
    assert metrics.grabs[ClaimStatus.NOT_FOUND] == 1
    assert desk.take_tallies() == {P2: {ClaimStatus.GRANTED: 1}}


async def test_receipts_of_one_asker_share_a_write() -> None:
    """Several grabs read at once from one connection are answered in one write, each with its own receipt."""
    desk, metrics = a_desk(FewShares(1))
    first, second = Requester(), Requester()
    for requester in (first, first, second, first):
        desk.take(requester, P1, ROOM, a_grab())
    await desk.drain()
    assert [receipts for _, receipts in first.writes] == [2, 1]
    assert first.statuses() == ["granted", "exhausted", "exhausted"]
    assert second.statuses() == ["exhausted"]
    assert metrics.frames_out == 4
    assert metrics.bytes_out == sum(len(data) for requester in (first, second) for data, _ in requester.writes)
    assert (metrics.grabs[ClaimStatus.GRANTED], metrics.grabs[ClaimStatus.EXHAUSTED]) == (1, 3)


async def test_a_room_hears_that_shares_were_given() -> None:
    """A batch with granted shares reports it once, so that the remaining count is published soon."""
    desk, _ = a_desk(FewShares(2))
    requesters = [Requester() for _ in range(2)]
    for requester in requesters:
        desk.take(requester, P1, ROOM, a_grab())
    await desk.drain()
    assert [packet_id for requester in requesters for packet_id in requester.won_of] == [P1]


async def test_a_room_hears_that_somebody_missed_out() -> None:
    """A batch in which somebody found no share left reports it once."""
    desk, _ = a_desk(FewShares(2))
    requesters = [Requester() for _ in range(4)]
    for requester in requesters:
        desk.take(requester, P1, ROOM, a_grab())
    await desk.drain()
    assert [packet_id for requester in requesters for packet_id in requester.missed] == [P1]


@pytest.mark.parametrize(
    ("trouble", "status"),
    [(StoreUnavailable("gone"), "unavailable"), (Refused("not_found", "no such packet"), "not_found")],
)
async def test_every_grab_gets_a_receipt_also_in_trouble(trouble: Exception, status: str) -> None:
    """An unavailable store and an unknown packet are answered."""
    desk, _ = a_desk(FewShares(0, trouble))
    requester = Requester()
    desk.take(requester, P1, ROOM, a_grab())
    desk.take(requester, P1, ROOM, a_grab())
    await desk.drain()
    assert requester.statuses() == [status, status]


async def test_a_fault_of_an_allocator_is_heard_and_leaves_nobody_waiting() -> None:
    """An allocator's error is reported, and its viewers learn that the outcome is unknown."""
    desk, _ = a_desk(FewShares(0, ZeroDivisionError("a fault")))
    requester = Requester()
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["exception"]))
    desk.take(requester, P1, ROOM, a_grab())
    await desk.drain()
    await asyncio.sleep(0)
    assert [type(fault) for fault in faults] == [ZeroDivisionError]
    assert requester.statuses() == ["unavailable"]


async def test_a_large_batch_lets_the_loop_breathe() -> None:
    """Receipts of a stampede are written in parts, and each is written."""
    desk, metrics = a_desk(FewShares(10))
    requesters = [Requester() for _ in range(3 * RECEIPTS_PER_TURN)]
    for requester in requesters:
        desk.take(requester, P1, ROOM, a_grab())
    steps = []
    draining = asyncio.ensure_future(desk.drain())
    while not draining.done():
        await asyncio.sleep(0)
        steps.append(sum(bool(requester.writes) for requester in requesters))
    await draining
    assert {RECEIPTS_PER_TURN, 2 * RECEIPTS_PER_TURN, 3 * RECEIPTS_PER_TURN} <= set(steps)
    assert metrics.frames_out == len(requesters)


async def test_the_grabs_of_two_rooms_are_two_batches() -> None:
    """An allocator receives the room of each grab."""
    allocator = FewShares(2)
    desk, _ = a_desk(allocator)
    for room_id in (ROOM, RoomId("r2"), ROOM):
        desk.take(Requester(), P1, room_id, a_grab())
    await desk.drain()
    assert sorted(allocator.batches) == [(P1, ROOM, 2), (P1, RoomId("r2"), 1)]
