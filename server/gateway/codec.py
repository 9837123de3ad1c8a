"""Parse split, joined, fragmented, control and invalid frames. A codec exists only while there are such frames."""

import logging
from typing import Final

from websockets.exceptions import PayloadTooBig, ProtocolError
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

# The library logs requests at debug level, with the viewer's name in the query; our logs must not name viewers.
SILENT: Final = logging.getLogger("redrain.websockets")
SILENT.setLevel(logging.WARNING)


class Codec:
    """
    One connection's parser while it is needed: the library's state machine and the message received so far.

    It compares the bytes it was fed with the wire size of the frames it returned, to know when its buffer is empty. A
    peer that encodes lengths in more bytes than needed only keeps its codec longer.
    """

    __slots__ = ("_fed", "_kind", "_message", "_protocol")

    def __init__(self, frame_bytes_max: int) -> None:
        self._protocol = ServerProtocol(state=OPEN, max_size=frame_bytes_max, logger=SILENT)
        self._message: bytearray | None = None
        self._kind = Opcode.TEXT
        self._fed = 0

    @property
    def empty(self) -> bool:
        """Return whether all input has been returned as whole messages, so that this codec may be dropped."""
        return self._fed == 0 and self._message is None and self._protocol.state is OPEN

    @property
    def failed(self) -> bool:
        """Return whether the connection is over: a close was answered, or the peer broke the protocol."""
        return self._protocol.state is not OPEN

    @property
    def failure(self) -> str:
        """Return a stable word for how the peer broke the protocol, or "" if it did not."""
        match self._protocol.parser_exc:
            case None:
                return ""
            case PayloadTooBig():
                return "too_big"
            case UnicodeDecodeError():
                return "bad_utf8"
            case ProtocolError():
                return "bad_frame"
            case _:
                return "broken"

    def feed(self, data: bytes) -> list[Frame]:
        """Take what was read and return the frames that are complete, control frames too."""
        self._fed += len(data)
        self._protocol.receive_data(data)
        frames = [event for event in self._protocol.events_received() if isinstance(event, Frame)]
        self._fed -= sum(_bytes_on_wire(frame) for frame in frames)
        return frames

    def message(self, frame: Frame) -> tuple[Opcode, bytes] | None:
        """Return the message that *frame* completes, text or binary, or None: part of one, or a control frame."""
        if frame.opcode is Opcode.TEXT or frame.opcode is Opcode.BINARY:
            if frame.fin:
                return frame.opcode, bytes(frame.data)
            self._kind = frame.opcode
            self._message = bytearray(frame.data)
        elif frame.opcode is Opcode.CONT and self._message is not None:
            self._message += frame.data
            if frame.fin:
                message, self._message = bytes(self._message), None
                return self._kind, message
        return None

    def replies(self) -> list[bytes]:
        """Return the protocol's own replies: a pong for each ping, the answer to a close, the close after an error."""
        return self._protocol.data_to_send()


def _bytes_on_wire(frame: Frame) -> int:
    length = len(frame.data)
    extended = 0 if length < 126 else 2 if length < 1 << 16 else 8
    return 2 + extended + 4 + length
