"""
A lean WebSocket connection for a greenlet: a plain socket, frames by the Sans-I/O layer of websockets.

Small text frames, which are nearly all there are, are read and written by hand. Bytes reach the Sans-I/O layer only
as whole frames, so half a frame waits here and the two never disagree about where they stand.
"""

from random import Random
from urllib.parse import urlsplit

from gevent import Timeout, socket
from gevent.socket import timeout as SocketTimeout  # noqa: N812 - gevent's name for a class
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from server.core.messages import PROTOCOL

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without the C extension
    from websockets.utils import apply_mask

READ_BYTES = 16_384  # a few hundred small frames: what comes in while a greenlet waits for its turn
MESSAGE_BYTES_MAX = 1_048_576  # a bigger message is not from our server
CONNECT_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0  # how long to wait for the server's side of the close
NORMAL, ABNORMAL = 1000, 1006

_FINAL_TEXT = 0x81
_MASKED = 0x80
_SMALL_MAX = 125
_masks = Random()  # masks protect proxies from chosen bytes; a load generator's bytes are its own


class ConnectionFailed(Exception):  # noqa: N818 - the outside world's fault
    """No connection came about; the text says why (refused, timed out, or the HTTP status that answered)."""


class ConnectionOver(Exception):  # noqa: N818 - expected, sooner or later
    """The connection is gone. ``code`` is the WebSocket close code, 1006 if it broke without one."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".rstrip())
        self.code = code
        self.reason = reason


def text_frame(payload: bytes) -> bytes:
    """Return one masked final text frame. At most 65,535 bytes of payload."""
    size = len(payload)
    mask = _masks.getrandbits(32).to_bytes(4, "big")
    if size <= _SMALL_MAX:
        return bytes((_FINAL_TEXT, _MASKED | size)) + mask + apply_mask(payload, mask)
    assert size < 65_536
    return bytes((_FINAL_TEXT, _MASKED | 126)) + size.to_bytes(2, "big") + mask + apply_mask(payload, mask)


class Connection:
    """One open connection. Made by ``connect``; not to be used by two greenlets at once."""

    __slots__ = ("_broken", "_buffer", "_parts", "_protocol", "_socket")

    def __init__(self, sock: socket.socket, protocol: ClientProtocol) -> None:
        self._socket = sock
        self._protocol = protocol
        self._buffer = b""
        self._parts: list[bytes] | None = None  # of a fragmented message
        self._broken = False

    def send(self, payload: bytes) -> None:
        """Send one text message. Raises ConnectionOver."""
        self._write(text_frame(payload))

    def recv(self, timeout_s: float | None) -> list[bytes]:
        """
        Wait for messages and return their payloads, in order; [] after *timeout_s* (None waits for ever).

        Pings are answered here. Raises ConnectionOver.
        """
        messages = self._messages()
        if messages:
            return messages
        data = self._read(timeout_s)
        if data is None:
            return []
        if not data:
            self._protocol.receive_eof()
            raise self._over()
        self._buffer = self._buffer + data if self._buffer else data
        return self._messages()

    def close(self, code: int = NORMAL, timeout_s: float = CLOSE_TIMEOUT_S) -> int:
        """Say goodbye, wait for the answer for *timeout_s*, and close the socket. Returns the close code."""
        try:
            if self._protocol.state is State.OPEN and not self._broken:
                self._protocol.send_close(code)
                self._flush()
            with Timeout(timeout_s, False):
                self._read_to_the_end()
        except ConnectionOver:
            pass
        finally:
            self._broken = True
            self._socket.close()
        return self._protocol.close_rcvd.code if self._protocol.close_rcvd is not None else ABNORMAL

    def abandon(self) -> None:
        """Close the socket without a word."""
        self._broken = True
        self._socket.close()

    def _read_to_the_end(self) -> None:
        """Read until the server has closed its side: who closes first keeps the port busy for a minute."""
        while data := self._read(None):
            self._buffer += data
            try:
                self._messages()
            except ConnectionOver:
                self._buffer = b""

    def prime(self, data: bytes) -> None:
        """Put bytes that came with the handshake before all that will be read."""
        self._buffer = data + self._buffer

    def _read(self, timeout_s: float | None) -> bytes | None:
        """Return what came, b"" at the end, or None after *timeout_s*."""
        self._socket.settimeout(timeout_s)
        try:
            data: bytes = self._socket.recv(READ_BYTES)
        except SocketTimeout:
            return None
        except BlockingIOError:
            return None
        except OSError:
            return b""
        return data

    def _messages(self) -> list[bytes]:
        """Take all whole frames out of the buffer and return the messages they end. Raises ConnectionOver."""
        buffer, at, messages = self._buffer, 0, []
        while (size := _frame_size(buffer, at)) is not None:
            end = at + size
            if size <= MESSAGE_BYTES_MAX and end > len(buffer):
                break
            head = buffer[at + 1]
            if buffer[at] == _FINAL_TEXT and head <= 126 and self._parts is None:
                messages.append(buffer[at + (2 if head < 126 else 4) : end])
            else:
                self._take_frame(buffer[at:end], messages)
            at = end
        self._buffer = buffer[at:]
        if not messages and (self._protocol.close_rcvd is not None or self._protocol.parser_exc is not None):
            raise self._over()
        return messages

    def _take_frame(self, frame: bytes, messages: list[bytes]) -> None:
        """Let the Sans-I/O layer judge a frame that is not small text: fragments, control frames, and nonsense."""
        self._protocol.receive_data(frame)
        for event in self._protocol.events_received():
            assert isinstance(event, Frame)
            if event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._parts = self._parts or []
                self._parts.append(bytes(event.data))
                if event.fin:
                    messages.append(b"".join(self._parts))
                    self._parts = None
        self._flush()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._write(data)

    def _write(self, data: bytes) -> None:
        if self._broken:
            raise self._over()
        # Whoever is interrupted in the middle of a frame has left half of it on the way: the connection is of no use.
        self._broken = True
        self._socket.settimeout(CONNECT_TIMEOUT_S)
        try:
            self._socket.sendall(data)
        except OSError:
            raise self._over() from None
        self._broken = False

    def _over(self) -> ConnectionOver:
        self._broken = True
        close = self._protocol.close_rcvd
        if close is not None:
            return ConnectionOver(close.code, close.reason)
        if self._protocol.close_sent is not None:
            return ConnectionOver(self._protocol.close_sent.code, self._protocol.close_sent.reason)
        return ConnectionOver(ABNORMAL, "")


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


def connect(host: str, path: str, timeout_s: float = CONNECT_TIMEOUT_S) -> Connection:
    """Open a WebSocket at *path* of *host* (``http://name:port``). Raises ConnectionFailed."""
    parts = urlsplit(host)
    assert parts.scheme == "http"
    assert parts.hostname is not None
    port = parts.port or 80
    sock = None
    try:
        with Timeout(timeout_s, TimeoutError("timed out")):
            sock = socket.create_connection((parts.hostname, port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _shake_hands(sock, f"ws://{parts.netloc}{path}")
    except (OSError, InvalidHandshake, EOFError) as error:
        if sock is not None:
            sock.close()
        raise ConnectionFailed(str(error) or type(error).__name__) from None
    except BaseException:
        if sock is not None:
            sock.close()
        raise


def _shake_hands(sock: socket.socket, uri: str) -> Connection:
    protocol = ClientProtocol(parse_uri(uri), subprotocols=[Subprotocol(PROTOCOL)], max_size=MESSAGE_BYTES_MAX)
    protocol.send_request(protocol.connect())
    sock.sendall(b"".join(protocol.data_to_send()))
    head = b""
    while b"\r\n\r\n" not in head:
        data = sock.recv(READ_BYTES)
        if not data or len(head) > READ_BYTES:
            raise EOFError("no answer to the handshake")
        head += data
    # Frames may ride behind the response: they are kept for the connection, so that it sees them as frames.
    end = head.index(b"\r\n\r\n") + 4
    if not head.startswith(b"HTTP/1.1 101"):
        status = head.partition(b"\r\n")[0].removeprefix(b"HTTP/1.1 ")
        raise EOFError(b" ".join((status, head[end:])).decode("utf-8", "replace").strip())
    protocol.receive_data(head[:end])
    for event in protocol.events_received():
        assert isinstance(event, Response)
    if protocol.handshake_exc is not None:
        raise protocol.handshake_exc
    connection = Connection(sock, protocol)
    connection.prime(head[end:])
    return connection
