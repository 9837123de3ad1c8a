"""
WebSocket frames of a viewer's side, without a socket: small text by hand, the rest by websockets' Sans-I/O layer.

Bytes reach the Sans-I/O layer only as whole frames, so half a frame waits here and the two never disagree about where
they stand. The layer is made when something needs it and dropped when it holds nothing any more.
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
_URI = parse_uri("ws://localhost/")  # what the layer wants for a handshake that is over when it is made
_masks = Random()  # masks protect proxies from chosen bytes; a load generator's bytes are its own


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
    """What came over one connection and is no whole message yet, and the state of its close."""

    __slots__ = ("_buffer", "_parts", "_protocol")

    def __init__(self) -> None:
        self._buffer = b""
        self._parts: list[bytes] | None = None  # of a fragmented message
        self._protocol: ClientProtocol | None = None

    @property
    def idle(self) -> bool:
        """Whether nothing is kept, so that another instance would do as well."""
        return not self._buffer and self._parts is None and self._protocol is None

    @property
    def over(self) -> bool:
        """Whether the other side has closed, or has said what no WebSocket may say."""
        protocol = self._protocol
        return protocol is not None and (protocol.close_rcvd is not None or protocol.parser_exc is not None)

    def feed(self, data: bytes) -> list[bytes]:
        """Take what came and return the messages that end in it, in order. See ``replies`` for what to answer."""
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
        """Return what is to be written now: answers to pings and to a close."""
        protocol = self._protocol
        if protocol is None:
            return []
        replies = [data for data in protocol.data_to_send() if data]
        if self._parts is None and protocol.state is State.OPEN and not self.over:
            self._protocol = None
        return replies

    def close(self, code: int) -> None:
        """Say goodbye, once: ``replies`` has it then."""
        protocol = self._layer()
        if protocol.state is State.OPEN:
            protocol.send_close(code)

    def ending(self) -> tuple[int, str]:
        """Return the code and the reason that the connection ended with, as far as anybody said one."""
        protocol = self._protocol
        close = None if protocol is None else protocol.close_rcvd or protocol.close_sent
        return (ABNORMAL, "") if close is None else (close.code, close.reason)

    def answered_code(self) -> int:
        """Return the close code of the other side, 1006 without one."""
        protocol = self._protocol
        return ABNORMAL if protocol is None or protocol.close_rcvd is None else protocol.close_rcvd.code

    def _layer(self) -> ClientProtocol:
        if self._protocol is None:
            self._protocol = ClientProtocol(_URI, state=State.OPEN, max_size=MESSAGE_BYTES_MAX)
        return self._protocol

    def _take_frame(self, frame: bytes, messages: list[bytes]) -> None:
        """Let the Sans-I/O layer judge a frame that is not small text: fragments, control frames, and nonsense."""
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
    """Return how many bytes the frame that begins at *at* has, header and all, or None if its header is not there."""
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
