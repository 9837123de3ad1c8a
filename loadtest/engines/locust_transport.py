"""
A lean WebSocket connection for a greenlet: a plain socket around the frames of client_sim/frames.py.

The handshake is websockets' Sans-I/O layer's.
"""

from urllib.parse import urlsplit

from gevent import Timeout, socket
from gevent.socket import timeout as SocketTimeout  # noqa: N812 - gevent's name for a class
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from client_sim.frames import NORMAL, Frames, text_frame
from server.core.rooms.messages import PROTOCOL

READ_BYTES = 16_384  # a few hundred small frames: what comes in while a greenlet waits for its turn
CONNECT_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0  # how long to wait for the server's side of the close


class ConnectionFailed(Exception):  # noqa: N818 - the outside world's fault
    """No connection came about; the text says why (refused, timed out, or the HTTP status that answered)."""


class ConnectionOver(Exception):  # noqa: N818 - expected, sooner or later
    """The connection is gone. ``code`` is the WebSocket close code, 1006 if it broke without one."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".rstrip())
        self.code = code
        self.reason = reason


class Connection:
    """One open connection. Made by ``connect``; not to be used by two greenlets at once."""

    __slots__ = ("_behind", "_broken", "_frames", "_socket")

    def __init__(self, sock: socket.socket, behind: bytes = b"") -> None:
        self._socket = sock
        self._frames = Frames()
        self._behind = behind  # came with the handshake, and is read before everything else
        self._broken = False

    def send(self, payload: bytes) -> None:
        """Send one text message. Raises ConnectionOver."""
        self._write(text_frame(payload))

    def recv(self, timeout_s: float | None) -> list[bytes]:
        """
        Wait for messages and return their payloads, in order; [] after *timeout_s* (None waits for ever).

        Pings are answered here. Raises ConnectionOver.
        """
        if self._behind and (messages := self._take(b"")):
            return messages
        data = self._read(timeout_s)
        if data is None:
            return []
        if not data:
            raise self._over()
        return self._take(data)

    def close(self, code: int = NORMAL, timeout_s: float = CLOSE_TIMEOUT_S) -> int:
        """Say goodbye, wait for the answer for *timeout_s*, and close the socket. Returns the close code."""
        try:
            if not self._broken:
                self._frames.close(code)
                self._flush()
            with Timeout(timeout_s, False):
                self._read_to_the_end()
        except ConnectionOver:
            pass
        finally:
            self._broken = True
            self._socket.close()
        return self._frames.answered_code()

    def abandon(self) -> None:
        """Close the socket without a word."""
        self._broken = True
        self._socket.close()

    def _read_to_the_end(self) -> None:
        """Read until the server has closed its side: who closes first keeps the port busy for a minute."""
        while data := self._read(None):
            try:
                self._take(data)
            except ConnectionOver:
                continue

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

    def _take(self, data: bytes) -> list[bytes]:
        """Return the messages that end in *data* and answer what wants an answer. Raises ConnectionOver."""
        data, self._behind = self._behind + data, b""
        messages = self._frames.feed(data)
        self._flush()
        if not messages and self._frames.over:
            raise self._over()
        return messages

    def _flush(self) -> None:
        for data in self._frames.replies():
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
        return ConnectionOver(*self._frames.ending())


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
    protocol = ClientProtocol(parse_uri(uri), subprotocols=[Subprotocol(PROTOCOL)])
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
    return Connection(sock, head[end:])
