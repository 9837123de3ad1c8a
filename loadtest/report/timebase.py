"""The timebase: one axis of real seconds for the audience's history and the books' room times."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from loadtest.record.books import Books, ClockRecord
from loadtest.record.history import GrabRecord, History
from loadtest.verdict.measures import NS_PER_S
from loadtest.verdict.samples import NS_PER_MS

SHANGHAI = timezone(timedelta(hours=8))  # the business time zone, fixed


@dataclass(frozen=True, slots=True)
class Timebase:
    """
    ``zero_ns`` (monotonic) is where the axis begins; ``origin_ns`` is the monotonic instant of the clock's origin.

    ``origin_ns`` is None if the two cannot be related: the clock does not run, or no message was received.
    """

    clock: ClockRecord
    zero_ns: int
    origin_ns: int | None

    def seconds(self, t_ns: int) -> float:
        """Return an instant of the audience's clock as a place on the axis, in real seconds."""
        return (t_ns - self.zero_ns) / NS_PER_S

    def seconds_of_room(self, room_ms: int) -> float | None:
        """Return an instant of room time as a place on the axis, in real seconds, or None if unknown."""
        if self.origin_ns is None:
            return None
        return self.seconds(self.origin_ns + _since_origin_ns(self.clock, room_ms))

    def room_ms(self, seconds: float) -> int | None:
        """Return the room time at a place on the axis, or None if unknown."""
        if self.origin_ns is None:
            return None
        real_ns = self.zero_ns + int(seconds * NS_PER_S) - self.origin_ns
        return self.clock.origin_ms + real_ns * self.clock.speed // NS_PER_MS


def timebase_of(books: Books, history: History) -> Timebase:
    """
    Relate both clocks: no message arrives before it is sent, so the fastest delivery gives the best estimate.

    The error is the latency of that delivery, some tenths of a millisecond on one machine.
    """
    starts = [conn.t_open for conn in history.conns] or [grab.t_intended for grab in history.grabs]
    ties = list(_ties(books, history)) if books.clock.speed > 0 else []
    origin_ns = min(ties, default=None)
    zero_ns = min(starts, default=origin_ns if origin_ns is not None else 0)
    return Timebase(books.clock, zero_ns, origin_ns)


def shanghai(room_ms: int, pattern: str = "%H:%M:%S") -> str:
    """Return a room time as the time of day in Shanghai."""
    return (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=room_ms)).astimezone(SHANGHAI).strftime(pattern)


def _since_origin_ns(clock: ClockRecord, room_ms: int) -> int:
    return (room_ms - clock.origin_ms) * NS_PER_MS // clock.speed


def _ties(books: Books, history: History) -> Iterator[int]:
    """Yield for each message the origin's instant if its delivery had taken no time."""
    for fact in history.facts:
        packet = books.packets.get(fact.packet)
        if packet is None:
            continue
        at_ms = {"warmup": packet.warmup_at_ms, "open": packet.grab_at_ms, "closed": packet.claim_end_at_ms}.get(
            fact.type
        )
        if at_ms is not None:
            yield fact.t_first - _since_origin_ns(books.clock, at_ms)
    told: dict[tuple[str, str, str], GrabRecord] = {
        (grab.packet, grab.viewer, grab.request_id): grab for grab in history.grabs if grab.type == "ok"
    }
    for entry in books.journal:
        for claim in entry.claims or ():
            grab = told.get((entry.packet_id, claim.viewer_id, claim.request_id))
            if grab is not None and grab.t_reply is not None:
                yield grab.t_reply - _since_origin_ns(books.clock, entry.at_ms)
