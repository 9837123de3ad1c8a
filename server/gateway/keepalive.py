"""Keepalive: one timer for all connections pings silent ones and aborts those past a deadline."""

import asyncio
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from server.gateway.limits import Limits
from server.gateway.metrics import Metrics

TICK_S = 1.0


class Monitored(Protocol):
    """A monitored connection; it sets ``quiet`` to 0 whenever something is read."""

    quiet: int

    def ping(self) -> None:
        """Send a ping."""

    def abort(self) -> None:
        """Abort the connection."""


class Expiring(Protocol):
    """A connection that can have a deadline."""

    def abort(self) -> None:
        """Abort the connection that missed its deadline."""


class Asking(Expiring, Protocol):
    """A connection on which requests come in."""

    def late(self) -> None:
        """Count a request that has not come in whole at once."""

    def moved(self) -> bool:
        """Return whether the peer has read something since this was asked last."""

    def close(self) -> None:
        """Close the connection, on which no request is awaited any more."""


Late = TypeVar("Late", bound=Expiring)


class Deadlines(Generic[Late]):
    """
    Deadlines of one fixed delay, so that the earliest is always the first in the queue.

    The queue is a dict: a deadline that was met is removed at once and keeps no object alive.
    """

    __slots__ = ("_after_s", "_clock", "_due")

    def __init__(self, after_ms: int, clock: Callable[[], float]) -> None:
        self._after_s = after_ms / 1_000
        self._clock = clock
        self._due: dict[Late, float] = {}

    def __len__(self) -> int:
        return len(self._due)

    def set(self, late: Late) -> None:
        """Give *late* a deadline as of now."""
        self._due.pop(late, None)
        self._due[late] = self._clock() + self._after_s

    def met(self, late: Late) -> None:
        """Cancel the deadline of *late*."""
        self._due.pop(late, None)

    def earliest(self) -> Late | None:
        """Return the one whose deadline is the first."""
        return next(iter(self._due), None)

    def missed(self) -> list[Late]:
        """Return those whose deadline has passed, and forget them."""
        now = self._clock()
        missed = []
        for late, due in self._due.items():
            if due > now:
                break
            missed.append(late)
        for late in missed:
            del self._due[late]
        return missed


class Keepalive:
    """The one timer of a gateway: each second it looks at a share of the connections, and at the deadlines."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, limits: Limits, metrics: Metrics) -> None:
        self.requests = Deadlines[Asking](limits.request_ms, loop.time)
        self.late = Deadlines[Asking](limits.late_ms, loop.time)
        self.idle = Deadlines[Asking](limits.idle_ms, loop.time)
        self.unread = Deadlines[Asking](limits.unread_ms, loop.time)
        self.closings = Deadlines[Expiring](limits.closing_ms, loop.time)
        self._loop = loop
        self._metrics = metrics
        self._spokes: list[set[Monitored]] = [set() for _ in range(limits.keepalive_s)]
        self._now = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Start the timer."""
        self._timer = self._loop.call_later(TICK_S, self._tick)

    def stop(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def add(self, kept: Monitored) -> None:
        """Monitor a connection from now on; its first check is a whole turn later."""
        self._spokes[self._now].add(kept)

    def remove(self, kept: Monitored) -> None:
        """Stop monitoring a connection."""
        for spoke in self._spokes:
            spoke.discard(kept)

    def make_room(self) -> bool:
        """Abort the connection that has been idle, closing or asking for longest; return False if there is none."""
        queues: list[Deadlines[Any]] = [self.idle, self.closings, self.requests]
        for deadlines in queues:
            oldest = deadlines.earliest()
            if oldest is not None:
                deadlines.met(oldest)
                oldest.abort()
                return True
        return False

    def turn(self) -> None:
        """Advance one spoke: ping connections silent for one turn, abort those silent for two or past a deadline."""
        self._now = (self._now + 1) % len(self._spokes)
        for kept in list(self._spokes[self._now]):
            kept.quiet += 1
            if kept.quiet > 2:
                self._metrics.timed_out += 1
                kept.abort()
            elif kept.quiet == 2:
                kept.ping()
        for slow in self.late.missed():
            slow.late()
        for idle in self.idle.missed():
            idle.close()
        cut_off: list[Expiring] = [*self.requests.missed(), *self.closings.missed()]
        for writing in self.unread.missed():
            if writing.moved():
                self.unread.set(writing)
            else:
                cut_off.append(writing)
        for late in cut_off:
            self._metrics.timed_out += 1
            late.abort()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(TICK_S, self._tick)
        self.turn()
