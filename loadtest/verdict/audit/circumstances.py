"""Circumstances of a run that excuse what would else be a violation: absences of the store, limits, and clocks."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import islice, takewhile
from operator import attrgetter, itemgetter
from types import MappingProxyType
from typing import Any, NamedTuple

from loadtest.record.books import ClockRecord
from loadtest.record.history import History
from loadtest.record.one_timeline import error_ns_of
from server.core.ids import PacketId
from server.core.packets.packet import PacketState

FACT_LATE_MS = 200
"""How long after its instant a fact may be published, in real milliseconds, unless the scenario says otherwise."""

FLIGHT_NS = 1_000_000_000
"""How long a message without a number may be on its way, in real time, on a machine that does not stall."""

LOOKED_FOR_NS = 2_000_000_000
"""A store or a server that has come back is found again within so long."""

CLOCK_SLACK_NS = 50_000_000
"""The error of the server's own estimate of the store's clock, generously."""

_NS_PER_MS = 1_000_000


class Absence(NamedTuple):
    """A time in which store or server were broken, or away; ``t_to`` is None if they did not come back."""

    t_from: int
    t_to: int | None

    def near(self, t_from: int, t_to: int, slack_ns: int = 0) -> bool:
        """Tell whether any instant of a span lies in the absence, or within *slack_ns* after it."""
        return t_to >= self.t_from and (self.t_to is None or t_from <= self.t_to + slack_ns)


class MachineWait(NamedTuple):
    """A time in which the processes of the server waited for a processor or the disk, and how long in all."""

    t_from: int
    t_to: int
    waited_ns: int


class AskedPacket(NamedTuple):
    """
    A packet as its creator asked for it: shares, fen, and how long its window is, if that was said.

    ``edited`` is the share count of the last edit that was acknowledged, ``over`` what an acknowledged void or end
    leaves: a packet that is voided, or one that is settled and says when it was ended.
    """

    share_count: int
    total_fen: int
    claim_window_ms: int | None
    edited: int | None = None
    over: PacketState | None = None


class RateLimit(NamedTuple):
    """The stated limits of one connection (docs/limits.md): messages per period, and grabs without a receipt."""

    messages_max: int
    period_ms: int
    grabs_in_flight_max: int


_PRODUCTION = RateLimit(120, 60_000, 10)
RATE_LIMITS = {"production": _PRODUCTION, "demo": _PRODUCTION, "load": RateLimit(1_000_000, 60_000, 1_000)}


class Circumstances(NamedTuple):
    """
    The run as ``run.json`` and the scenario describe it.

    ``limits`` is the set of the server's limits, ``fact_late_ms`` the bound for facts. ``store_is_known``: the store's
    absences are all in ``absences``, so that any other ``unavailable`` is a lie. ``created`` are the packets that the
    server has acknowledged to their creators, ``asked`` what these had asked for, and ``recharged`` what each creator
    paid in. ``waits`` are those of its processes for the machine, ``happenings`` all that creators were answered. A
    run that was ``broken_off`` left orders and reversals under way. ``unrecorded`` says whose taps the history
    does not have, if there are such: shares may have been given to those.
    """

    absences: Sequence[Absence] = ()
    limits: str = ""
    fact_late_ms: int = FACT_LATE_MS
    store_is_known: bool = False
    created: Sequence[str] = ()
    waits: Sequence[MachineWait] = ()
    asked: Mapping[PacketId, AskedPacket] = MappingProxyType({})
    recharged: Mapping[str, int] = MappingProxyType({})
    happenings: Sequence[Mapping[str, Any]] = ()
    broken_off: bool = False
    unrecorded: str = ""

    def absent(self, t_from: int, t_to: int, slack_ns: int) -> bool:
        """Tell whether store or server were away in a span, or shortly before it."""
        return any(absence.near(t_from, t_to, slack_ns) for absence in self.absences)

    def waited_ns(self, t_from: int, t_to: int) -> int:
        """Return how long the server's processes waited for the machine in a span, at most."""
        first = bisect_right(self.waits, t_from, key=attrgetter("t_to"))  # they are in order, and may be many
        during = takewhile(lambda wait: wait.t_from < t_to, islice(self.waits, first, None))
        return sum(wait.waited_ns for wait in during)


ORDINARY = Circumstances()
"""A run of which nothing is known but its history."""


class RoomTimes(NamedTuple):
    """Turns room time into instants of the history's clock, by the best reading of all processes."""

    server_ms: int
    t: int
    speed: int
    error_ns: int

    def ns(self, room_ms: int) -> int:
        """Return when room time was *room_ms*, to ``error_ns``."""
        return self.t + (room_ms - self.server_ms) * _NS_PER_MS // self.speed


def room_times(history: History, clock: ClockRecord) -> RoomTimes | None:
    """Return the run's room time, or None if the history has no reading of it."""
    errors = [(reading.rtt_ns // 2 + error_ns_of(history, reading.process), reading) for reading in history.clocks]
    error_ns, best = min(errors, key=itemgetter(0), default=(0, None))
    if best is None or clock.speed < 1:
        return None
    return RoomTimes(best.server_ms, best.t, clock.speed, error_ns + CLOCK_SLACK_NS)
