"""uvicorn's HTTP protocol, with limits on all that an unknown peer can send, hold open or leave unread."""

import asyncio
from typing import Any, Final, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from server.gateway.gateway import Gateway
from server.gateway.handshake import HEADERS_TOO_LARGE, UPGRADE_NEEDED, URL_TOO_LONG, Rejection
from server.gateway.limits import HEAD_BYTES_MAX, HEADER_BYTES_MAX, HEADERS_MAX, PIPELINED_MAX, REQUEST_LINE_BYTES_MAX

TOO_MANY_HALF_OPEN: Final = Rejection(
    503, "too_many_connections", "too many connections of this address have sent no request"
)
TOO_MANY: Final = Rejection(503, "too_many_connections", "this address has too many connections; close some")
FULL: Final = Rejection(503, "too_many_connections", "the server has as many connections as it may; try again")
NOT_HTTP: Final = Rejection(400, "bad_request", "the request is not valid HTTP")
WEBSOCKETS: Final = b"/ws/"
_IGNORED_BYTES_MAX: Final = 1 << 20  # read after a refusal, so that the peer can read the refusal


class _WhileOpen:
    """The transport of an answer, of which nothing is written once the reader has vanished."""

    __slots__ = ("_transport", "close", "is_closing")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.is_closing = transport.is_closing
        self.close = transport.close

    def write(self, data: bytes) -> None:
        """Write, unless the connection is closed: uvloop would raise an error."""
        if not self.is_closing():
            self._transport.write(data)


