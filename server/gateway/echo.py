"""The echo at ``/ws/echo``: the frames of a room's connection without a room, for conformance suites and load labs."""

import asyncio
from typing import Final

from websockets.frames import Frame, Opcode

from server.gateway import frames
from server.gateway.codec import Codec
from server.gateway.frame_connection import ConnectionState, FrameConnection

ECHO_BYTES_MAX: Final = 1 << 24  # the largest message that the Autobahn suite sends


class EchoConnection(FrameConnection):
    """Answers each message with itself."""

    __slots__ = ()

    def take_over(self, transport: asyncio.Transport, accepted: bytes) -> None:
        """Answer the handshake with the *accepted* response, and everything after it."""
        self.connection_made(transport)
        transport.set_protocol(self)
        self._gateway.keepalive.add(self)
        self._state = ConnectionState.OPEN
        self._plain = True
        self.write(accepted)

    def shutdown(self) -> None:
        """Close because the server shuts down."""
        self.close(frames.SERVICE_RESTART, "the server is shutting down")

    def pause_writing(self) -> None:
        """Read no more from a peer that does not read."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Read again."""
        self._transport.resume_reading()

    @property
    def _message_bytes_max(self) -> int:
        return ECHO_BYTES_MAX

    def _receive_text(self, payload: bytes) -> None:
        try:
            payload.decode()
        except UnicodeDecodeError:
            self.close(frames.INVALID_DATA, "a text must be UTF-8")
        else:
            self.write(frames.text_frame(payload))

    def _take_frame(self, codec: Codec, frame: Frame) -> None:
        whole = codec.message(frame)
        if whole is None:
            return
        kind, payload = whole
        if kind is Opcode.TEXT:
            self._receive_text(payload)
        else:
            self.write(frames.binary_frame(payload))

    def _spend_on_control_frame(self) -> None:
        """Count nothing: whoever has an echo is of this machine."""

    def _leave(self) -> None:
        self._gateway.keepalive.remove(self)
