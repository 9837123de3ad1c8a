"""The guard: whatever a user's allocator does, every grab is answered and the failure is said."""

import asyncio
from collections.abc import Sequence

import pytest

from server.core.ids import PacketId, RoomId
from server.store.allocators.guard import AllocatorFailed, GuardedAllocator
from server.store.allocators.port import Allocator, Claim, ClaimStatus, Grab, Packet, refusals
from server.store.connection import StoreUnavailable
from tests.core.launching import DRAFT
from tests.store.desk import ROOM, crowd

S = ClaimStatus
P = PacketId("c1.p")


class Misbehaves(Allocator):
    """Raises what it is given, or returns it."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    async def open(self) -> None:
        self._misbehave()

    async def close(self) -> None:
        self._misbehave()

    async def claim(self, packet_id: PacketId, room_id: RoomId, grabs: Sequence[Grab]) -> list[Claim]:
        if self.answer == "never":
            await asyncio.Event().wait()
        self._misbehave()
        return self.answer  # type: ignore[return-value]

    def observe(self, packet: Packet) -> None:
        self._misbehave()

    def forget(self, packet_id: PacketId | None = None) -> None:
        self._misbehave()

    def _misbehave(self) -> None:
        if isinstance(self.answer, Exception):
            raise self.answer


def guarded(answer: object) -> tuple[GuardedAllocator, list[str]]:
    said: list[str] = []
    return GuardedAllocator("mine:Mine", Misbehaves(answer), said.append), said


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (ZeroDivisionError("a fault"), "ZeroDivisionError: a fault (test_guard.py, line "),
        (None, "must return a list of 2 claims"),
        (refusals(P, crowd(1), S.EXHAUSTED), "must return a list of 2 claims"),
        (["granted", "granted"], "must return instances of Claim"),
        (refusals(P, crowd(2)[::-1], S.EXHAUSTED), "must answer the grabs in their order"),
        (refusals(PacketId("c1.q"), crowd(2), S.EXHAUSTED), "must answer the grabs in their order"),
        (refusals(P, crowd(2), S.GRANTED), "a claim that is granted must hold a share"),
        ("never", "TimeoutError: no answer within"),
    ],
)
async def test_what_is_no_answer_is_unavailable_and_said(
    answer: object, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception, too few claims, no claims, others' claims, a share that is missing, and silence."""
    monkeypatch.setattr("server.store.allocators.guard.ANSWER_TIMEOUT_S", 0.05)
    guard, said = guarded(answer)
    for _ in range(2):
        claims = await guard.claim(P, ROOM, crowd(2))
        assert [(claim.viewer_id, claim.status) for claim in claims] == [("v0", S.UNAVAILABLE), ("v1", S.UNAVAILABLE)]
    assert len(said) == 1
    assert said[0].startswith("redrain: allocator mine:Mine failed to claim: ")
    assert told in said[0]


async def test_an_honest_answer_passes() -> None:
    """The guard changes nothing about it."""
    answer = refusals(P, crowd(2), S.EXHAUSTED, edition=1)
    guard, said = guarded(answer)
    assert await guard.claim(P, ROOM, crowd(2)) == answer
    await guard.open()
    await guard.close()
    assert said == []


async def test_a_store_out_of_reach_is_no_fault_of_the_allocator() -> None:
    """Ours or the library's error of reach is answered, and nobody is blamed."""
    for error in (StoreUnavailable("gone"), ConnectionResetError("gone")):
        guard, said = guarded(error)
        assert [claim.status for claim in await guard.claim(P, ROOM, crowd(1))] == [S.UNAVAILABLE]
        assert said == []


async def test_it_is_said_how_often_each_kind_came() -> None:
    """At the close; what fails in the close itself, or in what is merely told, stops nobody."""
    guard, said = guarded(KeyError("k"))
    for _ in range(3):
        await guard.claim(P, ROOM, crowd(1))
    guard.observe(DRAFT)
    guard.forget()
    await guard.close()
    assert [line.split(": ")[1].split(" failed ")[1] for line in said] == [
        "to claim", "to observe", "to forget", "to close", "to claim",
    ]  # fmt: skip
    assert said[-1].endswith(", 3 times in all")


async def test_one_that_cannot_be_opened_stops_the_server() -> None:
    """The server stops before it serves anything."""
    guard, _ = guarded(OSError("no room"))
    with pytest.raises(AllocatorFailed, match="mine:Mine failed to open: OSError: no room"):
        await guard.open()
