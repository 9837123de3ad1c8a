"""
A simulated viewer on one device: deterministic, without a clock or a socket.

All instants are CLOCK_MONOTONIC nanoseconds that the shell passes in. The shell opens a connection with a session of
the target, passes its messages on, calls ``wake`` when ``next_wakeup_ns`` has come, and carries out the effects.
"""

from collections.abc import Sequence
from http import HTTPStatus
from random import Random
from typing import Any

from client_sim.admission import Admission
from client_sim.agenda import Agenda, Due, PacketPlan
from client_sim.arrivals import SeatTaps
from client_sim.behaviour import Behaviour, Edge, Seat, lapse, taps, taps_by_model
from client_sim.countdown import Countdown
from client_sim.effects import NOTHING, Drop, Effect, Rest, Send
from client_sim.message_cache import UNREADABLE, CachedMessage
from client_sim.observations import Conn, SentGrab
from client_sim.pace import Pace
from client_sim.pending_grabs import PendingGrabs
from client_sim.recorder import Recorder
from client_sim.session import TargetSession
from client_sim.small_talk import SmallTalk, jitter
from server.core.ids import PacketId, RequestId
from server.core.packets.claim import ClaimStatus

ATTEMPTS_MAX = 8  # per request id: a viewer gives up after so many refusals, which take some 5 s
TOO_EARLY_MAX = 3  # further taps after one that was too early
AGAIN_AFTER_NS = (20_000_000, 100_000_000)  # after the opening: minimum, and maximum jitter on top
BACKOFF_NS, BACKOFF_MAX_NS = 100_000_000, 1_000_000_000  # doubled with each attempt up to so much, +/- a half
_NS_PER_MS = 1_000_000
_AHEAD = frozenset({"scheduled", "warming", "grabbing"})
_TRY_AGAIN = frozenset({ClaimStatus.RATE_LIMITED, ClaimStatus.UNAVAILABLE})


