"""uvicorn's HTTP protocol plus a deadline for each request and a limit on connections that have sent none."""

import asyncio
from typing import Any, cast

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
        self._address = ""
        self._half_open = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline of the first request, unless this address has too many connections without one."""
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        if self._gateway.half_open.take(self._address):
            self._half_open = True
            self._gateway.keepalive.requests.set(self)
        else:
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
            super().data_received(data)

    def on_message_begin(self) -> None:
        """Start the deadline of a further request on a connection that is kept alive."""
        super().on_message_begin()
        if not self._half_open and self._gateway.half_open.take(self._address):
            self._half_open = True
            self._gateway.keepalive.requests.set(self)

    def on_message_complete(self) -> None:
        """Cancel the deadline: the request is complete."""
        self._came_in()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, and break the cycle with the parser so that this object is freed."""
        self._came_in()
        super().handle_websocket_upgrade()
        self.parser = cast(Any, None)

    def abort(self) -> None:
        """Abort a connection that has not sent a request in time."""
        self._came_in()
        self.transport.abort()

    def _came_in(self) -> None:
        if self._half_open:
            self._half_open = False
            self._gateway.half_open.give_back(self._address)
            self._gateway.keepalive.requests.met(self)
