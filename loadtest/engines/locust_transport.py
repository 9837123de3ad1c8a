"""A lean connection for a greenlet: a plain socket around the session of a target."""

from gevent import Timeout, socket
from gevent.socket import timeout as SocketTimeout  # noqa: N812 - gevent's name for a class

from client_sim.frames import ABNORMAL, NORMAL
from client_sim.message_cache import CachedMessage
from client_sim.session import Rejection, Session
from loadtest.targets.port import Address

READ_BYTES = 16_384  # a few hundred small frames, as may arrive while a greenlet waits for its turn
CONNECT_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0  # how long to wait for the server's side of the close


class ConnectionFailed(Exception):  # noqa: N818 - not an error of ours
    """A connection could not be opened. ``status`` is the HTTP status of the answer, or None; the text says why."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.text)
        self.status = rejection.status


class ConnectionOver(Exception):  # noqa: N818 - expected, sooner or later
    """The connection has ended. ``code`` is the WebSocket close code, 1006 if it broke without one."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".rstrip())
        self.code = code
        self.reason = reason


class Connection:
    """One open connection, made by ``connect``. Two greenlets must not use it at once."""

    __slots__ = ("_behind", "_broken", "_session", "_socket")

    def __init__(self, sock: socket.socket, session: Session, behind: list[CachedMessage]) -> None:
        self._socket = sock
        self._session = session
        self._behind = behind  # messages that came with the handshake, returned first
        self._broken = False

    def send(self, message: bytes) -> None:
        """Send one message. Raises ConnectionOver."""
        if data := self._session.frame(message):
            self._write(data)

    def recv(self, timeout_s: float | None) -> list[CachedMessage]:
        """
        Wait for messages and return them, in order; [] after *timeout_s* (None: no timeout).

        Protocol replies of the session are sent here. Raises ConnectionOver.
        """
        if self._behind:
            behind, self._behind = self._behind, []
            return behind
        data = self._read(timeout_s)
        if data is None:
            return []
        if not data:
            if last := list(self._session.finish()):
                return last
            raise self._over()
        return self._take(data)

    def close(self, code: int = NORMAL, timeout_s: float = CLOSE_TIMEOUT_S) -> int:
        """Send a close frame, wait up to *timeout_s* for the answer, and close the socket. Returns the close code."""
        try:
            if self._session.close(code):
                if not self._broken:
                    self._flush()
                with Timeout(timeout_s, False):
                    self._read_to_the_end()
        except ConnectionOver:
            pass
        finally:
            self._broken = True
            self._socket.close()
        return self._session.ending()[0] if self._session.over else ABNORMAL

    def abandon(self) -> None:
        """Close the socket without a close frame."""
        self._broken = True
        self._socket.close()

    def _read_to_the_end(self) -> None:
        """Read until the server has closed its side: the side that closes first holds the port in TIME_WAIT."""
        while data := self._read(None):
            try:
                self._take(data)
            except ConnectionOver:
                continue

    def _read(self, timeout_s: float | None) -> bytes | None:
        """Return the bytes read, b"" at the end, or None after *timeout_s*."""
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

    def _take(self, data: bytes) -> list[CachedMessage]:
        """Return the messages that *data* completes, and send protocol replies. Raises ConnectionOver."""
        messages = list(self._session.feed(data))
        self._flush()
        if not messages and self._session.over:
            raise self._over()
        return messages

    def _flush(self) -> None:
        for data in self._session.replies():
            self._write(data)

    def _write(self, data: bytes) -> None:
        if self._broken:
            raise self._over()
        # An interrupted write may have sent half a frame: the connection is unusable then.
        self._broken = True
        self._socket.settimeout(CONNECT_TIMEOUT_S)
        try:
            self._socket.sendall(data)
        except OSError:
            raise self._over() from None
        self._broken = False

    def _over(self) -> ConnectionOver:
        self._broken = True
        return ConnectionOver(*self._session.ending())


def connect(address: Address, session: Session, timeout_s: float = CONNECT_TIMEOUT_S) -> Connection:
    """Open a connection to *address* with the protocol of *session*. Raises ConnectionFailed."""
    sock = None
    try:
        with Timeout(timeout_s, TimeoutError("timed out")):
            sock = socket.create_connection((address.host, address.port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if address.tls is not None:
                sock = address.tls.wrap_socket(sock, server_hostname=address.host)
            return Connection(sock, session, _enter(sock, session))
    except OSError as error:
        if sock is not None:
            sock.close()
        raise ConnectionFailed(Rejection(None, str(error) or type(error).__name__)) from None
    except BaseException:
        if sock is not None:
            sock.close()
        raise


def _enter(sock: socket.socket, session: Session) -> list[CachedMessage]:
    """Complete the handshake; return the messages that came with it. Raises ConnectionFailed."""
    sock.sendall(session.start())
    messages = list(session.feed(b""))
    while not session.entered:
        data = b"" if session.over else sock.recv(READ_BYTES)
        if not data:
            raise ConnectionFailed(session.rejection())
        messages += session.feed(data)
    for data in session.replies():
        sock.sendall(data)
    return messages
