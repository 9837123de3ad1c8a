"""
The port between a viewer and the target: one connection without a socket, bytes in and messages out.

A shell writes ``start()`` when the socket is open, passes every read to ``feed()``, writes ``replies()`` after it, and
frames the viewer's messages. Messages have the format of this server (docs/protocol.md): the adapter of another
service translates, so that viewers, history and audit know one format.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from client_sim.message_cache import CachedMessage
from server.core.ids import PacketId, RequestId

PATIENCE_NS = 5_000_000_000  # the default receipt timeout: a person assumes by then that a tap had no effect


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason for a refused connection. ``status`` is the HTTP status of the answer, None without an answer."""

    status: int | None
    text: str


class TargetSession(Protocol):
    """
    One connection of one viewer.

    ``patience_ns`` is the receipt timeout. ``live_room``: the target takes comments, answers ``ping``, and instants are
    those of its clock; otherwise they are milliseconds of the local one. ``announces``: the target publishes the
    opening of packets. ``unmapped`` is a ``no_receipt`` that tells of the last message which may have answered a grab,
    but fits nothing that the scenario describes; None without one.
    """

    patience_ns: int
    live_room: bool
    announces: bool
    unmapped: CachedMessage | None

    @property
    def entered(self) -> bool:
        """Tell whether the target has accepted the connection."""

    @property
    def over(self) -> bool:
        """Tell whether the target has ended the connection by protocol; the shell then closes the socket."""

    def start(self) -> bytes:
        """Return the bytes to write when the socket is open."""

    def feed(self, data: bytes) -> Sequence[CachedMessage]:
        """Take received bytes and return the messages that they complete, in order."""

    def finish(self) -> Sequence[CachedMessage]:
        """Handle the end of the input, and return the messages that it completes."""

    def replies(self) -> Sequence[bytes]:
        """Return the protocol's own bytes to write now, each once."""

    def grab(self, packet_id: PacketId, request_id: RequestId) -> bytes:
        """Return the message that asks for a share."""

    def ping(self, client_ms: int) -> bytes:
        """Return the message that asks for the target's time; only for a ``live_room``."""

    def frame(self, message: bytes) -> bytes:
        """Return the wire bytes of a message; empty if ``replies`` will return it later."""

    def close(self, code: int) -> bool:
        """Start the closing handshake, once; ``replies`` returns its bytes. Return whether the target will answer."""

    def ending(self) -> tuple[int, str]:
        """Return the WebSocket close code and reason, as far as either side sent one."""

    def rejection(self) -> Refusal:
        """Return why the connection was refused, as far as that is known."""


class PlainSession:
    """A base of sessions for targets that send nothing but replies."""

    patience_ns = PATIENCE_NS
    live_room = False
    announces = False
    unmapped: CachedMessage | None = None
    entered = False
    over = False

    def start(self) -> bytes:
        """Return nothing: the viewer waits."""
        return b""

    def finish(self) -> Sequence[CachedMessage]:
        """Return nothing: no message ends with the connection."""
        return ()

    def replies(self) -> Sequence[bytes]:
        """Return nothing: the protocol needs no replies."""
        return ()

    def ping(self, client_ms: int) -> bytes:
        """Raise NotImplementedError: only a live room answers ``ping``."""
        raise NotImplementedError

    def frame(self, message: bytes) -> bytes:
        """Return the message as it is."""
        return message

    def close(self, code: int) -> bool:
        """Return False: there is no closing handshake."""
        return False

    def ending(self) -> tuple[int, str]:
        """Return 1006: no close code was sent."""
        return 1006, ""

    def rejection(self) -> Refusal:
        """Return a rejection without a known reason."""
        return Refusal(None, "closed before the viewer was let in")
