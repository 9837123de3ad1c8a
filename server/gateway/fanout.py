"""Fan-out: a frame is built once and written to every subscriber of a room, in random order so that it is fair."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from server.gateway.limits import Limits
from server.gateway.metrics import Metrics

SLICE = 500  # recipients per turn of the loop: about 3 ms
STRIDE = 61  # a prime: a broadcast visits the subscribers in this many interleaved rounds, in shuffled order

Write = Callable[[bytes], None]


class Subscriber(Protocol):
    """A connection in a room: how to write to it, and its position in the list."""

    write: Write
    position: int


class RoomSubscribers:
    """
    The connections of a room.

    A numbered message reaches everybody who was subscribed when it was published, exactly once and in order: each
    broadcast takes its own snapshot of the subscribers, and snapshots are written first in, first out. Slow consumers
    receive only must-deliver messages.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, rng: random.Random, *, limits: Limits, metrics: Metrics
    ) -> None:
        self._loop = loop
        self._rng = rng
        self._limits = limits
        self._metrics = metrics
        self._subscribers: list[Subscriber] = []
        self._writes: list[Write] = []
        self._behind: dict[Subscriber, None] = {}
        self._pending: list[bytes] = []
        self._must_deliver: list[bytes] = []  # the part of _pending that slow consumers receive too
        self._timer: asyncio.TimerHandle | None = None
        self._passes: deque[_Pass] = deque()
        self._at_work = False

    def __len__(self) -> int:
        return len(self._subscribers)

    @property
    def busy(self) -> bool:
        """Return whether a broadcast is still being written."""
        return self._at_work

    def join(self, newcomer: Subscriber) -> None:
        """Add a connection at a random position, by swapping, so that the list is always a fair shuffle."""
        newcomer.position = len(self._subscribers)
        self._subscribers.append(newcomer)
        self._writes.append(newcomer.write)
        self._swap(newcomer.position, self._rng.randrange(len(self._subscribers)))

    def leave(self, member: Subscriber) -> None:
        """Remove a connection."""
        assert self._subscribers[member.position] is member
        self._behind.pop(member, None)
        self._swap(member.position, len(self._subscribers) - 1)
        self._subscribers.pop()
        self._writes.pop()
        member.position = -1

    def fall_behind(self, member: Subscriber) -> None:
        """Stop sending optional messages to a slow consumer."""
        self._behind[member] = None
        self._writes[member.position] = _pass_over

    def catch_up(self, member: Subscriber) -> None:
        """Send a member every message again."""
        self._behind.pop(member, None)
        self._writes[member.position] = member.write

    def publish_soon(self, frame: bytes, *, must_deliver: bool = False) -> None:
        """Publish within the batching window; slow consumers receive the message only if it is *must_deliver*."""
        self._pending.append(frame)
        if must_deliver:
            self._must_deliver.append(frame)
        if self._timer is None:
            self._timer = self._loop.call_later(self._limits.window_ms / 1_000, self.flush)

    def publish(self, frame: bytes) -> None:
        """Publish a fact at once, joined with the pending messages."""
        self._pending.append(frame)
        self._must_deliver.append(frame)
        self.flush()

    def flush(self) -> None:
        """Start to write the pending messages to the present subscribers."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._pending:
            return
        frames, self._pending = self._pending, []
        must_deliver, self._must_deliver = self._must_deliver, []
        if self._behind:
            self._metrics.messages_dropped += (len(frames) - len(must_deliver)) * len(self._behind)
            self._begin(must_deliver, [member.write for member in self._behind])
            self._begin(frames, [write for write in self._shuffled() if write is not _pass_over])
        else:
            self._begin(frames, self._shuffled())

    def _begin(self, frames: list[bytes], writes: list[Write]) -> None:
        if not frames or not writes:
            return
        self._passes.append(_Pass(b"".join(frames), len(frames), writes))
        if not self._at_work:
            self._at_work = True
            self._write_slice()

    def _shuffled(self) -> list[Write]:
        """
        Return all writes in a new order.

        The list is a random permutation already; taking it in interleaved rounds, shuffled each time, gives each
        broadcast another order at the cost of one copy.
        """
        rounds = list(range(min(STRIDE, len(self._writes))))
        self._rng.shuffle(rounds)
        order: list[Write] = []
        for start in rounds:
            order += self._writes[start::STRIDE]
        return order

    def _write_slice(self) -> None:
        current = self._passes[0]
        end = min(current.done + SLICE, len(current.writes))
        frame = current.frame
        for write in current.writes[current.done : end]:
            try:
                write(frame)
            except RuntimeError:
                continue  # closed since the snapshot was taken; asyncio calls its connection_lost
        sent = end - current.done
        self._metrics.frames_out += sent * current.frames
        self._metrics.bytes_out += sent * len(frame)
        current.done = end
        if end == len(current.writes):
            self._passes.popleft()
        self._at_work = bool(self._passes)
        if self._at_work:
            self._loop.call_soon(self._write_slice)

    def _swap(self, a: int, b: int) -> None:
        subscribers, writes = self._subscribers, self._writes
        subscribers[a], subscribers[b] = subscribers[b], subscribers[a]
        writes[a], writes[b] = writes[b], writes[a]
        subscribers[a].position, subscribers[b].position = a, b


def _pass_over(_: bytes) -> None:
    """Replace the write of a slow consumer for optional messages."""


@dataclass(slots=True)
class _Pass:
    """One joined write in progress over a snapshot of the subscribers."""

    frame: bytes
    frames: int
    writes: list[Write]
    done: int = 0
