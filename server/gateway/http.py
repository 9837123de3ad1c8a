"""uvicorn's HTTP protocol plus a deadline for each request and a limit on connections that have sent none."""

import asyncio
import sys
from typing import Any, cast

from httptools import HttpParserUpgrade, HttpRequestParser
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from server.gateway.gateway import Gateway
from server.gateway.handshake import Rejection

TOO_MANY_HALF_OPEN = Rejection(503, "too_many_connections", "too many connections of this address have sent no request")


class HttpConnection(HttpToolsProtocol):
    """
    An HTTP connection. A deadline runs from its start, and again from the first byte of each further request, until
    the request is complete, so that a slow sender cannot hold a connection open.
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
        self._peer = ""
        self._proxied = False  # the peer speaks for others, of whom each request names one
        self._half_open = False
        self._counted: str | None = None  # the address that a request without its end counts for
        self._received = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline of the first request, unless this address has too many connections without one."""
        super().connection_made(transport)
        self._peer = self.client[0] if self.client else ""
        self._proxied = self._gateway.proxies.trusts(self._peer)
        if not self._begin():
            self._came_in()
            self._gateway.metrics.refused += 1
            transport.write(TOO_MANY_HALF_OPEN.response())
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline."""
        self._came_in()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the data, unless the connection was refused."""
        if not self.transport.is_closing():
            self._received = data
            super().data_received(data)
            self._received = b""

    def on_message_begin(self) -> None:
        """Start the deadline of a further request on a connection that is kept alive."""
        super().on_message_begin()
        if not self._half_open:
            self._begin()

    def on_headers_complete(self) -> None:
        """Answer the request, unless it is about to be read again, not let in, or one too many without an end."""
        if self._asks_for_unknown_upgrade():
            return
        app = self.app
        if not self.parser.should_upgrade():
            self.scope["state"]["peer"] = self._peer
            if self._proxied and not self._count(self._gateway.proxies.client(self._peer, self.headers)):
                self._gateway.metrics.refused += 1
                self.app = TOO_MANY_HALF_OPEN.answer
            elif refusal := self._turned_away(upgrade=False):
                self.app = refusal.answer
        super().on_headers_complete()
        self.app = app

    def on_message_complete(self) -> None:
        """Cancel the deadline: the request is complete."""
        if not self._asks_for_unknown_upgrade():
            self._came_in()
            super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over if it is let in, and break the cycle with the parser to free this object."""
        self._came_in()
        if refusal := self._turned_away(upgrade=True):
            self.transport.write(refusal.response())
            self.transport.close()
            return
        super().handle_websocket_upgrade()
        self.parser = cast(Any, None)

    def abort(self) -> None:
        """Abort a connection that has not sent a request in time."""
        self._came_in()
        self.transport.abort()

    def _should_upgrade(self) -> bool:
        # RFC 6455, 4.1: the handshake is a GET, and HTTP/1.0 has no upgrades (RFC 9110, 7.8).
        return (
            self.parser.get_method() == b"GET" and self.parser.get_http_version() == "1.1" and super()._should_upgrade()
        )

    def _asks_for_unknown_upgrade(self) -> bool:
        parser = self.parser
        return parser.should_upgrade() and parser.get_method() != b"CONNECT" and not self._should_upgrade()

    def _unsupported_upgrade_warning(self) -> None:
        """
        Ignore an upgrade that is not to a WebSocket (RFC 9110, 7.8), as ``curl --http2`` asks for.

        The parser takes what follows such a request for another protocol, so the request is read again without it.
        """
        upgrade = sys.exception()
        if not isinstance(upgrade, HttpParserUpgrade) or not self._asks_for_unknown_upgrade():
            return
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)]
        lines += [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn sets it
        self.data_received(b"\r\n".join([*lines, b"", self._received[upgrade.args[0] :]]))

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

    def _begin(self) -> bool:
        """Start the deadline of a request; return False if its address has too many already."""
        self._half_open = True
        self._gateway.keepalive.requests.set(self)
        return self._proxied or self._count(self._peer)

    def _count(self, address: str) -> bool:
        if not self._gateway.half_open.take(address):
            return False
        self._counted = address
        return True

    def _came_in(self) -> None:
        if self._half_open:
            self._half_open = False
            self._gateway.keepalive.requests.met(self)
        if self._counted is not None:
            self._gateway.half_open.give_back(self._counted)
            self._counted = None
