"""An agenda: the taps that one viewer has planned, timed by its countdown's best reading of the opening."""

from dataclasses import dataclass
from typing import Any

from client_sim.behaviour import Lapse
from client_sim.countdown import Countdown
from server.core.ids import PacketId, RequestId

_NS_PER_MS = 1_000_000


@dataclass(slots=True)
class PacketPlan:
    """A viewer's knowledge of a packet: when it was announced, how many taps came too early, and whether it is open."""

    packet_id: PacketId
    grab_at_ms: int
    claim_end_at_ms: int | None
    heard_ns: int
    too_early: int = 0
    open: bool = False


@dataclass(slots=True)
class Due:
    """
    A planned tap (or with a ``lapse`` a planned absence), at ``due_ns`` on the local clock.

    ``room_ms`` is the room instant it is planned from, or None if its local time is fixed. ``request_id`` is set on a
    retry: the outcome of an earlier tap is unknown. ``paced``: it has its rate limit slot already.
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
    """The packets announced to a viewer, and its planned taps."""

    __slots__ = ("_due", "plans")

    def __init__(self) -> None:
        self.plans: dict[PacketId, PacketPlan] = {}
        self._due: list[Due] = []

    def add_packet(self, packet: dict[str, Any], now_ns: int) -> PacketPlan | None:
        """Add an announced packet. Returns its plan, or None if it was known already."""
        packet_id = PacketId(packet["packet_id"])
        if packet_id in self.plans:
            return None
        plan = PacketPlan(packet_id, packet["grab_at_ms"], packet["claim_end_at_ms"], now_ns)
        self.plans[packet_id] = plan
        return plan

    def expect(
        self, plan: PacketPlan, countdown: Countdown, *, room_ms: int, offset_ns: int, lapse: Lapse | None = None
    ) -> None:
        """Plan a tap or a lapse *offset_ns* after the packet's *room_ms*, or its announcement if that is later."""
        due = Due(plan, room_ms, offset_ns, lapse=lapse)
        self._due.append(due)
        _aim(due, countdown)

    def expect_now(self, plan: PacketPlan, now_ns: int) -> None:
        """Plan a tap that is due already."""
        self._due.append(Due(plan, None, 0, due_ns=now_ns))

    def expect_again(self, due: Due, due_ns: int) -> None:
        """Plan a retry of a tap that was sent."""
        due.attempt += 1
        due.paced = False
        self.postpone(due, due_ns)

    def postpone(self, due: Due, due_ns: int) -> None:
        """Move a tap that was ready to a later, fixed local time."""
        due.room_ms, due.due_ns = None, due_ns
        self._due.append(due)

    def aim(self, countdown: Countdown) -> None:
        """Recompute the local times of all taps from the countdown's best reading."""
        for due in self._due:
            _aim(due, countdown)

    def drop(self, packet_id: PacketId) -> None:
        """Remove the taps for a packet that were not sent yet; retries of unknown outcomes stay."""
        self._due = [due for due in self._due if due.plan.packet_id != packet_id or due.request_id is not None]

    def drop_attempts(self, request_id: RequestId) -> None:
        """Remove the retries of a tap."""
        self._due = [due for due in self._due if due.request_id != request_id]

    def clear(self) -> None:
        """Remove all taps."""
        self._due.clear()

    def next_ns(self) -> int | None:
        """Return when the next tap is due, or None."""
        if len(self._due) <= 1:  # nearly always
            return self._due[0].due_ns if self._due else None
        return min(due.due_ns for due in self._due)

    def take_ready(self, now_ns: int) -> list[Due]:
        """Remove and return the items due at *now_ns*, in order of time; taps before lapses, so that they are sent."""
        if not self._due:
            return []
        ready = [due for due in self._due if due.due_ns <= now_ns]
        ready.sort(key=lambda due: (due.lapse is not None, due.due_ns))
        if ready:
            self._due = [due for due in self._due if due.due_ns > now_ns]
        return ready


def _aim(due: Due, countdown: Countdown) -> None:
    if due.room_ms is not None:
        # No tap is planned before the packet is announced, not even an early one.
        heard_ns = due.plan.heard_ns
        due.due_ns = max(max(countdown.local_ns(due.room_ms), heard_ns) + due.offset_ns, heard_ns)
