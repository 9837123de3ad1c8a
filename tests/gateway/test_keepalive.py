"""The one timer, turned by hand."""

import asyncio
from dataclasses import replace

from server.gateway.keepalive import Deadlines, Keepalive
from server.gateway.limits import PRODUCTION
from server.gateway.metrics import Metrics


class Monitored:
    """A connection that notes what is done to it."""

    def __init__(self) -> None:
        self.quiet = 0
        self.pings = 0
        self.aborted = False
        self.was_late = False
        self.closed = False
        self.unread: list[int] = []

    def ping(self) -> None:
        self.pings += 1

    def abort(self) -> None:
        self.aborted = True

    def late(self) -> None:
        self.was_late = True

    def moved(self) -> bool:
        return len(self.unread) > 1 and self.unread.pop(0) > self.unread[0]

    def close(self) -> None:
        self.closed = True


def a_keepalive(spokes: int, metrics: Metrics | None = None) -> Keepalive:
    limits = replace(PRODUCTION, keepalive_s=spokes, request_ms=0, late_ms=0, idle_ms=0, unread_ms=0)
    return Keepalive(asyncio.get_running_loop(), limits=limits, metrics=metrics or Metrics())


async def test_the_silent_are_pinged_then_cut_off() -> None:
    """A connection is checked once a turn: after one silent turn nothing, then a ping, then an abort."""
    metrics = Metrics()
    keepalive, kept = a_keepalive(3, metrics), Monitored()
    keepalive.add(kept)
    seen = []
    for _ in range(9):
        keepalive.turn()
        seen.append((kept.pings, kept.aborted))
    assert seen == [(0, False)] * 5 + [(1, False)] * 3 + [(1, True)]
    assert metrics.timed_out == 1


async def test_who_speaks_is_left_alone() -> None:
    """A connection that says something in every turn is never pinged."""
    keepalive, kept = a_keepalive(2), Monitored()
    keepalive.add(kept)
    for _ in range(20):
        keepalive.turn()
        kept.quiet = 0
    assert kept.pings == 0


async def test_the_removed_are_forgotten() -> None:
    """A connection that has left is not checked."""
    keepalive = a_keepalive(4)
    crowd = [Monitored() for _ in range(8)]
    for kept in crowd:
        keepalive.add(kept)
        keepalive.turn()
    for kept in crowd:
        keepalive.remove(kept)
    quiet = [kept.quiet for kept in crowd]
    for _ in range(12):
        keepalive.turn()
    assert [kept.quiet for kept in crowd] == quiet


async def test_the_late_are_cut_off() -> None:
    """A turn aborts connections past their deadline and spares those that met it."""
    keepalive = a_keepalive(2)
    late, in_time = Monitored(), Monitored()
    keepalive.requests.set(late)
    keepalive.requests.set(in_time)
    keepalive.requests.met(in_time)
    keepalive.turn()
    assert (late.aborted, in_time.aborted) == (True, False)


async def test_each_deadline_has_its_own_end() -> None:
    """A late request is counted and an idle connection closed; who reads goes on, and who does not is cut off."""
    metrics = Metrics()
    keepalive, slow, idle, reader, stuck = a_keepalive(2, metrics), *(Monitored() for _ in range(4))
    reader.unread, stuck.unread = [9, 5, 5], [9, 9]
    keepalive.late.set(slow)
    keepalive.idle.set(idle)
    keepalive.unread.set(reader)
    keepalive.unread.set(stuck)
    keepalive.turn()
    assert (slow.was_late, slow.aborted, idle.closed, idle.aborted) == (True, False, True, False)
    assert (reader.aborted, stuck.aborted, metrics.timed_out) == (False, True, 1)
    keepalive.turn()
    assert reader.aborted


async def test_room_is_made_where_it_costs_least() -> None:
    """The longest idle goes first, then who is being closed, then the oldest request; if there is none, nobody goes."""
    keepalive = a_keepalive(2)
    crowd = [Monitored() for _ in range(4)]
    keepalive.requests.set(crowd[3])
    keepalive.closings.set(crowd[2])
    keepalive.idle.set(crowd[0])
    keepalive.idle.set(crowd[1])
    gone = []
    while keepalive.make_room():
        gone.append([each.aborted for each in crowd])
    assert gone == [[number <= last for number in range(4)] for last in range(4)]


def test_a_deadline_passes_at_its_time() -> None:
    """Deadlines pass in the order they were set, each at its time, and are missed once."""
    now_s = 100.0
    deadlines = Deadlines[Monitored](10_000, lambda: now_s)
    first, second = Monitored(), Monitored()
    deadlines.set(first)
    now_s = 105.0
    deadlines.set(second)
    now_s = 109.9
    assert deadlines.missed() == []
    now_s = 110.0
    assert deadlines.missed() == [first]
    deadlines.set(first)
    now_s = 115.0
    assert deadlines.missed() == [second]
    assert len(deadlines) == 1


async def test_the_timer_turns_by_itself_until_stopped() -> None:
    """Started, the wheel keeps one timer armed; stopped, none."""
    keepalive = a_keepalive(2)
    keepalive.start()
    keepalive._tick()  # what the loop does a second later
    armed = keepalive._timer
    assert armed is not None
    keepalive.stop()
    assert armed.cancelled()
