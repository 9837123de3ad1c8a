"""An agenda: the taps that one viewer has planned, timed by its countdown's best reading of the opening."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from client_sim.arrivals import ArrivalModel, SeatTaps
from client_sim.behaviour import Edge, Lapse, Tap
from client_sim.countdown import Countdown
from server.core.ids import PacketId, RequestId

_NS_PER_MS = 1_000_000


@dataclass(slots=True)
class PacketPlan:
    """
    A viewer's knowledge of a packet: when it was announced, how many taps came too early, and whether it is open.

    Of one that is ``over`` before its window closes no taps are planned any more.
    """

    packet_id: PacketId
    grab_at_ms: int
    claim_end_at_ms: int | None
    heard_ns: int
    too_early: int = 0
    open: bool = False
    over: bool = False


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
    """The packets announced to a viewer, and its planned taps: by its behaviour, or with *seat_taps* by a model."""

    __slots__ = ("_countdown", "_due", "_first_ms", "plans", "seat_taps")

    def __init__(self, seat_taps: SeatTaps | None = None) -> None:
        self.plans: dict[PacketId, PacketPlan] = {}
        self.seat_taps = seat_taps
        self._due: list[Due] = []
        self._first_ms: int | None = None
        self._countdown: Countdown | None = None

    def add_packet(self, packet: dict[str, Any], now_ns: int) -> PacketPlan | None:
        """Add an announced packet. Returns its plan, or None if it was known already."""
        packet_id = PacketId(packet["packet_id"])
        if packet_id in self.plans:
            return None
        plan = PacketPlan(packet_id, packet["grab_at_ms"], packet["claim_end_at_ms"], now_ns)
        self.plans[packet_id] = plan
        return plan

    def begin(self, plan: PacketPlan, countdown: Countdown) -> None:
        """Start the taps of a model with the first packet's opening."""
        if self._first_ms is None and self.seat_taps is not None:
            self._first_ms, self._countdown = plan.grab_at_ms, countdown
            self.seat_taps.begin(countdown.local_ns(plan.grab_at_ms))

    def expect_all(self, plan: PacketPlan, countdown: Countdown, taps: Iterable[Tap], absent: Lapse | None) -> None:
        """Plan the taps of a packet, and an absence."""
        for tap in taps:
            edge_ms = plan.claim_end_at_ms if tap.edge is Edge.CLOSING else plan.grab_at_ms
            if edge_ms is not None:
                self.expect(plan, countdown, room_ms=edge_ms, offset_ns=round(tap.offset_ms * _NS_PER_MS))
        if absent is not None:
            offset_ns = round(absent.offset_ms * _NS_PER_MS)
            self.expect(plan, countdown, room_ms=plan.grab_at_ms, offset_ns=offset_ns, lapse=absent)

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
        if self.seat_taps is not None and self._first_ms is not None:
            self.seat_taps.begin(countdown.local_ns(self._first_ms))

    def tapped(self) -> None:
        """Count a tap that is sent for the first time."""
        if self.seat_taps is not None:
            self.seat_taps.counts.planned += 1
            self.seat_taps.counts.sent += 1

    def end(self, packet_id: PacketId, *, voided: bool) -> None:
        """Plan no more taps by a model for a packet; if it was *voided*, remove the others that were not sent yet."""
        if packet_id in self.plans:
            self.plans[packet_id].over = True
        if voided:
            self.drop(packet_id)

    def drop(self, packet_id: PacketId) -> None:
        """Remove the taps for a packet that were not sent yet; retries of unknown outcomes stay."""
        self._due = [due for due in self._due if due.plan.packet_id != packet_id or due.request_id is not None]

    def drop_attempts(self, request_id: RequestId) -> None:
        """Remove the retries of a tap."""
        self._due = [due for due in self._due if due.request_id != request_id]

    def clear(self, now_ns: int) -> None:
        """Remove all taps; those of a model whose instant has come are counted as not sent."""
        if self.seat_taps is not None:
            self.seat_taps.leave(now_ns)
            self.seat_taps.counts.planned += sum(
                1 for due in self._due if due.request_id is None and due.lapse is None and due.due_ns <= now_ns
            )
            self.seat_taps = None
        self._due.clear()

    def answered(self, now_ns: int) -> None:
        """Plan the next tap of a closed model, unless the last one is to be sent again."""
        taps = self.seat_taps
        if taps is None or taps.arrivals.model is not ArrivalModel.CLOSED or taps.start_ns is None:
            return
        if not any(due.lapse is None for due in self._due):
            taps.think(now_ns)

    def next_ns(self) -> int | None:
        """Return when the next tap is due, or None."""
        planned_ns = None if self.seat_taps is None else self.seat_taps.next_ns
        if not self._due:
            return planned_ns
        soonest_ns = self._due[0].due_ns if len(self._due) == 1 else min(due.due_ns for due in self._due)
        return soonest_ns if planned_ns is None else min(soonest_ns, planned_ns)

    def take_ready(self, now_ns: int) -> list[Due]:
        """Remove and return the items due at *now_ns*, in order of time; taps before lapses, so that they are sent."""
        if self.seat_taps is not None and self._countdown is not None:
            for at_ns in self.seat_taps.due(now_ns):
                room_ms = self._countdown.room_ms(at_ns)
                there = [plan for plan in self.plans.values() if _is_open(plan, room_ms)]
                plan = self.seat_taps.choose(there, at_ns, now_ns)
                if plan is not None:
                    self._due.append(Due(plan, None, 0, due_ns=at_ns))
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


def _is_open(plan: PacketPlan, room_ms: int) -> bool:
    ends_ms = plan.claim_end_at_ms
    return not plan.over and plan.grab_at_ms <= room_ms and (ends_ms is None or room_ms < ends_ms)
