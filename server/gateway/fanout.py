"""Fan-out: one frame, built once, written to everybody in a room, in an order that favours nobody."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Protocol

from server.gateway.limits import Limits
from server.gateway.metrics import Metrics

SLICE = 500  # recipients before the loop may breathe: about 3 ms
STRIDE = 61  # a prime: a broadcast goes through the seats in this many interleaved rounds, in shuffled order

Write = Callable[[bytes], None]


class Seated(Protocol):
    """A connection in an audience: how to write to it, and where it sits."""

    write: Write
    seat: int


class RoomSubscribers:
    """
    The connections in a room.

    Numbered messages reach everybody who was seated when they were told, exactly once and in order: each takes its own
    snapshot of the seats, and the snapshots are written out first in, first out. Of what is told soon, only what is
    lasting goes to who is behind.
    """

    __slots__ = (
        "_at_work",
        "_behind",
        "_lasting",
        "_limits",
        "_loop",
        "_metrics",
        "_passes",
        "_pending",
        "_rng",
        "_seats",
        "_timer",
        "_writes",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, rng: random.Random, *, limits: Limits, metrics: Metrics
    ) -> None:
        self._loop = loop
        self._rng = rng
        self._limits = limits
        self._metrics = metrics
        self._seats: list[Seated] = []
        self._writes: list[Write] = []
        self._behind: dict[Seated, None] = {}
        self._pending: list[bytes] = []
        self._lasting: list[bytes] = []  # of what is pending, what nobody may miss
        self._timer: asyncio.TimerHandle | None = None
        self._passes: deque[_Pass] = deque()
        self._at_work = False

    def __len__(self) -> int:
        return len(self._seats)

    @property
    def busy(self) -> bool:
        """Tell whether a broadcast is still being written."""
        return self._at_work

    def join(self, newcomer: Seated) -> None:
        """Seat a connection at random, by swapping, so that the seats are always a fair shuffle of who sits there."""
        newcomer.seat = len(self._seats)
        self._seats.append(newcomer)
        self._writes.append(newcomer.write)
        self._swap(newcomer.seat, self._rng.randrange(len(self._seats)))

    def leave(self, member: Seated) -> None:
        """Free a connection's seat."""
        assert self._seats[member.seat] is member
        self._behind.pop(member, None)
        self._swap(member.seat, len(self._seats) - 1)
        self._seats.pop()
        self._writes.pop()
        member.seat = -1

    def fall_behind(self, member: Seated) -> None:
        """Spare a member that does not read what it may miss."""
        self._behind[member] = None
        self._writes[member.seat] = _pass_over

    def catch_up(self, member: Seated) -> None:
        """Tell a member everything again."""
        self._behind.pop(member, None)
        self._writes[member.seat] = member.write

    def tell_soon(self, frame: bytes, *, lasting: bool = False) -> None:
        """Tell what is no fact: it waits up to the window's length for company. Who is behind gets what is lasting."""
        self._pending.append(frame)
        if lasting:
            self._lasting.append(frame)
        if self._timer is None:
            self._timer = self._loop.call_later(self._limits.window_ms / 1_000, self.flush)

    def tell(self, frame: bytes) -> None:
        """Tell a fact: at once, joined with what is pending."""
        self._pending.append(frame)
        self._lasting.append(frame)
        self.flush()

    def flush(self) -> None:
        """Start to write what is pending to everybody who is seated now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._pending:
            return
        frames, self._pending = self._pending, []
        lasting, self._lasting = self._lasting, []
        if self._behind:
            self._metrics.messages_dropped += (len(frames) - len(lasting)) * len(self._behind)
            self._begin(lasting, [member.write for member in self._behind])
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

        The seats are a random permutation already; taking them in interleaved rounds, shuffled each time, gives each
        broadcast another order for the price of copying the list.
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
                continue  # closed since the snapshot was taken; its connection_lost has been told or will be
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
        seats, writes = self._seats, self._writes
        seats[a], seats[b] = seats[b], seats[a]
        writes[a], writes[b] = writes[b], writes[a]
        seats[a].seat, seats[b].seat = a, b


def _pass_over(_: bytes) -> None:
    """Stand in for the write of a member that is behind."""


class _Pass:
    """One joined write on its way through a snapshot of the audience."""

    __slots__ = ("done", "frame", "frames", "writes")

    def __init__(self, frame: bytes, frames: int, writes: list[Write]) -> None:
        self.frame = frame
        self.frames = frames
        self.writes = writes
        self.done = 0