class HttpConnection(HttpToolsProtocol):
    """
    An HTTP connection. A deadline runs from its start, and again from the first byte after an answer, until a request
    is complete; another one runs while the peer does not read. No connection is without a deadline but while the
    application works.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._gateway: Gateway = app_state["gateway"]
        self.url = b""
        self._peer = ""
        self._proxied = False  # the peer speaks for others, of whom each request names one
        self._client: str | None = None  # the address that a request counts for, once it is known
        self._admitted = False  # counted among the connections of its address
        self._half_open = False
        self._late = False
        self._counted: str | None = None  # the address that a late request counts for
        self._deaf = False  # was refused: what else arrives is not read
        self._refusal: Rejection | None = None
        self._overhead = 0  # bytes read of this request that are not of its body
        self._unsent = 0
        self._received = b""
        self._is_handshake: bool | None = None  # of the request that is read; None until its headers are known

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline of the first request, unless this address or the server has too many connections."""
        super().connection_made(transport)
        gateway = self._gateway
        self._peer = self.client[0] if self.client else ""
        self._proxied = gateway.proxies.trusts(self._peer)
        self._admitted = not self._proxied and gateway.http_connections.take(self._peer)
        refusal = None
        if not self._proxied and not self._admitted:
            refusal = TOO_MANY
        elif len(self.connections) > gateway.connections_max and not gateway.keepalive.make_room():
            refusal = FULL
        if refusal is None:
            self._begin()
        else:
            gateway.metrics.turn_away(refusal.code)
            transport.write(refusal.response())
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadlines."""
        self._leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the data, unless the connection was refused."""
        self._overhead += len(data)
        if self._deaf or self.transport.is_closing():
            if self._overhead > _IGNORED_BYTES_MAX:
                self.abort()
            return
        if not self._half_open:
            self._overhead = len(data)
            self._begin()
        try:
            self._received = data
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            else:
                self._read_without_upgrade(upgrade.args[0])
        except HttpParserError:
            self._turn_down(self._refusal or NOT_HTTP)
        else:
            if self._overhead > HEAD_BYTES_MAX and not self._deaf:
                self._turn_down(URL_TOO_LONG if len(self.url) > REQUEST_LINE_BYTES_MAX else HEADERS_TOO_LARGE)
        finally:
            self._received = b""

    def on_message_begin(self) -> None:
        """Start the deadline of a request that came in the same read as the one before it."""
        super().on_message_begin()
        self._is_handshake = None
        if not self._half_open:
            self._begin()

    def on_headers_complete(self) -> None:
        """Answer the request, unless it is about to be read again, is too large, not let in, or one too many."""
        self._refusal = self._too_much()
        if self._refusal is not None:
            raise HttpParserError(self._refusal.code)
        if self._asks_for_unknown_upgrade():
            return
        app = self.app
        if not self.parser.should_upgrade():
            self.scope["state"]["peer"] = self._peer
            if self._proxied:
                self._client = self._gateway.proxies.client(self._peer, self.headers)
            if self._late and not self._count():
                self._gateway.metrics.turn_away(TOO_MANY_HALF_OPEN.code)
                self.app = TOO_MANY_HALF_OPEN.answer
            elif refusal := self._turned_away(upgrade=False):
                self.app = refusal.answer
            elif self.url.startswith(WEBSOCKETS):
                self.app = UPGRADE_NEEDED.answer
        super().on_headers_complete()
        self.app = app
        if not self.parser.should_upgrade():
            self.headers = []  # of trailers, which are no headers of the request
            self.cycle.transport = cast(asyncio.Transport, _WhileOpen(self.transport))

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._overhead = max(0, self._overhead - len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Cancel the deadline: the request is complete."""
        if not self._asks_for_unknown_upgrade():
            self._overhead = 0
            self._came_in()
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for a next request only as long as there is room, or for the peer to read the answer."""
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
            self._gateway.keepalive.idle.set(self)
        elif self.transport.is_closing():
            self._watch_unsent()

    def pause_writing(self) -> None:
        """Give the peer a deadline to read what is written."""
        super().pause_writing()
        self._watch_unsent()

    def resume_writing(self) -> None:
        """Cancel the deadline for reading."""
        super().resume_writing()
        self._gateway.keepalive.unread.met(self)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over if it is let in, and break the cycle with the parser to free this object."""
        self._came_in()
        if self.cycle is not None and not self.cycle.response_complete:
            self._turn_down(NOT_HTTP)  # a handshake must wait for the answers to earlier requests
            return
        if refusal := self._turned_away(upgrade=True):
            self._hang_up(refusal)
            return
        self.headers[:] = [header for header in self.headers if header[0] not in (b"upgrade", b"connection")]
        self.headers += [(b"upgrade", b"websocket"), (b"connection", b"upgrade")]  # whatever else was offered
        super().handle_websocket_upgrade()
        self._leave()
        self.parser = cast(Any, None)

    def late(self) -> None:
        """Count a request that is still not complete for its address, and refuse it if that has too many."""
        self._late = True
        if not self._count():
            self._turn_down(TOO_MANY_HALF_OPEN)

    def moved(self) -> bool:
        """Return whether the peer has read something since this was asked last."""
        before, self._unsent = self._unsent, self.transport.get_write_buffer_size()
        return self._unsent < before

    def close(self) -> None:
        """Close a connection that has no request, once what was written is read."""
        self.transport.close()
        self._watch_unsent()

    def abort(self) -> None:
        """Abort a connection that missed a deadline."""
        self._came_in()
        self.transport.abort()

    def _too_much(self) -> Rejection | None:
        if len(self.url) > REQUEST_LINE_BYTES_MAX:
            return URL_TOO_LONG
        sizes = [len(name) + len(value) for name, value in self.headers]
        if len(sizes) > HEADERS_MAX or sum(sizes) > HEAD_BYTES_MAX or max(sizes, default=0) > HEADER_BYTES_MAX:
            return HEADERS_TOO_LARGE
        return FULL if len(self.pipeline) >= PIPELINED_MAX else None

    def _get_upgrade(self) -> bytes | None:
        """Return ``websocket`` if it is among the protocols that the request would change to (RFC 9110, 7.8)."""
        connection = [value for name, value in self.headers if name == b"connection"]
        upgrade = [value for name, value in self.headers if name == b"upgrade"]
        if b"upgrade" not in _tokens(connection):
            return None
        offered = _tokens(upgrade)
        return b"websocket" if b"websocket" in offered else b", ".join(offered) or None

    def _should_upgrade(self) -> bool:
        if self._is_handshake is None:
            # RFC 6455, 4.1: the handshake is a GET, and HTTP/1.0 has no upgrades (RFC 9110, 7.8).
            parser = self.parser
            is_new = parser.get_method() == b"GET" and parser.get_http_version() == "1.1"
            self._is_handshake = is_new and super()._should_upgrade()
        return self._is_handshake

    def _asks_for_unknown_upgrade(self) -> bool:
        parser = self.parser
        return parser.should_upgrade() and parser.get_method() != b"CONNECT" and not self._should_upgrade()

    def _read_without_upgrade(self, read: int) -> None:
        """
        Ignore an upgrade that is not to a WebSocket (RFC 9110, 7.8), as ``curl --http2`` asks for.

        The parser takes what follows such a request for another protocol, so the request is read again without it.
        """
        if not self._asks_for_unknown_upgrade():
            return
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)]
        lines += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn sets it
        self._overhead = 0
        self.data_received(b"\r\n".join([*lines, b"", self._received[read:]]))

    def _turned_away(self, *, upgrade: bool) -> Rejection | None:
        refusal = self._gateway.door.refusal(
            self.headers,
            self.parser.get_method(),
            upgrade=upgrade,
            proxied=self._proxied,
            reached=self.server[0] if self.server else "",
        )
        if refusal is not None:
            self._gateway.metrics.turn_away(refusal.code)
        return refusal

    def _turn_down(self, refusal: Rejection) -> None:
        """Answer a request that is not read on, unless an earlier one is still being answered, and close."""
        self._gateway.metrics.turn_away(refusal.code)
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            self._hang_up(refusal)
        elif not cycle.more_body:  # an earlier request: its answer is the last one
            self._deaf = True
            cycle.keep_alive = False
            self._came_in()
        elif self.pipeline or cycle.response_started:
            self.close()
        else:
            cycle.disconnected = True  # this request, whose application waits for the rest of it
            cycle.message_event.set()
            self._hang_up(refusal)

    def _hang_up(self, refusal: Rejection) -> None:
        self._came_in()
        self._deaf = True
        self._overhead = 0
        self.transport.write(refusal.response())
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self._gateway.keepalive.closings.set(self)
        else:
            self.close()

    def _begin(self) -> None:
        """Start the deadlines of a request."""
        keepalive = self._gateway.keepalive
        self._half_open = True
        keepalive.idle.met(self)
        keepalive.requests.set(self)
        keepalive.late.set(self)

    def _count(self) -> bool:
        """Count a late request for its address once that is known; return False if that has too many already."""
        address = self._client if self._proxied else self._peer
        if address is None or self._counted is not None:
            return True
        if not self._gateway.half_open.take(address):
            return False
        self._counted = address
        return True

    def _came_in(self) -> None:
        if self._half_open:
            self._half_open = False
            self._client = None
            self._late = False
            self._gateway.keepalive.requests.met(self)
            self._gateway.keepalive.late.met(self)
        if self._counted is not None:
            self._gateway.half_open.give_back(self._counted)
            self._counted = None

    def _watch_unsent(self) -> None:
        self._unsent = self.transport.get_write_buffer_size()
        if self._unsent:
            self._gateway.keepalive.unread.set(self)

    def _leave(self) -> None:
        self._came_in()
        keepalive = self._gateway.keepalive
        for deadlines in (keepalive.idle, keepalive.unread, keepalive.closings):
            deadlines.met(self)
        if self._admitted:
            self._admitted = False
            self._gateway.http_connections.give_back(self._peer)


def _tokens(values: list[bytes]) -> list[bytes]:
    return [token.strip().lower() for value in values for token in value.split(b",") if token.strip()]
