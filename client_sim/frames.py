"""
Client-side WebSocket frames without a socket: small text by hand, the rest by websockets' Sans-I/O layer.

The Sans-I/O layer gets only whole frames; a partial frame is buffered here, so the two always agree on the position
in the stream. The layer is created when needed and dropped when it holds no state.
"""

from random import Random

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without the C extension
    from websockets.utils import apply_mask

MESSAGE_BYTES_MAX = 1_048_576  # a bigger message is not from our server
NORMAL, ABNORMAL = 1000, 1006
FINAL_TEXT = 0x81
SMALL_MAX = 125  # bytes of payload whose frame has a header of two

_MASKED = 0x80
_URI = parse_uri("ws://localhost/")  # required by the layer, although the handshake is already done
_masks = Random()  # need not be unpredictable: masks protect proxies from chosen bytes, and these bytes are ours


def text_frame(payload: bytes) -> bytes:
    """Return one masked final text frame. At most 65,535 bytes of payload."""
    size = len(payload)
    mask = _masks.getrandbits(32).to_bytes(4, "big")
    if size <= SMALL_MAX:
        return bytes((FINAL_TEXT, _MASKED | size)) + mask + apply_mask(payload, mask)
    assert size < 65_536
    return bytes((FINAL_TEXT, _MASKED | 126)) + size.to_bytes(2, "big") + mask + apply_mask(payload, mask)


def whole_text(data: bytes) -> bytes | None:
    """Return the payload if *data* is exactly one unmasked final text frame of at most 65,535 bytes, else None."""
    size = len(data)
    if size < 2 or data[0] != FINAL_TEXT:
        return None
    head = data[1]
    if head == size - 2 and head <= SMALL_MAX:
        return data[2:]
    if head == 126 and size > 4 and data[2] << 8 | data[3] == size - 4:
        return data[4:]
    return None


class Frames:
    """The bytes of one connection that are no whole message yet, and the state of its close."""

    __slots__ = ("_buffer", "_parts", "_protocol")

    def __init__(self) -> None:
        self._buffer = b""
        self._parts: list[bytes] | None = None  # of a fragmented message
        self._protocol: ClientProtocol | None = None

    @property
    def idle(self) -> bool:
        """Tell whether nothing is buffered, so that the instance may be dropped."""
        return not self._buffer and self._parts is None and self._protocol is None

    @property
    def over(self) -> bool:
        """Tell whether the server has closed, or has violated the WebSocket protocol."""
        protocol = self._protocol
        return protocol is not None and (protocol.close_rcvd is not None or protocol.parser_exc is not None)

    def feed(self, data: bytes) -> list[bytes]:
        """Take received bytes and return the messages that they complete, in order; then send ``replies``."""
        buffer, at, messages = self._buffer + data if self._buffer else data, 0, []
        while (size := _frame_size(buffer, at)) is not None:
            end = at + size
            if size <= MESSAGE_BYTES_MAX and end > len(buffer):
                break
            head = buffer[at + 1]
            if buffer[at] == FINAL_TEXT and head <= 126 and self._parts is None and not self.over:
                messages.append(buffer[at + (2 if head < 126 else 4) : end])
            else:
                self._take_frame(buffer[at:end], messages)
            at = end
        self._buffer = buffer[at:]
        return messages

    def replies(self) -> list[bytes]:
        """Return the bytes to write now: answers to pings and to a close."""
        protocol = self._protocol
        if protocol is None:
            return []
        replies = [data for data in protocol.data_to_send() if data]
        if self._parts is None and protocol.state is State.OPEN and not self.over:
            self._protocol = None
        return replies

    def close(self, code: int) -> None:
        """Queue a close frame, once; ``replies`` returns it."""
        protocol = self._layer()
        if protocol.state is State.OPEN:
            protocol.send_close(code)

    def ending(self) -> tuple[int, str]:
        """Return the close code and reason of the connection, as far as either side sent one."""
        protocol = self._protocol
        close = None if protocol is None else protocol.close_rcvd or protocol.close_sent
        return (ABNORMAL, "") if close is None else (close.code, close.reason)

    def answered_code(self) -> int:
        """Return the server's close code, 1006 without one."""
        protocol = self._protocol
        return ABNORMAL if protocol is None or protocol.close_rcvd is None else protocol.close_rcvd.code

    def _layer(self) -> ClientProtocol:
        if self._protocol is None:
            self._protocol = ClientProtocol(_URI, state=State.OPEN, max_size=MESSAGE_BYTES_MAX)
        return self._protocol

    def _take_frame(self, frame: bytes, messages: list[bytes]) -> None:
        """Pass a frame that is not small text to the Sans-I/O layer: fragments, control frames, invalid frames."""
        protocol = self._layer()
        protocol.receive_data(frame)
        for event in protocol.events_received():
            assert isinstance(event, Frame)
            if event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._parts = self._parts or []
                self._parts.append(bytes(event.data))
                if event.fin:
                    messages.append(b"".join(self._parts))
                    self._parts = None


def _frame_size(buffer: bytes, at: int) -> int | None:
    """Return the size in bytes of the frame at *at*, with its header, or None if the header is incomplete."""
    left = len(buffer) - at
    if left < 2:
        return None
    head = buffer[at + 1]
    size = head & 0x7F
    mask = 4 if head & _MASKED else 0
    if size < 126:
        return 2 + mask + size
    if size == 126:
        return None if left < 4 else 4 + mask + int.from_bytes(buffer[at + 2 : at + 4], "big")
    return None if left < 10 else 10 + mask + int.from_bytes(buffer[at + 2 : at + 10], "big")
