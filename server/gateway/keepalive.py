"""Who is still there: one timer for all connections; pings for the silent, an end for the late."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from server.gateway.limits import Limits
from server.gateway.metrics import Metrics

TICK_S = 1.0


class Kept(Protocol):
    """A connection that is looked after; it sets ``quiet`` to 0 whenever something is read."""

    quiet: int

    def ping(self) -> None:
        """Ask for a sign of life."""

    def abort(self) -> None:
        """Cut the connection off."""


class Late(Protocol):
    """What may have a deadline."""

    def abort(self) -> None:
        """End what has taken too long."""


class Deadlines:
    """
    Deadlines that all lie equally far off, so that the first to come is always the first in the row.

    A dict is the row: what is done in time is taken out at once and keeps nothing alive.
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
        """Take the deadline of *late* back."""
        self._due.pop(late, None)

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
        self.requests = Deadlines(limits.request_ms, loop.time)
        self.closings = Deadlines(limits.closing_ms, loop.time)
        self._loop = loop
        self._metrics = metrics
        self._spokes: list[set[Kept]] = [set() for _ in range(limits.keepalive_s)]
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

    def add(self, kept: Kept) -> None:
        """Look after a connection from now on; a whole turn passes before its first look."""
        self._spokes[self._now].add(kept)

    def remove(self, kept: Kept) -> None:
        """Look after it no more."""
        for spoke in self._spokes:
            spoke.discard(kept)

    def turn(self) -> None:
        """Move on by one spoke: ping who was silent for a turn, cut off who was for two, and all that are late."""
        self._now = (self._now + 1) % len(self._spokes)
        for kept in list(self._spokes[self._now]):
            kept.quiet += 1
            if kept.quiet > 2:
                self._metrics.timed_out += 1
                kept.abort()
            elif kept.quiet == 2:
                kept.ping()
        for late in self.requests.missed() + self.closings.missed():
            self._metrics.timed_out += 1
            late.abort()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(TICK_S, self._tick)
        self.turn()
