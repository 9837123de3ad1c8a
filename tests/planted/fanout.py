"""Facts that some viewers miss, hear twice or hear wrong, and viewers who come back to the wrong place (A9)."""

from collections.abc import Callable
from typing import Any

from server.core.rooms.feed import NUMBERED
from server.gateway.fanout import RoomSubscribers, Write
from server.gateway.live_room import LiveRoom
from tests.planted.plant import Plant, every, of

_FACTS = tuple(f'"type":"{kind}"'.encode() for kind in NUMBERED)


def some_miss(change: Callable[[list[Write]], list[Write]]) -> Callable[[], None]:
    """Return the planting of a change of who receives every third fact."""

    def plant() -> None:
        begin, now = RoomSubscribers._begin, every(3)

        def planted(self: RoomSubscribers, frames: list[bytes], writes: list[Write]) -> None:
            fact = any(kind in frame for frame in frames for kind in _FACTS)
            begin(self, frames, change(writes) if fact and next(now) else writes)

        RoomSubscribers._begin = planted  # type: ignore[method-assign]

    return plant


def tell_one_other_bytes() -> None:
    """Write every third fact with another time to the last recipient."""
    begin, now = RoomSubscribers._begin, every(3)

    def planted(self: RoomSubscribers, frames: list[bytes], writes: list[Write]) -> None:
        begin(self, frames, writes[:-1])
        wrong = any(kind in frame for frame in frames for kind in _FACTS) and next(now)
        begin(
            self,
            [each.replace(b'"server_ms":1', b'"server_ms":2') for each in frames] if wrong else frames,
            writes[-1:],
        )

    RoomSubscribers._begin = planted  # type: ignore[method-assign]


def resume(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[], None]:
    """Return the planting of a change of the facts that a viewer gets who comes back."""

    def plant() -> None:
        missed = LiveRoom._missed

        def planted(self: LiveRoom, epoch: str, seq: int, recalled: Any) -> list[bytes] | None:
            facts = missed(self, epoch, seq, recalled)
            return change(facts) if facts else facts

        LiveRoom._missed = planted  # type: ignore[method-assign]

    return plant


def resume_one_early() -> None:
    """Send a viewer who comes back the last fact that it had, once more."""
    missed = LiveRoom._missed

    def planted(self: LiveRoom, epoch: str, seq: int, recalled: Any) -> list[bytes] | None:
        return missed(self, epoch, seq - 1 if epoch and seq > 1 else seq, recalled)

    LiveRoom._missed = planted  # type: ignore[method-assign]


def never_back() -> None:
    """Let every fifth newcomer's place among the subscribers be taken by the next one."""
    join, now = RoomSubscribers.join, every(15)

    def planted(self: RoomSubscribers, newcomer: Any) -> None:
        join(self, newcomer)
        if next(now):
            self._writes[newcomer.position] = lambda _: None

    RoomSubscribers.join = planted  # type: ignore[method-assign]


PLANTS = [
    Plant("one viewer misses every third fact", of("A9"), some_miss(lambda writes: writes[:-1])),
    Plant("one viewer hears every third fact twice", of("A9"), some_miss(lambda writes: [*writes, writes[0]])),
    Plant("one viewer hears of another time than the rest", of("A9"), tell_one_other_bytes),
    Plant("one newcomer in fifteen is never told anything", of("A9"), never_back),
    Plant("who comes back misses the first fact of the gap", of("A9"), resume(lambda facts: facts[1:]), "changes"),
    Plant("who comes back gets the gap backwards", of("A9"), resume(lambda facts: facts[::-1]), "changes"),
    Plant("who comes back hears the last fact again", of("A9"), resume_one_early, "changes"),
    Plant(
        "who comes back is told another fact under the same number",
        of("A9"),
        resume(lambda facts: [each.replace(b'"packet_id":"a', b'"packet_id":"b') for each in facts]),
        "changes",
    ),
]
