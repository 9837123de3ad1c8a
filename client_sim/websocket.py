"""
The client side of one WebSocket without a socket: the handshake, then frames.

A read that is exactly one text frame, as nearly all are, becomes a message by slicing; everything else goes
through client_sim/frames.py, which is created when needed and dropped when it holds no state.
"""

import base64
import secrets
from collections.abc import Mapping, Sequence

from websockets.utils import accept_key

from client_sim.frames import ABNORMAL, Frames, text_frame, whole_text
from client_sim.message_cache import CachedMessage
from client_sim.session import PATIENCE_NS, Refusal
from server.core.ids import PacketId, RequestId

HEAD_BYTES_MAX = 16_384  # of the answer to the handshake


class WebSocketSession:
    """The common part of all WebSocket targets' sessions; a subclass encodes and decodes messages."""

    __slots__ = ("_accept", "_entered", "_frames", "_head", "_headers", "_netloc", "_path", "_refused")

    patience_ns: int = PATIENCE_NS
    live_room: bool = False
    announces: bool = False
    unmapped: CachedMessage | None = None

    def __init__(self, netloc: str, path: str, headers: Mapping[str, str]) -> None:
        self._netloc = netloc
        self._path = path
        self._headers = headers
        self._accept: bytes | None = None  # the expected Sec-WebSocket-Accept, until the handshake is done
        self._head = b""  # the handshake response received so far
        self._entered = False
        self._refused = False
        self._frames: Frames | None = None

    def read(self, payload: bytes) -> CachedMessage:
        """Return the message in one text or binary payload. Raises ValueError if it is none."""
        raise NotImplementedError

    def grab(self, packet_id: PacketId, request_id: RequestId) -> bytes:
        """Return the message that asks for a share."""
        raise NotImplementedError

    def ping(self, client_ms: int) -> bytes:
        """Return the message that asks for the time."""
        raise NotImplementedError

    @property
    def entered(self) -> bool:
        """Tell whether the handshake is done."""
        return self._entered

    @property
    def over(self) -> bool:
        """Tell whether the server has closed, refused the handshake, or violated the WebSocket protocol."""
        return self._refused or (self._frames is not None and self._frames.over)

    def start(self) -> bytes:
        """Return the handshake request."""
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self._accept = accept_key(key).encode()
        self._frames = Frames()
        more = "".join(f"{name}: {value}\r\n" for name, value in self._headers.items())
        return (
            f"GET {self._path} HTTP/1.1\r\nHost: {self._netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
        ).encode()

    def feed(self, data: bytes) -> Sequence[CachedMessage]:
        """Take received bytes and return the messages that they complete, in order."""
        if self._frames is None:
            payload = whole_text(data)
            if payload is not None:
                return (self.message(payload),)
            self._frames = Frames()
        if self._accept is not None:
            data = self._shake_hands(self._accept, data)
            if self._accept is not None:
                return ()
        return [self.message(payload) for payload in self._frames.feed(data)]

    def finish(self) -> Sequence[CachedMessage]:
        """Return nothing: no message ends with the connection."""
        return ()

    def replies(self) -> Sequence[bytes]:
        """Return answers to pings and to a close."""
        frames = self._frames
        if frames is None or self._accept is not None:
            return ()
        replies = frames.replies()
        if frames.idle:
            self._frames = None
        return replies

    def frame(self, message: bytes) -> bytes:
        """Return a message as one masked text frame."""
        return text_frame(message)

    def close(self, code: int) -> bool:
        """Queue a close frame, once; the server answers it."""
        self._frames = self._frames or Frames()
        self._frames.close(code)
        return True

    def ending(self) -> tuple[int, str]:
        """Return the close code and reason, 1006 without one."""
        return (ABNORMAL, "") if self._frames is None else self._frames.ending()

    def rejection(self) -> Refusal:
        """Return the HTTP status of the handshake response, or what else was wrong with it."""
        head, _, body = self._head.partition(b"\r\n\r\n")
        status = head.partition(b"\r\n")[0]
        if not status:
            return Refusal(None, "no answer to the handshake")
        if status.startswith(b"HTTP/1.1 101"):
            return Refusal(None, "the answer to the handshake is wrong")
        said = status.removeprefix(b"HTTP/1.1 ")
        text = b" ".join((said, body)).decode("utf-8", "replace").strip()
        return Refusal(int(said[:3]) if said[:3].isdigit() else None, text)

    def message(self, payload: bytes) -> CachedMessage:
        """Return the message in *payload*, or an ``unreadable`` one."""
        try:
            return self.read(payload)
        except ValueError:
            return CachedMessage.unreadable(payload)

    def _shake_hands(self, accept: bytes, data: bytes) -> bytes:
        """Read the handshake response and return the bytes after it."""
        head = self._head = self._head + data
        end = head.find(b"\r\n\r\n")
        if end < 0 and len(head) <= HEAD_BYTES_MAX:
            return b""
        status, *fields = head[: max(end, 0)].split(b"\r\n")
        named = {name.strip().lower(): value.strip() for name, _, value in (field.partition(b":") for field in fields)}
        if not status.startswith(b"HTTP/1.1 101") or named.get(b"sec-websocket-accept") != accept:
            self._refused = True
            return b""
        self._accept, self._head = None, b""
        self._entered = True
        return head[end + 4 :]
