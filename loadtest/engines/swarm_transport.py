"""
One seat's connection on an event loop: a protocol around the pure viewer, without a task and without a timer.

The session (client_sim/session.py) says what goes out and what came in; the connection only moves bytes and time.
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


class House(Protocol):
    """Who holds the connections: it wakes them, and hears when they come and go."""

    def session(self, connection: "ViewerConnection") -> Session:
        """Return the session of a connection whose socket is open."""
        ...

    def arm(self, connection: "ViewerConnection", wake_ns: int) -> None:
        """Wake *connection* at *wake_ns* at the latest."""

    def opened(self, connection: "ViewerConnection", now_ns: int) -> None:
        """Take note that the handshake is done."""

    def welcomed(self, connection: "ViewerConnection") -> None:
        """Take note that its viewer is in the room."""

    def lost(self, connection: "ViewerConnection", *, failure: str) -> None:
        """Take note that it is gone; with a *failure* it was nobody's wish."""


class ViewerConnection(asyncio.Protocol):
    """
    One seat over all its connections: the same object is opened again and again.

    ``armed_ns`` is when the house will wake it; the house sets it.
    """

    __slots__ = (
        "_deadline_ns", "_dropped", "_house", "_opened", "_rests_until_ns", "_session", "_transport", "armed_ns",
        "asked_ns", "connecting", "host", "reconnect", "viewer",
    )  # fmt: skip

    def __init__(self, viewer: Viewer, house: House) -> None:
        self.viewer = viewer
        self.armed_ns = NEVER_NS
        self.asked_ns = 0  # when it began to connect, or was to
        self.host = 0  # at which of the addresses it asks
        self.connecting = False  # on the way in: counted among the house's handshakes
        self.reconnect = Reconnect(viewer.seat.number)
        self._house = house
        self._transport: asyncio.Transport | None = None
        self._session: Session | None = None
        self._deadline_ns = NEVER_NS
        self._rests_until_ns = NEVER_NS
        self._opened = False
        self._dropped = False

    @property
    def connected(self) -> bool:
        """Whether there is a socket."""
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask to be let in."""
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is one, but does not say so
        self._opened = self._dropped = False
        self._rests_until_ns = NEVER_NS
        self._session = session = self._house.session(self)
        self._deadline_ns = time.monotonic_ns() + HANDSHAKE_TIMEOUT_NS
        transport.write(session.start())
        self.data_received(b"")  # a session that nobody has to let in has something to say already
        self._rearm()

    def data_received(self, data: bytes) -> None:
        """Hand messages to the viewer, and do what it wants."""
        session = self._session
        assert session is not None
        messages = session.feed(data)
        if not self._opened:
            self._look_in(session)
        self._reply(session)
        for message in messages:
            self._hear(message)

    def eof_received(self) -> None:
        """Hear what ends with the connection, and let the transport close: nobody speaks any more."""
        if self._session is not None:
            for message in self._session.finish():
                self._hear(message)

    def connection_lost(self, _: Exception | None) -> None:
        """Tell the viewer and the house."""
        session = self._session
        assert session is not None
        code, reason = session.ending()
        failure = ""
        if not self._opened:
            rejection = session.rejection()
            failure = rejection.text
            self.viewer.turned_away(rejection.status)
        elif code not in LEFT_IN_ORDER and not self._dropped:
            failure = f"lost: {code} {reason}".rstrip()
        self._transport = self._session = None
        self._deadline_ns = NEVER_NS
        self.viewer.closed(time.monotonic_ns(), code)
        self._house.lost(self, failure=failure)

    def wake(self, now_ns: int) -> None:
        """Do what is due at *now_ns*."""
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
        """Close as people do, with a word; whoever is not in the room yet just goes."""
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
        """Close the socket without a word."""
        if self._transport is not None:
            self._dropped = True
            self._transport.abort()

    def _look_in(self, session: Session) -> None:
        """Take note that the other side has answered, once it has."""
        if session.entered and not self._opened:
            self._opened = True
            now_ns = time.monotonic_ns()
            self.viewer.opened(session, now_ns)
            self._house.opened(self, now_ns)

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
            # Who closes first keeps the port busy for a minute: that is the server's part.
            self._deadline_ns = time.monotonic_ns() + CLOSE_TIMEOUT_NS
            self._rearm()

    def _hear(self, message: CachedMessage) -> None:
        viewer = self.viewer
        if self._dropped or not viewer.connected:
            return  # it has left already
        effects = viewer.receive(message, time.monotonic_ns())
        if effects:
            self._carry_out(effects)
        if self.connecting and viewer.welcomed:
            self._deadline_ns = NEVER_NS
            self.reconnect.welcomed()
            self._house.welcomed(self)
        wake_ns = viewer.next_wakeup_ns()
        if wake_ns is not None and wake_ns < self.armed_ns:
            self._house.arm(self, wake_ns)

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
                    self._house.arm(self, until_ns)

    def _rearm(self) -> None:
        wake_ns = self.viewer.next_wakeup_ns()
        due_ns = min(self._deadline_ns, self._rests_until_ns, NEVER_NS if wake_ns is None else wake_ns)
        if due_ns < self.armed_ns:
            self._house.arm(self, due_ns)
