"""The allocators of a process: each packet has its own, all are opened and all are closed."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from server.core.ids import PacketId, RoomId
from server.core.packets.capabilities import Capabilities
from server.core.refusal import Refused
from server.core.rooms.feed import FactKind, FeedEntry
from server.store.allocators.context import AllocatorContext
from server.store.allocators.port import Allocator, Claim, ClaimStatus, Grab, Packet, refusals
from server.store.allocators.registry import DEFAULT, AllocatorEntry
from server.store.allocators.running import ROOMS_REMEMBERED_MAX, RunningAllocators
from tests.core.launching import DRAFT
from tests.store.desk import ROOM, crowd


class Noted(Allocator):
    """Writes down what it is told."""

    def __init__(self, context: AllocatorContext) -> None:
        self.told: list[object] = []

    async def open(self) -> None:
        self.told.append("open")

    async def close(self) -> None:
        self.told.append("close")

    async def claim(self, packet_id: PacketId, room_id: RoomId, grabs: Sequence[Grab]) -> list[Claim]:
        return refusals(packet_id, grabs, ClaimStatus.EXHAUSTED)

    def observe(self, packet: Packet) -> None:
        self.told.append(packet.packet_id)

    def forget(self, packet_id: PacketId | None = None) -> None:
        self.told.append(("forget", packet_id))


@pytest.fixture
def running() -> RunningAllocators:
    entries = [AllocatorEntry(name, "", None, Capabilities(), Noted) for name in (DEFAULT, "other")]
    return RunningAllocators(entries, lambda: AllocatorContext(None, None, lambda: True))  # type: ignore[arg-type]


def told(running: RunningAllocators, name: str) -> list[object]:
    noted = running.named(name)
    assert isinstance(noted, Noted)
    return noted.told


MINE, OTHERS = PacketId("c1.mine"), PacketId("c1.others")


async def test_all_are_opened_and_closed(running: RunningAllocators) -> None:
    """All allocators are opened and closed, even if no packet uses them."""
    await running.open()
    await running.close()
    assert told(running, DEFAULT) == told(running, "other") == ["open", "close"]


def test_a_packet_is_answered_by_its_own_allocator(running: RunningAllocators) -> None:
    """A packet known to ask for another allocator gets it; all others get the default."""
    running.observe(replace(DRAFT, packet_id=OTHERS, allocator="other"))
    running.observe(replace(DRAFT, packet_id=MINE, allocator=DEFAULT))
    assert [running.of(MINE), running.of(PacketId("c1.unseen"))] == [running.named(DEFAULT)] * 2
    assert running.of(OTHERS) is running.named("other")
    assert (told(running, DEFAULT), told(running, "other")) == ([MINE], [OTHERS])


def test_the_rooms_of_packets_are_known_up_to_a_number(running: RunningAllocators) -> None:
    """A launched packet's room is known, a draft has none, and of too many the first are forgotten."""
    running.observe(replace(DRAFT, packet_id=MINE))
    running.observe(replace(DRAFT, packet_id=OTHERS, room_id=ROOM))
    assert (running.room_of(MINE), running.room_of(OTHERS)) == (None, ROOM)
    for number in range(ROOMS_REMEMBERED_MAX):
        running.observe(replace(DRAFT, packet_id=PacketId(f"c1.{number}"), room_id=ROOM))
    assert (running.room_of(OTHERS), running.room_of(PacketId("c1.0"))) == (None, ROOM)


async def test_a_packet_of_an_allocator_that_does_not_run_is_unavailable(running: RunningAllocators) -> None:
    """The default must not give what somebody else counts."""
    running.observe(replace(DRAFT, packet_id=OTHERS, allocator="absent"))
    claims = await running.of(OTHERS).claim(OTHERS, ROOM, crowd(2))
    assert [claim.status for claim in claims] == [ClaimStatus.UNAVAILABLE] * 2


def test_a_change_is_told_to_whom_it_concerns(running: RunningAllocators) -> None:
    """A void, an edit and an end; an opening changes nothing. When the store was away, everybody hears."""
    running.observe(replace(DRAFT, packet_id=OTHERS, allocator="other"))
    told(running, "other").clear()
    for kind in ("open", "voided", "reopened", "changed", "sold_out"):
        running.hear(FeedEntry(RoomId("r"), "1-0", FactKind(kind), OTHERS, 1, 0, {}))
    assert (told(running, "other"), told(running, DEFAULT)) == ([("forget", OTHERS)] * 3, [])
    running.forget()
    assert told(running, DEFAULT) == [("forget", None)]


def test_what_a_packet_is_created_with(running: RunningAllocators) -> None:
    """The capabilities of its allocator, if that one runs here."""
    assert running.capabilities_of("other") == Capabilities()
    with pytest.raises(Refused) as refused:
        running.capabilities_of("absent")
    assert refused.value.field == "allocator"
