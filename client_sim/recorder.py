"""
The recorder: writes the history of the viewers of one process in the format of ARCHITECTURE.md.

Nothing is serialised on a viewer's path: records are queued as objects and become JSON in batches.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

import orjson

from client_sim.arrivals import TapCounts
from client_sim.behaviour import Behaviour, Seat
from client_sim.grab_figures import GrabFigures
from client_sim.hearsay import Hearsay
from client_sim.message_cache import CachedMessage
from client_sim.observations import (
    Arrival,
    ClockReading,
    Conn,
    Differing,
    End,
    Fact,
    HealthSample,
    Hushed,
    Observation,
    OwnClock,
    PlannedTaps,
    SentComment,
    SentGrab,
    SequenceRun,
    StrayReceipt,
)
from client_sim.tally import Tally
from client_sim.unread_answers import OTHERS, UnreadAnswers
from server.core.ids import PacketId, RequestId, RoomId
from server.core.packets.claim import ClaimStatus

BATCH_LINES = 2_000  # some milliseconds of serialising; a longer batch would add to all viewers' latency
FACTS_LOOKED_AT = 200  # the newest; a message does not arrive for longer than it takes that many to be sent
READING_NS = 60_000_000_000  # of each such time the best reading of the room clock is kept: clocks drift apart
_NS_PER_MS = 1_000_000

SeriesName = tuple[str, str]
"""Method and name, as Locust calls them."""

Failure = tuple[str, str, str]
"""Method, name and reason."""


class HistorySink(Protocol):
    """The destination of observations (loadtest/record/history_writer.py)."""

    def write(self, observations: Sequence[Observation]) -> None:
        """Write some observations, in order."""

    def flush(self) -> None:
        """Make everything written so far readable."""


class Recorder:
    """
    The one recorder of a process: its history and its counters. ``heard`` counts a message without a number.

    *history* is written to and flushed, never closed; without one only the counters are kept. ``present`` are the
    viewers in their rooms, ``present_in`` the same by room, ``connected`` their connections. ``comments`` and ``likes``
    were sent, of which the latter may come several in one message. ``taps`` are counted where a model plans them.
    """

    def __init__(self, history: HistorySink | None = None) -> None:
        self.connected = 0
        self.present = 0
        self.present_in: Counter[RoomId] = Counter()
        self.comments = 0
        self.likes = 0
        self.failed = 0
        self.figures = GrabFigures()
        self.taps: TapCounts | None = None
        self._history = history
        self._observations: list[Observation] = []
        self._facts: dict[tuple[RoomId, str, int], Fact] = {}
        self._told_arrivals: dict[tuple[RoomId, str, int], int] = {}
        self._ordinals: dict[RoomId, dict[PacketId, int]] = {}
        self._open: dict[str, Conn] = {}
        self._waiting: dict[int, SentGrab] = {}
        self._grabs = 0
        self._conns = 0
        self._series: dict[SeriesName, Tally] = {}
        self._failures: Counter[Failure] = Counter()
        self._best: ClockReading | None = None
        self._readings: dict[int, ClockReading] = {}
        self._unread = UnreadAnswers()
        self._hearsay = Hearsay(self._note)
        self.heard = self._hearsay.hear

    @property
    def waiting(self) -> int:
        """Return how many grabs await their receipts."""
        return len(self._waiting)

    def on_clock(self, name: str) -> None:
        """Record which monotonic clock all times are of."""
        self._note(OwnClock(name))

    def ordinal(self, room: RoomId, packet: PacketId) -> int:
        """Return the packet's number in its room, in the order of announcement to this process."""
        known = self._ordinals.setdefault(room, {})
        return known.setdefault(packet, len(known))

    def opened(self, seat: Seat, nth: int, now_ns: int) -> Conn:
        """Begin the record of a seat's *nth* connection."""
        conn = Conn(f"{seat.number:x}.{nth:x}", seat.viewer_id, seat.room_id, now_ns)
        conn.slow = seat.behaviour is Behaviour.SLOW_READER
        conn.first_device = seat.device == 0
        self._open[conn.conn] = conn
        self._conns += 1
        return conn

    def welcomed(self, conn: Conn, message: dict[str, Any], now_ns: int) -> None:
        """Record the welcome of a connection."""
        if conn.t_welcome is None:
            self.connected += 1
            self.present += conn.first_device
            self.present_in[conn.room] += conn.first_device
        conn.t_welcome = now_ns
        conn.epoch, conn.seq, conn.resync = message["epoch"], message["seq"], message["resync"]
        if "protocol" in message:  # our own server's
            self._hearsay.greet(conn, message, now_ns)

    def closed(self, conn: Conn, now_ns: int, code: int | None) -> None:
        """End the record of a connection; *code* is the WebSocket close code."""
        if self._open.pop(conn.conn, None) is None:
            return
        if conn.t_welcome is not None:
            self.connected -= 1
            self.present -= conn.first_device
            self.present_in[conn.room] -= conn.first_device
        conn.t_close, conn.code = now_ns, code
        self._end_run(conn)
        self._note(conn)

    def fact(self, conn: Conn, message: CachedMessage, now_ns: int) -> bool:
        """
        Count a numbered message of a connection; return whether its arrival time measures the server's delivery.

        It does not for replays after a resume, nor for slow consumers.
        """
        if message.seq == conn.run_last + 1 and conn.run_first:
            conn.run_last = message.seq
        else:
            self._end_run(conn)
            conn.run_first = conn.run_last = message.seq
        key = (conn.room, conn.epoch or "", message.seq)
        fact = self._facts.get(key)
        if fact is None:
            self._facts[key] = Fact(conn.room, conn.epoch or "", message, now_ns, now_ns, 1)
            return True
        if fact.message is not message and fact.message.payload != message.payload:
            self._note(Differing(conn.conn, message))
        if conn.slow or conn.t_welcome is None or conn.t_welcome > fact.t_first:
            return False
        fact.t_last = now_ns
        fact.count += 1
        return True

    def take_new_facts(self) -> list[Fact]:
        """Return those of the newest messages that have arrived over more connections since the last call."""
        newest = islice(reversed(self._facts.items()), FACTS_LOOKED_AT)
        new = {key: fact for key, fact in newest if fact.count != self._told_arrivals.get(key)}
        self._told_arrivals.update((key, fact.count) for key, fact in new.items())
        return list(reversed(new.values()))

    def talked(self, conn: Conn, said: bytes, now_ns: int) -> None:
        """Count some likes that a viewer sends, or record its comment."""
        message = orjson.loads(said)
        self.likes += message.get("count", 0)
        if message["type"] == "comment":
            self.comments += 1
            self._note(SentComment(conn.conn, conn.viewer, conn.room, now_ns, message["text"]))

    def rebuked(self, conn: Conn, error: Mapping[str, Any], now_ns: int) -> None:
        """Record that the server could not use what a viewer said; that it says too much is no failure."""
        if error.get("code") == "rate_limited":
            self._note(Hushed(conn.conn, now_ns))
        else:
            self.failure("WS", "error", f"{error.get('code')}: {error.get('detail')}")

    def health(self, values: Mapping[str, Any]) -> None:
        """Record a health sample of the process itself."""
        self._note(HealthSample(values))

    def arrival(self, conn: Conn, packet: PacketId, now_ns: int, start_skew_ns: int | None) -> None:
        """Record when a connection received a packet's opening, and the error of its own countdown."""
        self._note(Arrival(conn.conn, packet, now_ns, start_skew_ns))

    def best_clock(self, server_ms: int, local_ns: int, rtt_ns: int, speed: int) -> None:
        """Offer a reading of the room clock; of each minute the one with the shortest round trip is kept."""
        if self._best is None or rtt_ns < self._best.rtt_ns:
            self._best = ClockReading(server_ms, local_ns, rtt_ns, speed)
        known = self._readings.get(minute := local_ns // READING_NS)
        if known is None or rtt_ns < known.rtt_ns:
            self._readings[minute] = ClockReading(server_ms, local_ns, rtt_ns, speed)

    def true_ns(self, room_ms: int, speed: int) -> int | None:
        """Return when room time is *room_ms* by the best reading of the process, or None without one."""
        best = self._best
        return None if best is None else best.t + (room_ms - best.server_ms) * _NS_PER_MS // speed

    def sent(
        self, conn: Conn, packet: PacketId, request_id: RequestId, *, behaviour: Behaviour, t_intended: int, now_ns: int
    ) -> SentGrab:
        """Record a grab at the instant it is handed to the socket."""
        grab = SentGrab(self._grabs, conn.conn, conn.viewer, packet, request_id, behaviour, t_intended, now_ns)
        self._grabs += 1
        self.figures.sent(grab)
        self._waiting[grab.i] = grab
        return grab

    def answered_with(self, grab: SentGrab, receipt: dict[str, Any], payload: bytes, now_ns: int) -> None:
        """Record the receipt of a grab. Latency is counted from the planned tap."""
        grab.t_reply, grab.reply, grab.payload = now_ns, receipt, payload
        self.figures.answered_with(grab)
        self.sample("WS", "grab", (now_ns - grab.t_intended) / _NS_PER_MS, len(payload))
        if receipt["status"] == ClaimStatus.UNAVAILABLE:
            self._fail("WS", "grab", "unavailable")
        del self._waiting[grab.i]
        self._note(grab)

    def answered_again(self, grab: SentGrab, receipt: dict[str, Any], payload: bytes, now_ns: int) -> None:
        """Record another receipt for an answered grab; the audit checks that it is the same."""
        again = SentGrab(
            self._grabs, grab.conn, grab.viewer, grab.packet, grab.request_id, grab.behaviour, grab.t_intended,
            grab.t_sent, t_reply=now_ns, reply=receipt, payload=payload, again=True,
        )  # fmt: skip
        self._grabs += 1
        self.figures.sent(again)
        self.figures.answered_with(again)
        self._note(again)

    def stray(self, conn: Conn, receipt: Mapping[str, Any], now_ns: int) -> None:
        """Record a receipt for a request that the connection's seat did not send; the audit decides."""
        self.failure("WS", "receipt", "for a tap that was not made")
        self._note(StrayReceipt(conn.conn, conn.viewer, now_ns, receipt))

    def unknown(self, grab: SentGrab, reason: str, waited_ms: float | None = None) -> None:
        """Record a grab without a receipt: its outcome is unknown. With a reason it counts as a failure."""
        if self._waiting.pop(grab.i, None) is None:
            return
        self._note(grab)
        self.figures.unanswered(grab)
        if reason:
            self.failure("WS", "grab", reason, waited_ms)

    def unread(self, grab: SentGrab, message: CachedMessage, now_ns: int) -> None:
        """Record a grab whose answer could not be read: it may have won or not, so that its outcome is unknown."""
        if self._waiting.pop(grab.i, None) is None:
            return
        answer = self._unread.take(grab.i, message)
        self._note(grab)
        self._note(answer)
        self.figures.unread += 1
        reason = OTHERS if answer.what == OTHERS else message.body["reason"]
        self.failure("WS", "grab", reason, (now_ns - grab.t_intended) / _NS_PER_MS)

    def sample(self, method: str, name: str, latency_ms: float, size_bytes: int = 0) -> None:
        """Count one latency of a series; negative ones, due to clock error, count as 0."""
        self._tally(method, name).add(max(0.0, latency_ms), size_bytes)

    def failure(self, method: str, name: str, reason: str, waited_ms: float | None = None) -> None:
        """Count a request of a series that failed, after *waited_ms* if that is known."""
        if waited_ms is None:
            self._tally(method, name).untimed += 1
        else:
            self.sample(method, name, waited_ms)
        self._fail(method, name, reason)

    def _fail(self, method: str, name: str, reason: str) -> None:
        """Count the failure of a request that is counted already."""
        self.failed += 1
        self._failures[(method, name, reason)] += 1

    def _tally(self, method: str, name: str) -> Tally:
        tally = self._series.get((method, name))
        if tally is None:
            tally = self._series[method, name] = Tally()
        return tally

    def take_series(self) -> tuple[dict[SeriesName, Tally], Counter[Failure]]:
        """Return the latencies and failures since the last call."""
        series, self._series = self._series, {}
        failures, self._failures = self._failures, Counter()
        return series, failures

    def flush(self, limit: int = BATCH_LINES) -> int:
        """Write up to *limit* records to the history; return how many are left."""
        batch, self._observations = self._observations[:limit], self._observations[limit:]
        if self._history is not None and batch:
            self._history.write(batch)
        return len(self._observations)

    def finish(self) -> None:
        """Write all remaining records, pending grabs as unknown, and the ``end`` line. The file stays open."""
        for grab in list(self._waiting.values()):
            self.unknown(grab, "")
        for conn in self._open.values():
            self._end_run(conn)
            self._note(conn)
        self._open.clear()
        for fact in self._facts.values():
            self._note(fact)
        self._hearsay.finish()
        for reading in self._readings.values():
            self._note(reading)
        if self.taps is not None:
            self._note(PlannedTaps(self.taps.planned, self.taps.sent, self.taps.no_packet))
        self._note(End(self._grabs, self._conns))
        while self.flush():
            pass
        if self._history is not None:
            self._history.flush()

    def _end_run(self, conn: Conn) -> None:
        if conn.run_first:
            self._note(SequenceRun(conn.conn, conn.epoch, conn.run_first, conn.run_last))
        conn.run_first = conn.run_last = 0

    def _note(self, observation: Observation) -> None:
        if self._history is not None:
            self._observations.append(observation)
