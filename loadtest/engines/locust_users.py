"""Locust's users: one greenlet and one socket per pure viewer."""

import time
from collections.abc import Sequence
from typing import Any, ClassVar

import gevent
from locust import User, task
from locust.exception import StopUser

from client_sim.effects import Drop, Effect, Rest, Send
from client_sim.frames import ABNORMAL, NORMAL
from client_sim.reconnect import LEFT_IN_ORDER, Reconnect
from client_sim.viewer import Viewer
from loadtest.engines.audience import Audience
from loadtest.engines.locust_transport import Connection, ConnectionFailed, ConnectionOver, connect
from loadtest.targets.port import NotAdmitted

WELCOME_TIMEOUT_S = 10.0
CURTAIN_LOOK_S = 0.5  # how often viewers of a target without announcements check the curtain
LAST_RECEIPTS_S = 6.0  # how long a leaving viewer waits for pending receipts: more than its usual patience
_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1_000_000


class _Dropped(ConnectionOver):
    """The viewer itself has dropped its connection: no failure."""


class ViewerUser(User):
    """One seat. It decides nothing: it connects, passes messages to and from its viewer, and reconnects."""

    audience: ClassVar[Audience | None] = None
    viewers: ClassVar[list[Viewer]] = []
    _viewer: Viewer | None = None
    _connection: Connection | None = None
    _was_welcomed = False

    @task
    def watch(self) -> None:
        """Stay in the room until the run ends."""
        audience = type(self).audience
        if audience is None or audience.ending:
            raise StopUser
        wait_s = audience.next_arrival_s()
        viewer = self._viewer = audience.take_seat()
        gevent.sleep(wait_s or 0.0)
        self.viewers.append(viewer)
        reconnect = Reconnect(viewer.seat.number)
        while not audience.ending:
            self._visit(audience, viewer, reconnect)
            if self._was_welcomed:
                reconnect.welcomed()
            gevent.sleep(reconnect.next_pause_s())
        raise StopUser

    @classmethod
    def announce(cls, packets: Sequence[dict[str, Any]]) -> None:
        """Announce packets to every viewer."""
        for viewer in cls.viewers:
            viewer.announce(packets, time.monotonic_ns())

    def on_stop(self) -> None:
        """Wait briefly for the last receipts, and close the connection."""
        viewer, connection = self._viewer, self._connection
        if viewer is None or connection is None:
            return
        self._connection = None
        viewer.leave(time.monotonic_ns())
        try:
            self._wait_for_receipts(viewer, connection)
            viewer.closed(time.monotonic_ns(), NORMAL)
            connection.close(NORMAL)
        except ConnectionOver as over:
            viewer.closed(time.monotonic_ns(), over.code)
        finally:
            connection.abandon()

    def _visit(self, audience: Audience, viewer: Viewer, reconnect: Reconnect) -> None:
        """Connect once and stay until the connection ends."""
        self._was_welcomed = False
        recorder = audience.recorder
        started_ns = time.monotonic_ns()
        try:
            target = audience.target
            if target.needs_admission:
                target.admit(viewer)
            address = target.addresses[reconnect.next_host(len(target.addresses))]
            session = target.session(viewer, address)
            connection = connect(address, session)
        except (ConnectionFailed, NotAdmitted) as failed:
            viewer.rejected(failed.status)
            waited_ms = (time.monotonic_ns() - started_ns) / _NS_PER_MS
            recorder.failure("WS", "connect", str(failed), waited_ms)
            return
        opened_ns = time.monotonic_ns()
        recorder.sample("WS", "connect", (opened_ns - started_ns) / _NS_PER_MS)
        self._connection = connection
        viewer.opened(session, opened_ns)
        try:
            self._stay(audience, viewer, connection)
        except ConnectionOver as over:
            self._connection = None
            connection.abandon()
            viewer.closed(time.monotonic_ns(), over.code)
            if over.code not in LEFT_IN_ORDER and not isinstance(over, _Dropped):
                recorder.failure("WS", "connect", f"lost: {over}")

    def _stay(self, audience: Audience, viewer: Viewer, connection: Connection) -> None:
        self._wait_for_welcome(viewer, connection)
        self._was_welcomed = True
        rests_until_ns = 0
        while True:
            wake_ns = viewer.next_wakeup_ns()
            now_ns = time.monotonic_ns()
            if wake_ns is not None and wake_ns <= now_ns:
                rests_until_ns = max(rests_until_ns, _carry_out(viewer.wake(now_ns), connection))
            elif now_ns < rests_until_ns:
                until_ns = rests_until_ns if wake_ns is None else min(wake_ns, rests_until_ns)
                gevent.sleep((until_ns - now_ns) / _NS_PER_S)
            else:
                timeout_s = None if wake_ns is None else (wake_ns - now_ns) / _NS_PER_S
                if audience.waits_for_curtain:
                    timeout_s = CURTAIN_LOOK_S if timeout_s is None else min(timeout_s, CURTAIN_LOOK_S)
                rests_until_ns = max(rests_until_ns, _receive(viewer, connection, timeout_s))

    @staticmethod
    def _wait_for_welcome(viewer: Viewer, connection: Connection) -> None:
        deadline_ns = time.monotonic_ns() + int(WELCOME_TIMEOUT_S * _NS_PER_S)
        while not viewer.welcomed:
            left_ns = deadline_ns - time.monotonic_ns()
            if left_ns <= 0:
                raise ConnectionOver(1006, "no welcome")
            _receive(viewer, connection, left_ns / _NS_PER_S)

    @staticmethod
    def _wait_for_receipts(viewer: Viewer, connection: Connection) -> None:
        deadline_ns = time.monotonic_ns() + int(LAST_RECEIPTS_S * _NS_PER_S)
        while viewer.waiting and (left_ns := deadline_ns - time.monotonic_ns()) > 0:
            _receive(viewer, connection, left_ns / _NS_PER_S)


def _receive(viewer: Viewer, connection: Connection, timeout_s: float | None) -> int:
    """Receive once; return until when the viewer then pauses reading, 0 if it goes on."""
    rests_until_ns = 0
    for message in connection.recv(timeout_s):
        effects = viewer.receive(message, time.monotonic_ns())
        if effects:
            rests_until_ns = max(rests_until_ns, _carry_out(effects, connection))
    return rests_until_ns


def _carry_out(effects: Sequence[Effect], connection: Connection) -> int:
    rests_until_ns = 0
    for effect in effects:
        match effect:
            case Send(payload):
                connection.send(payload)
            case Drop():
                raise _Dropped(ABNORMAL, "")
            case Rest(until_ns):
                rests_until_ns = until_ns
    return rests_until_ns