class Viewer:
    """The viewer of one seat, over all its connections."""

    __slots__ = (
        "_agenda", "_conn", "_conns", "_countdown", "_dropping", "_epoch", "_leaving", "_pace", "_pending",
        "_reaction_median_ms", "_recorder", "_seed", "_seq", "_session", "_small_talk", "_taps_made", "_wake_ns",
        "admission", "seat",
    )  # fmt: skip

    def __init__(
        self, seat: Seat, seed: int, reaction_median_ms: float, recorder: Recorder, pace: Pace | None = None,
        *, seat_taps: SeatTaps | None = None,
    ) -> None:  # fmt: skip
        self.seat, self._seed, self._pace = seat, seed, pace
        self._session: TargetSession | None = None
        self._reaction_median_ms = reaction_median_ms
        self._recorder = recorder
        self._conn: Conn | None = None
        self._conns = 0
        self._countdown: Countdown | None = None
        self._epoch: str | None = None
        self._seq = 0
        self.admission = Admission()
        self._small_talk = SmallTalk(seed, seat.number)
        self._dropping = False
        self._agenda = Agenda(seat_taps)
        self._pending = PendingGrabs()
        self._taps_made = 0
        self._leaving = False
        self._wake_ns: int | None = None

    @property
    def resume_point(self) -> tuple[str, int] | None:
        """Return the epoch and seq of the last fact received, or None before the first connection."""
        return None if self._epoch is None else (self._epoch, self._seq)

    @property
    def waiting(self) -> bool:
        """Tell whether a grab awaits its receipt."""
        return bool(self._pending)

    @property
    def connected(self) -> bool:
        """Tell whether the viewer has a connection."""
        return self._conn is not None

    @property
    def welcomed(self) -> bool:
        """Tell whether the viewer is in the room now."""
        return self._conn is not None and self._conn.t_welcome is not None

    def next_wakeup_ns(self) -> int | None:
        """Return when to call ``wake`` next, or None if only a message can change anything."""
        return self._wake_ns

    def rejected(self, status: int | None) -> None:
        """Handle a connection refused with an HTTP status; after 401 the credential is dropped."""
        if status == HTTPStatus.UNAUTHORIZED:
            self.admission.rejected()

    def opened(self, session: TargetSession, now_ns: int) -> None:
        """Handle a new connection, whose protocol is *session*."""
        self._session = session
        self._conn = self._recorder.opened(self.seat, self._conns, now_ns)
        self._conn.patience_ms = session.patience_ns // _NS_PER_MS
        self._conn.resumed_from = None if self._epoch is None else self._seq
        self._conns += 1
        self._rearm()

    def closed(self, now_ns: int, code: int | None) -> None:
        """Handle the loss of the connection: pending grabs become unknown and will be retried."""
        if self._conn is None:
            return
        reason = "" if self._leaving or self._dropping else "no receipt: connection lost"
        self._dropping = False
        for request_id in self._pending.all():
            self._lose(request_id, reason, now_ns)
        self._recorder.closed(self._conn, now_ns, code)
        self._conn = self._session = None
        self._rearm()

    def leave(self, now_ns: int) -> None:
        """Send no more taps; only wait for pending receipts."""
        self._leaving = True
        self._agenda.clear(now_ns)
        self._rearm()

    def announce(self, packets: Sequence[dict[str, Any]], now_ns: int) -> None:
        """Plan taps for packets that were announced by other means than the target."""
        if self._countdown is not None:
            for packet in packets:
                self._plan(packet, self._countdown, now_ns)
            self._rearm()

    def receive(self, message: CachedMessage, now_ns: int) -> Sequence[Effect]:
        """Handle one message. Returns the effects to carry out now."""
        assert self._conn is not None
        if message.seq:
            self._take_fact(self._conn, message, now_ns)
            return self.wake(now_ns)
        if message.is_told:
            self._recorder.heard(self._conn, message, now_ns)
            return NOTHING
        match message.kind:
            case "receipt":
                self._take_receipt(message, now_ns)
            case "pong":
                self._take_pong(message.body, now_ns)
            case "welcome":
                self._enter_room(self._conn, message.body, now_ns)
            case "no_receipt":
                self._take_no_receipt(message, now_ns)
            case "open" if message.packet_id is not None:
                self._take_open_message(self._conn, message, now_ns)
            case str() if message.kind == UNREADABLE:
                self._recorder.failure("WS", "message", "not a message")
                return NOTHING
            case "error":
                self._recorder.rebuked(self._conn, message.body, now_ns)
            case _:
                return NOTHING  # of interest to a human viewer only
        return self.wake(now_ns)

    def wake(self, now_ns: int) -> Sequence[Effect]:
        """Handle everything due at *now_ns*: pings, taps and receipt timeouts. Returns the effects to carry out now."""
        if not self.welcomed or self._wake_ns is None or now_ns < self._wake_ns:
            return NOTHING
        effects: list[Effect] = []
        if self._pending:
            for request_id in self._pending.sent_before(now_ns - self._line.patience_ns):
                self._lose(request_id, "no receipt in time", now_ns, gave_up=True)
        if now_ns >= self._small_talk.next_ping_ns:
            effects.append(self._ping(now_ns))
        if (said := self._small_talk.utterance(now_ns)) is not None:
            assert self._conn is not None
            self._recorder.talked(self._conn, said, now_ns)
            effects.append(Send(said))
        for due in self._agenda.take_ready(now_ns):
            self._carry_out(due, now_ns, effects)
        self._rearm()
        return effects

    @property
    def _line(self) -> TargetSession:
        assert self._session is not None, "sending needs a connection"
        return self._session

    def _carry_out(self, due: Due, now_ns: int, effects: list[Effect]) -> None:
        if due.lapse is None and self._pace is not None and not due.paced:
            due.paced, at_ns = True, self._pace.slot(now_ns)
            if at_ns > now_ns:
                self._agenda.postpone(due, at_ns)
                return
        if due.lapse is None:
            effects.append(self._tap(due, now_ns))
            if self._loses_receipt(due):
                self._dropping = True
                effects.append(Drop())
        elif due.lapse.lasts_ms:
            effects.append(Rest(now_ns + round(due.lapse.lasts_ms * _NS_PER_MS)))
        else:
            self._dropping = True
            effects.append(Drop())

    def _loses_receipt(self, due: Due) -> bool:
        """Tell whether a flaky viewer loses its connection before this tap's receipt: once, with the first tap."""
        return self.seat.behaviour is Behaviour.FLAKY and self._taps_made == 1 and due.attempt == 0

    def _enter_room(self, conn: Conn, message: dict[str, Any], now_ns: int) -> None:
        self._recorder.welcomed(conn, message, now_ns)
        if self._epoch is None or message["resync"]:
            self._seq = message["seq"]
        self._epoch, self.admission.resume = message["epoch"], message["resume"]
        if self._countdown is None:
            clock = (message["server_ms"], now_ns, message["speed"]) if self._line.live_room else (0, 0, 1)
            self._countdown = Countdown(*clock)
        if self._line.live_room:
            self._small_talk.begin(now_ns, talks=self.seat.behaviour is Behaviour.COMMENTER)
        for packet in sorted(message["packets"], key=lambda each: (each["warmup_at_ms"], each["packet_id"])):
            if packet["phase"] in _AHEAD:
                self._plan(packet, self._countdown, now_ns)
            if packet["phase"] == "grabbing":
                self._open(PacketId(packet["packet_id"]), now_ns)
        self._rearm()

    def _take_fact(self, conn: Conn, message: CachedMessage, now_ns: int) -> None:
        live = self._recorder.fact(conn, message, now_ns)
        self._seq = max(self._seq, message.seq)
        self._small_talk.saw(message, self.seat.viewer_id)
        if self._countdown is None:
            return
        if live:
            late_ns = now_ns - self._countdown.local_ns(message.body["server_ms"])
            self._recorder.sample("PUSH", message.kind, late_ns / _NS_PER_MS, len(message.payload))
        match message.kind:
            case "warmup":
                self._plan(message.body["packet"], self._countdown, now_ns)
            case "open" if message.packet_id is not None:
                self._take_opening(conn, self._countdown, message.packet_id, now_ns)
            case "voided" | "closed" if message.packet_id is not None:
                self._agenda.end(message.packet_id, voided=message.kind == "voided")
            case "result" if message.packet_id is not None:
                self._agenda.plans.pop(message.packet_id, None)
        self._rearm()

    def _take_open_message(self, conn: Conn, message: CachedMessage, now_ns: int) -> None:
        """Handle an opening without a seq, from a service that announces packets only as they open."""
        if self._countdown is None or message.packet_id is None:
            return
        opens = {"packet_id": message.packet_id, "grab_at_ms": now_ns // _NS_PER_MS, "claim_end_at_ms": None}
        self._plan(opens, self._countdown, now_ns)
        self._take_opening(conn, self._countdown, message.packet_id, now_ns)
        self._rearm()

    def _take_opening(self, conn: Conn, countdown: Countdown, packet_id: PacketId, now_ns: int) -> None:
        plan = self._agenda.plans.get(packet_id)
        skew_ns = None
        if plan is not None:
            true_ns = self._recorder.true_ns(plan.grab_at_ms, countdown.speed)
            skew_ns = None if true_ns is None else countdown.local_ns(plan.grab_at_ms) - true_ns
        self._recorder.arrival(conn, packet_id, now_ns, skew_ns)
        self._open(packet_id, now_ns)

    def _open(self, packet_id: PacketId, now_ns: int) -> None:
        """Mark a packet as open; a bot taps at once."""
        plan = self._agenda.plans.get(packet_id)
        if plan is None or plan.open:
            return
        plan.open = True
        if self.seat.behaviour is Behaviour.BOT and self._agenda.seat_taps is None and not self._leaving:
            self._agenda.expect_now(plan, now_ns)

    def _plan(self, packet: dict[str, Any], countdown: Countdown, now_ns: int) -> None:
        plan = self._agenda.add_packet(packet, now_ns)
        if plan is None:
            return
        ordinal = self._recorder.ordinal(self.seat.room_id, plan.packet_id)
        if self._leaving:
            return
        rng, behaviour = Random(f"{self._seed}:{self.seat.number}:{ordinal}"), self.seat.behaviour
        if self._agenda.seat_taps is not None:
            planned = taps_by_model(rng, self._agenda.seat_taps.arrivals)
            self._agenda.begin(plan, countdown)
        else:
            planned = taps(behaviour, rng, self._reaction_median_ms)
        if self._session is None or self._session.announces:
            planned = [tap for tap in planned if tap.edge is not Edge.HEARING]
        self._agenda.expect_all(plan, countdown, planned, lapse(behaviour, rng, ordinal))

    def _ping(self, now_ns: int) -> Send:
        assert self._countdown is not None
        self._small_talk.pinged(now_ns)
        return Send(self._line.ping(self._countdown.ask(now_ns)))

    def _take_pong(self, body: dict[str, Any], now_ns: int) -> None:
        if self._countdown is None:
            return
        rtt_ns = self._countdown.answered(body["client_ms"], body["server_ms"], now_ns)
        if rtt_ns is None:
            return
        self._recorder.best_clock(body["server_ms"], now_ns - rtt_ns // 2, rtt_ns, self._countdown.speed)
        self._agenda.aim(self._countdown)
        self._rearm()

    def _tap(self, due: Due, now_ns: int) -> Send:
        assert self._conn is not None
        if due.request_id is None:
            due.request_id = RequestId(f"{self.seat.number:x}-{self._taps_made:x}")
            self._taps_made += 1
            self._agenda.tapped()
        packet_id = due.plan.packet_id
        grab = self._recorder.sent(
            self._conn, packet_id, due.request_id, behaviour=self.seat.behaviour, t_intended=due.due_ns, now_ns=now_ns
        )
        self._pending.add(due.request_id, grab, due)
        return Send(self._line.grab(packet_id, due.request_id))

    def _take_receipt(self, message: CachedMessage, now_ns: int) -> None:
        assert self._conn is not None
        request_id = RequestId(message.body["request_id"])
        found = self._pending.take(request_id)
        if found is None:
            self._take_second_receipt(request_id, message, now_ns)
            return
        grab, due = found
        if (message.body.get("packet_id") or grab.packet) != grab.packet:
            self._recorder.stray(self._conn, message.body, now_ns)
        self._recorder.answered_with(grab, message.body, message.payload, now_ns)
        status = message.body["status"]
        self._small_talk.answered(status, message.body.get("amount_fen") or 0)
        if status in _TRY_AGAIN:
            self._back_off(grab, due, now_ns)
        elif status == ClaimStatus.TOO_EARLY and self._taps_on(due.plan):
            self._plan_again(due.plan, now_ns)
        self._agenda.answered(now_ns)
        self._rearm()

    def _take_no_receipt(self, message: CachedMessage, now_ns: int) -> None:
        """Handle an unreadable reply: the outcome is unknown, so retry."""
        if (found := self._pending.take(RequestId(message.body["request_id"]))) is not None:
            grab, due = found
            self._recorder.unread(grab, message, now_ns)
            self._back_off(grab, due, now_ns)
            self._agenda.answered(now_ns)
            self._rearm()

    def _back_off(self, grab: SentGrab, due: Due, now_ns: int) -> None:
        pause_ns = min(BACKOFF_NS << due.attempt, BACKOFF_MAX_NS)
        self._try_again(due, now_ns + round(pause_ns * (0.5 + jitter(self._seed, self.seat.number, grab.i))))

    def _taps_on(self, plan: PacketPlan) -> bool:
        """Tell whether it taps again after the opening: not by a model, and at an edge a millisecond would decide."""
        planned = self._agenda.seat_taps is not None or self.seat.behaviour is Behaviour.EDGE_TAPPER
        return plan.too_early < TOO_EARLY_MAX and not planned

    def _plan_again(self, plan: PacketPlan, now_ns: int) -> None:
        if self._leaving or self._countdown is None:
            return
        plan.too_early += 1
        plan.heard_ns = now_ns
        least_ns, jitter_ns = AGAIN_AFTER_NS
        offset_ns = least_ns + round(jitter_ns * jitter(self._seed, self.seat.number, plan.too_early))
        self._agenda.expect(plan, self._countdown, room_ms=plan.grab_at_ms, offset_ns=offset_ns)

    def _take_second_receipt(self, request_id: RequestId, message: CachedMessage, now_ns: int) -> None:
        assert self._conn is not None
        grab = self._pending.answered(request_id)
        if grab is None:
            self._recorder.stray(self._conn, message.body, now_ns)
            return
        # A retry is cancelled once the receipt of the first attempt has come after all.
        self._agenda.drop_attempts(request_id)
        self._recorder.answered_again(grab, message.body, message.payload, now_ns)

    def _lose(self, request_id: RequestId, reason: str, now_ns: int, *, gave_up: bool = False) -> None:
        found = self._pending.take(request_id)
        assert found is not None
        grab, due = found
        if gave_up and (unmapped := self._line.unmapped) is not None:
            self._recorder.unread(grab, unmapped, now_ns)
        else:
            grab.t_gave_up = now_ns if gave_up else None
            self._recorder.unknown(grab, reason, (now_ns - grab.t_intended) / _NS_PER_MS)
        self._try_again(due, now_ns)
        self._agenda.answered(now_ns)

    def _try_again(self, due: Due, due_ns: int) -> None:
        if not self._leaving and due.attempt + 1 < ATTEMPTS_MAX:
            self._agenda.expect_again(due, due_ns)

    def _rearm(self) -> None:
        if not self.welcomed:
            self._wake_ns = None
            return
        wake_ns = self._small_talk.next_ns()
        tap_ns = self._agenda.next_ns()
        if tap_ns is not None and tap_ns < wake_ns:
            wake_ns = tap_ns
        sent_ns = self._pending.oldest_sent_ns()
        if sent_ns is not None:
            wake_ns = min(wake_ns, sent_ns + self._line.patience_ns)
        self._wake_ns = wake_ns
