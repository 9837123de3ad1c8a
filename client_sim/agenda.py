"""An agenda: the taps one viewer has planned, aimed at the opening as its countdown knows it now."""

from dataclasses import dataclass
from typing import Any

from client_sim.behaviour import Lapse
from client_sim.countdown import Countdown
from server.core.ids import PacketId, RequestId

_NS_PER_MS = 1_000_000


@dataclass(slots=True)
class PacketPlan:
    """What a viewer knows of a packet, when it heard of it, how often it was too early, and whether it is open."""

    packet_id: PacketId
    grab_at_ms: int
    claim_end_at_ms: int | None
    heard_ns: int
    too_early: int = 0
    open: bool = False


@dataclass(slots=True)
class Due:
    """
    A tap (or with a ``lapse`` a moment of absence) to come, at ``due_ns`` on the local clock.

    ``room_ms`` is the instant it is planned from, or None if no clock moves it any more. ``request_id`` is there if
    the outcome of an earlier tap is unknown, and the same one is tried again. ``paced``: it has its slot already.
    """

    plan: PacketPlan
    room_ms: int | None
    offset_ns: int
    due_ns: int = 0
    request_id: RequestId | None = None
    attempt: int = 0
    paced: bool = False
    lapse: Lapse | None = None


class Agenda:
    """The packets a viewer has heard of, and its taps to come."""

    __slots__ = ("_due", "plans")

    def __init__(self) -> None:
        self.plans: dict[PacketId, PacketPlan] = {}
        self._due: list[Due] = []

    def hear_of(self, packet: dict[str, Any], now_ns: int) -> PacketPlan | None:
        """Take note of a packet on screen. Returns its plan, or None if it was known already."""
        packet_id = PacketId(packet["packet_id"])
        if packet_id in self.plans:
            return None
        plan = PacketPlan(packet_id, packet["grab_at_ms"], packet["claim_end_at_ms"], now_ns)
        self.plans[packet_id] = plan
        return plan

    def expect(
        self, plan: PacketPlan, countdown: Countdown, *, room_ms: int, offset_ns: int, lapse: Lapse | None = None
    ) -> None:
        """Plan a tap or a lapse *offset_ns* after the packet's *room_ms*, or after hearing of it if that is later."""
        due = Due(plan, room_ms, offset_ns, lapse=lapse)
        self._due.append(due)
        _aim(due, countdown)

    def expect_now(self, plan: PacketPlan, now_ns: int) -> None:
        """Plan a tap that is due already."""
        self._due.append(Due(plan, None, 0, due_ns=now_ns))

    def expect_again(self, due: Due, due_ns: int) -> None:
        """Plan one more attempt of a tap that was made."""
        due.attempt += 1
        due.paced = False
        self.postpone(due, due_ns)

    def postpone(self, due: Due, due_ns: int) -> None:
        """Plan a tap that was ready for a later instant, which no clock moves any more."""
        due.room_ms, due.due_ns = None, due_ns
        self._due.append(due)

    def aim(self, countdown: Countdown) -> None:
        """Set the instants of all taps by what the countdown knows now."""
        for due in self._due:
            _aim(due, countdown)

    def drop(self, packet_id: PacketId) -> None:
        """Give up the taps for a packet that were not made yet; what is unknown is still asked for."""
        self._due = [due for due in self._due if due.plan.packet_id != packet_id or due.request_id is not None]

    def drop_attempts(self, request_id: RequestId) -> None:
        """Give up trying a tap again."""
        self._due = [due for due in self._due if due.request_id != request_id]

    def clear(self) -> None:
        """Give up all taps."""
        self._due.clear()

    def next_ns(self) -> int | None:
        """Return when the next tap is due, or None."""
        if len(self._due) <= 1:  # nearly always
            return self._due[0].due_ns if self._due else None
        return min(due.due_ns for due in self._due)

    def take_ready(self, now_ns: int) -> list[Due]:
        """Remove and return what is due at *now_ns*, in order of time; taps before lapses, so that they are made."""
        if not self._due:
            return []
        ready = [due for due in self._due if due.due_ns <= now_ns]
        ready.sort(key=lambda due: (due.lapse is not None, due.due_ns))
        if ready:
            self._due = [due for due in self._due if due.due_ns > now_ns]
        return ready


def _aim(due: Due, countdown: Countdown) -> None:
    if due.room_ms is not None:
        # Nobody means to tap before having heard of the packet, however early a bird.
        heard_ns = due.plan.heard_ns
        due.due_ns = max(max(countdown.local_ns(due.room_ms), heard_ns) + due.offset_ns, heard_ns)
