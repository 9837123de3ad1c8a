"""One WebSocket connection: frames in and out, and its end. A plain asyncio protocol without a task."""

import asyncio
from enum import IntEnum
from typing import Any, cast

from websockets.frames import Frame, Opcode

from server.gateway import frames
from server.gateway.codec import Codec
from server.gateway.fanout import Write
from server.gateway.gateway import Gateway


class ConnectionState(IntEnum):
    """The stages of a connection, in order."""

    NEW = 0  # the request has not arrived yet
    ENTERING = 1  # the room is being looked up; data that arrives before our 101 is lost
    OPEN = 2
    DRAINING = 3  # the server is shutting down: receipts still go out, no input is read
    CLOSING = 4  # our last byte is written; the peer has a moment to answer
    LOST = 5


class FrameConnection(asyncio.Protocol):
    """
    The frames of one connection; what the messages in them mean is its subclass's.

    A read that is exactly one small text frame is parsed by hand (``_plain``: open, nothing buffered, no message
    begun); for everything else a Codec is made, and dropped when it is empty again.
    """

    __slots__ = ("_codec", "_gateway", "_plain", "_registry", "_state", "_transport", "quiet", "write")

    quiet: int
    write: Write

    def __init__(self, gateway: Gateway, registry: set[Any]) -> None:
        self._gateway = gateway
        self._registry = registry
        self._state = ConnectionState.NEW
        self._plain = False
        self._codec: Codec | None = None
        self.quiet = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the connection of an upgrade request."""
        self._transport = cast(asyncio.Transport, transport)
        self.write = self._transport.write
        self._registry.add(self)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes; this is the hot path of a stampede."""
        self.quiet = 0
        if self._plain:
            payload = frames.small_text(data)
            if payload is not None:
                self._receive_text(payload)
            elif frames.is_small_pong(data):
                self._spend_on_control_frame()
            else:
                self._read(data)
        elif self._state is ConnectionState.OPEN:
            self._read(data)
        elif self._state is ConnectionState.NEW:
            self._read_handshake(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Release everything that belongs to the connection."""
        self._leave()
        self._gateway.keepalive.closings.met(self)
        self._registry.discard(self)
        self._state = ConnectionState.LOST
        self._plain = False
        self._codec = None
        self.write = _discard

    @property
    def parsing(self) -> bool:
        """Return whether a codec is held because something was read that is not one plain frame."""
        return self._codec is not None

    def ping(self) -> None:
        """Ping a silent viewer."""
        self.write(frames.PING)

    def abort(self) -> None:
        """Abort the connection."""
        self._transport.abort()

    def close(self, code: int, reason: str) -> None:
        """Send a close frame with the reason, and close."""
        if self._state in (ConnectionState.OPEN, ConnectionState.DRAINING):
            self._finish(frames.close_frame(code, reason))

    def _read_handshake(self, data: bytes) -> None:
        """Read the opening request."""
        raise NotImplementedError

    def _receive_text(self, payload: bytes) -> None:
        """Take a text message, of which a small one is not checked to be UTF-8."""
        raise NotImplementedError

    def _take_frame(self, codec: Codec, frame: Frame) -> None:
        """Take a frame that the codec has parsed."""
        raise NotImplementedError

    def _spend_on_control_frame(self) -> None:
        """Count a frame that carries no message, or only a part of one."""
        raise NotImplementedError

    def _leave(self) -> None:
        """Release what belongs to the connection, at its end."""
        raise NotImplementedError

    @property
    def _message_bytes_max(self) -> int:
        return self._gateway.limits.frame_bytes_max

    def _read(self, data: bytes) -> None:
        """Parse input that is not one plain frame."""
        codec = self._codec or Codec(self._message_bytes_max)
        self._codec = codec
        self._plain = False
        received = codec.feed(data)
        replies = codec.replies()
        for frame in received:
            if self._state is ConnectionState.OPEN:
                if frame.opcode is Opcode.PING and replies:
                    self.write(replies.pop(0))  # in the order of arrival
                self._take_frame(codec, frame)
        if self._state is not ConnectionState.OPEN:
            return
        if codec.failed:
            self._gateway.metrics.malformed += bool(codec.failure)
            self._finish(b"".join(replies))
            return
        if codec.empty:
            self._codec = None
            self._plain = True

    def _finish(self, last_bytes: bytes) -> None:
        """Write the last bytes and half-close, so that they arrive even if the peer is still sending."""
        self._leave()
        self._state = ConnectionState.CLOSING
        self._plain = False
        self._codec = None
        self.write = _discard
        self._transport.write(last_bytes)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:
            self._transport.close()
        self._gateway.keepalive.closings.set(self)


def _discard(_: bytes) -> None:
    """Replace a closed connection's write: receipts for it may still be pending."""
