"""
The port between a viewer and what is under test: one connection without a socket, bytes in and messages out.

A shell writes ``start()`` when the socket is open, hands every read to ``feed()``, writes ``replies()`` after it, and
frames what its viewer sends. Messages have the form of this server's (docs/protocol.md): an adapter of another
service translates, so that viewers, history and audit know one language.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from client_sim.message_cache import CachedMessage
from server.core.ids import PacketId, RequestId

PATIENCE_NS = 5_000_000_000  # after so long without a receipt a person believes that nothing came of a tap


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a connection was not let in. ``status`` is the HTTP status that answered, None if there was no answer."""

    status: int | None
    text: str


class Session(Protocol):
    """
    One connection of one viewer.

    ``patience_ns`` is how long the viewer waits for a receipt. ``live_room``: the other side takes comments and
    answers ``ping``, and instants are those of its clock; otherwise they are milliseconds of the local one.
    ``announces``: it says by itself when a packet opens.
    """

    patience_ns: int
    live_room: bool
    announces: bool

    @property
    def entered(self) -> bool:
        """Whether the other side has let the viewer in."""

    @property
    def over(self) -> bool:
        """Whether the other side has ended the connection in words; the socket is to be closed soon."""

    def start(self) -> bytes:
        """Return what is to be written when the socket is open."""

    def feed(self, data: bytes) -> Sequence[CachedMessage]:
        """Take what was read and return the messages that end in it, in order."""

    def finish(self) -> Sequence[CachedMessage]:
        """Take note that nothing more will be read, and return the messages that end with that."""

    def replies(self) -> Sequence[bytes]:
        """Return what is to be written now without the viewer's doing, each once."""

    def grab(self, packet_id: PacketId, request_id: RequestId) -> bytes:
        """Return the message that asks for a share."""

    def ping(self, client_ms: int) -> bytes:
        """Return the message that asks for the other side's time; only of a ``live_room``."""

    def frame(self, message: bytes) -> bytes:
        """Return a message as it goes onto the wire; empty if it has to wait for ``replies``."""

    def close(self, code: int) -> bool:
        """Say goodbye, once: ``replies`` has it then. Return whether the other side will answer it."""

    def ending(self) -> tuple[int, str]:
        """Return the WebSocket close code and reason of the end, as far as anybody said one."""

    def rejection(self) -> Rejection:
        """Return why the viewer was not let in, as far as that is known."""


class PlainSession:
    """What a session does where the other side says nothing by itself: the beginning of one of your own."""

    patience_ns = PATIENCE_NS
    live_room = False
    announces = False
    entered = False
    over = False

    def start(self) -> bytes:
        """Return nothing: the viewer waits."""
        return b""

    def finish(self) -> Sequence[CachedMessage]:
        """Return nothing: no message ends with the connection."""
        return ()

    def replies(self) -> Sequence[bytes]:
        """Return nothing: nothing is to be answered."""
        return ()

    def ping(self, client_ms: int) -> bytes:
        """Nobody but a live room is asked for its time."""
        raise NotImplementedError

    def frame(self, message: bytes) -> bytes:
        """Return the message as it is."""
        return message

    def close(self, code: int) -> bool:
        """Go without a word."""
        return False

    def ending(self) -> tuple[int, str]:
        """Return that nobody said anything."""
        return 1006, ""

    def rejection(self) -> Rejection:
        """Return that nobody said why."""
        return Rejection(None, "closed before the viewer was let in")
