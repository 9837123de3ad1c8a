"""HEAD: every route that answers GET answers it, as RFC 9110, 9.1 wants of a server."""

from starlette.types import ASGIApp, Receive, Scope, Send


class Head:
    """Passes HEAD on as GET; uvicorn, which knows the request's own method, leaves the body out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)
