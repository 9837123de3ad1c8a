"""
One seat's connection on an event loop: an asyncio protocol for a pure viewer, without a task or a timer.

The session (client_sim/session.py) encodes and decodes; the connection only moves bytes and passes the time.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol, cast

from client_sim.effects import Drop, Effect, Rest, Send
from client_sim.frames import NORMAL
from client_sim.message_cache import CachedMessage
from client_sim.reconnect import LEFT_IN_ORDER, Reconnect
from client_sim.session import Session
from client_sim.viewer import Viewer

NEVER_NS = 2**63 - 1
HANDSHAKE_TIMEOUT_NS = 10_000_000_000
CLOSE_TIMEOUT_NS = 2_000_000_000  # how long to wait for the server's side of the close
_NS_PER_MS = 1_000_000


class ConnectionPool(Protocol):
    """The owner of the connections: it wakes them and handles their start and end."""

    def session(self, connection: "ViewerConnection") -> Session:
        """Return the session of a connection whose socket is open."""
        ...

    def arm(self, connection: "ViewerConnection", wake_ns: int) -> None:
        """Wake *connection* at *wake_ns* at the latest."""

    def opened(self, connection: "ViewerConnection", now_ns: int) -> None:
        """Handle a finished handshake."""

    def welcomed(self, connection: "ViewerConnection") -> None:
        """Handle the viewer's welcome to the room."""

    def lost(self, connection: "ViewerConnection", *, failure: str) -> None:
        """Handle the end of the connection; *failure* is the reason if it was not intended, else empty."""


class ViewerConnection(asyncio.Protocol):
    """
    One seat over all its connections: the same object is reconnected again and again.

    ``armed_ns`` is when the pool will wake it; the pool sets it.
    """

    __slots__ = (
        "_deadline_ns",
        "_dropped",
        "_opened",
        "_pool",
        "_rests_until_ns",
        "_session",
        "_transport",
        "armed_ns",
        "asked_ns",
        "connecting",
        "host",
        "reconnect",
        "viewer",
    )  # fmt: skip

    def __init__(self, viewer: Viewer, pool: ConnectionPool) -> None:
        self.viewer = viewer
        self.armed_ns = NEVER_NS
        self.asked_ns = 0  # when it began to connect, or should have
        self.host = 0  # index of the address it connects to
        self.connecting = False  # counted among the pool's handshakes in flight
        self.reconnect = Reconnect(viewer.seat.number)
        self._pool = pool
        self._transport: asyncio.Transport | None = None
        self._session: Session | None = None
        self._deadline_ns = NEVER_NS
        self._rests_until_ns = NEVER_NS
        self._opened = False
        self._dropped = False

    @property
    def connected(self) -> bool:
        """Tell whether there is a socket."""
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the handshake."""
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's does not subclass it
        self._opened = self._dropped = False
        self._rests_until_ns = NEVER_NS
        self._session = session = self._pool.session(self)
        self._deadline_ns = time.monotonic_ns() + HANDSHAKE_TIMEOUT_NS
        transport.write(session.start())
        self.data_received(b"")  # a session without a handshake is entered already
        self._rearm()

    def data_received(self, data: bytes) -> None:
        """Pass messages to the viewer, and carry out its effects."""
        session = self._session
        assert session is not None
        messages = session.feed(data)
        if not self._opened:
            self._look_in(session)
        self._reply(session)
        for message in messages:
            self._take_message(message)

    def eof_received(self) -> None:
        """Take the messages that the end completes, and let the transport close."""
        if self._session is not None:
            for message in self._session.finish():
                self._take_message(message)

    def connection_lost(self, _: Exception | None) -> None:
        """Report the end of the connection to the viewer and the pool."""
        session = self._session
        assert session is not None
        code, reason = session.ending()
        failure = ""
        if not self._opened:
            rejection = session.rejection()
            failure = rejection.text
            self.viewer.rejected(rejection.status)
        elif code not in LEFT_IN_ORDER and not self._dropped:
            failure = f"lost: {code} {reason}".rstrip()
        self._transport = self._session = None
        self._deadline_ns = NEVER_NS
        self.viewer.closed(time.monotonic_ns(), code)
        self._pool.lost(self, failure=failure)

    def wake(self, now_ns: int) -> None:
        """Carry out the viewer's actions due at *now_ns*."""
        if self._transport is None:
            return
        if now_ns >= self._deadline_ns:
            self._deadline_ns = NEVER_NS
            self._transport.abort()
            return
        if now_ns >= self._rests_until_ns:
            self._rests_until_ns = NEVER_NS
            self._transport.resume_reading()
        wake_ns = self.viewer.next_wakeup_ns()
        if wake_ns is not None and wake_ns <= now_ns:
            self._carry_out(self.viewer.wake(now_ns))
        self._rearm()

    def leave(self) -> None:
        """Close with a close frame; without one if the viewer is not in the room yet."""
        self.viewer.closed(time.monotonic_ns(), NORMAL)
        transport = self._transport
        if transport is None:
            return
        if not self._opened:
            transport.abort()
            return
        if self._rests_until_ns != NEVER_NS:
            self._rests_until_ns = NEVER_NS
            transport.resume_reading()
        assert self._session is not None
        if self._session.close(NORMAL):
            self._reply(self._session)
        else:
            transport.close()

    def abandon(self) -> None:
        """Close the socket without a close frame."""
        if self._transport is not None:
            self._dropped = True
            self._transport.abort()

    def _look_in(self, session: Session) -> None:
        """Report the finished handshake, once."""
        if session.entered and not self._opened:
            self._opened = True
            now_ns = time.monotonic_ns()
            self.viewer.opened(session, now_ns)
            self._pool.opened(self, now_ns)

    def _reply(self, session: Session) -> None:
        if self._transport is None:
            return
        for data in session.replies():
            self._transport.write(data)
        if not session.over:
            return
        if not self._opened:
            self._transport.abort()
        elif self._deadline_ns == NEVER_NS:
            # The side that closes first holds the port in TIME_WAIT: that should be the server.
            self._deadline_ns = time.monotonic_ns() + CLOSE_TIMEOUT_NS
            self._rearm()

    def _take_message(self, message: CachedMessage) -> None:
        viewer = self.viewer
        if self._dropped or not viewer.connected:
            return  # it has left already
        effects = viewer.receive(message, time.monotonic_ns())
        if effects:
            self._carry_out(effects)
        if self.connecting and viewer.welcomed:
            self._deadline_ns = NEVER_NS
            self.reconnect.welcomed()
            self._pool.welcomed(self)
        wake_ns = viewer.next_wakeup_ns()
        if wake_ns is not None and wake_ns < self.armed_ns:
            self._pool.arm(self, wake_ns)

    def _carry_out(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            if self._transport is None or self._dropped:
                return
            match effect:
                case Send(payload):
                    assert self._session is not None
                    if data := self._session.frame(payload):
                        self._transport.write(data)
                case Drop():
                    self.abandon()
                case Rest(until_ns):
                    self._rests_until_ns = until_ns
                    self._transport.pause_reading()
                    self._pool.arm(self, until_ns)

    def _rearm(self) -> None:
        wake_ns = self.viewer.next_wakeup_ns()
        due_ns = min(self._deadline_ns, self._rests_until_ns, NEVER_NS if wake_ns is None else wake_ns)
        if due_ns < self.armed_ns:
            self._pool.arm(self, due_ns)
