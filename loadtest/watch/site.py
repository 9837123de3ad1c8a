"""The site of the dashboard: its page and files, one WebSocket that pushes the pictures, and buttons where given."""

import asyncio
import hmac
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from loadtest.watch.picture import LivePicture, Source
from server.gateway.door import Door
from server.pages.pages import DOCUMENTS, Pages

HOST: Final = "127.0.0.1"
LOOK_EVERY_S = 0.4
CHECK_EVERY_S = 0.5
STOP_TIMEOUT_S = 5.0
CLOSING_S = 0.1  # in which the pages are told that it is over
_log = logging.getLogger(__name__)


class Control(Protocol):
    """A button's work; its effects are seen in the pictures."""

    @property
    def offered(self) -> bool:
        """Tell whether it is of any use now."""

    @property
    def busy(self) -> bool:
        """Tell whether it is still at it."""

    def press(self) -> None:
        """Begin, unless it is busy, and return at once."""

    def close(self) -> None:
        """End what it does, and begin it no more."""


class WatchSite:
    """
    The dashboard on *port* of *host*, which is bound at once, so that ``url`` is known; 0 takes any free one.

    It is served from ``start`` to ``close``. *report* is served as the run's report once it exists. Raises OSError if
    the port cannot be had.
    """

    def __init__(self, *, port: int = 0, host: str = HOST, report: Path | None = None) -> None:
        self._report = report
        self._over = threading.Event()
        self._newest = b""
        self._listeners: set[asyncio.Event] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._controls: Mapping[str, Control] = {}
        self._token = ""
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._listener.bind((host, port))
            self._listener.listen()
        except OSError:
            self._listener.close()
            raise
        self.url = f"http://{host}:{self._listener.getsockname()[1]}/dashboard"
        app = Guarded(self._app(), Door(bound=host), reached=host)
        config = uvicorn.Config(app, log_level="warning", lifespan="off", ws="websockets-sansio")
        self._server = uvicorn.Server(config)

    def start(self, source: Source, controls: Mapping[str, Control] | None = None, token: str = "") -> None:
        """Serve the pictures of *source*, with buttons by their names that ask for the *token* if there is one."""
        self._source = source
        self._controls, self._token = dict(controls or {}), token
        self._newest = orjson.dumps(self._shown(source.look()))
        self._threads = [
            threading.Thread(target=self._serve, name="dashboard"),
            threading.Thread(target=self._repeat, args=(self._look, LOOK_EVERY_S), name="looking"),
            threading.Thread(target=self._repeat, args=(source.check, CHECK_EVERY_S), name="checking"),
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Show the last picture to whoever looks, and stop."""
        if self._threads:
            self._look()
            time.sleep(LOOK_EVERY_S if self._listeners else 0)
        self._over.set()
        self._wake()
        time.sleep(CLOSING_S if self._listeners else 0)
        self._server.should_exit = True
        for thread in self._threads:
            thread.join(STOP_TIMEOUT_S)
        self._listener.close()

    def _serve(self) -> None:
        asyncio.run(self._serve_here())

    async def _serve_here(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve(sockets=[self._listener])

    def _repeat(self, step: Callable[[], object], every_s: float) -> None:
        """Take a step now and then; a failed one is written down, and the next one is taken all the same."""
        while not self._over.wait(every_s):
            try:
                step()
            except Exception:
                _log.exception("the dashboard could not be brought up to date")

    def _look(self) -> None:
        self._newest = orjson.dumps(self._shown(self._source.look()))
        self._wake()

    def _shown(self, picture: LivePicture) -> dict[str, Any]:
        busy = [name for name, control in self._controls.items() if control.busy]
        told = {name: getattr(picture, name) for name in picture.__slots__}
        return told | {"controls": [name for name, control in self._controls.items() if control.offered], "busy": busy}

    def _wake(self) -> None:
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # it is closed already
                loop.call_soon_threadsafe(self._wake_all)

    def _wake_all(self) -> None:
        for listener in self._listeners:
            listener.set()

    def _app(self) -> Pages:
        inside = Starlette(
            routes=[
                Route("/", lambda _: RedirectResponse("dashboard")),
                Route("/run/report.html", self._send_report),
                Route("/favicon.ico", lambda _: Response(status_code=204)),  # which browsers ask for beside a report
                Route("/controls/{name}", self._control, methods=["POST"]),
                WebSocketRoute("/watch", self._push),
            ]
        )
        return Pages(inside, {"watch": "yes"}, documents={"/dashboard": DOCUMENTS["/dashboard"]})

    async def _push(self, line: WebSocket) -> None:
        """Send the newest picture whenever there is one, and only that: a slow reader misses some."""
        await line.accept()
        new = asyncio.Event()
        self._listeners.add(new)
        heard = asyncio.ensure_future(_until_closed(line))
        try:
            while not heard.done() and not self._over.is_set():
                await line.send_text(self._newest.decode())
                with suppress(TimeoutError):
                    await asyncio.wait_for(new.wait(), STOP_TIMEOUT_S)
                new.clear()
            await line.close(1001)
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            self._listeners.discard(new)
            heard.cancel()

    async def _send_report(self, _: Request) -> Response:
        if self._report is None or not self._report.exists():
            return JSONResponse({"code": "not_found", "detail": "the report is written after the verdict"}, 404)
        return FileResponse(self._report, headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"})

    async def _control(self, request: Request) -> Response:
        shown, wanted = request.headers.get("authorization", ""), f"Bearer {self._token}"
        if self._token and not hmac.compare_digest(shown.encode(), wanted.encode()):
            return JSONResponse({"code": "unauthenticated", "detail": "a button needs the token that was printed"}, 401)
        control = self._controls.get(request.path_params["name"])
        if control is None:
            return JSONResponse({"code": "not_found", "detail": "this dashboard has no such button"}, 404)
        control.press()
        return JSONResponse({"status": "begun"}, 202)


class Guarded:
    """Lets in only requests for a name of this site, and from its own pages if a page sends them."""

    def __init__(self, app: ASGIApp, door: Door, *, reached: str) -> None:
        self._app = app
        self._door = door
        self._reached = reached

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        upgrade = scope["type"] == "websocket"
        method = scope.get("method", "GET").encode()
        refused = self._door.refusal(scope["headers"], method, upgrade=upgrade, proxied=False, reached=self._reached)
        if refused is None:
            await self._app(scope, receive, send)
        elif upgrade:
            await send({"type": "websocket.close", "code": 1008})  # before it is accepted: 403
        else:
            problem = {"code": refused.code, "detail": refused.detail}
            await JSONResponse(problem, refused.status)(scope, receive, send)


async def _until_closed(line: WebSocket) -> None:
    with suppress(WebSocketDisconnect):
        while True:
            await line.receive_text()
