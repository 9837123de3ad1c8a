"""
The pages that people look at, in front of the API: ``/``, ``/live/ROOM``, ``/console``, ``/dashboard``.

A document is small, never kept by a browser without asking, and names the version of the files it uses; those stand
below ``/static/VERSION`` and may be kept for ever. Everything else is passed on. All URLs are relative to the root of
the server, which a proxy may serve under a prefix. Nothing on a page comes from another host, and no script or handler
stands in a document: the policy that is sent with it refuses both.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from server.pages.files import PLOTLY, PageFiles

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
PLOTTED: Final = POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
"""The policy of pages with plots: plotly.js makes style elements, but no inline script."""

DOCUMENTS: Final = {
    "/": ("lobby.html", "", POLICY),
    "/live/{room_id}": ("phone.html", "../", POLICY),
    "/console": ("console.html", "", PLOTTED),
    "/dashboard": ("dashboard.html", "", POLICY),
}
"""The documents by their paths, each with the way to the root of the server and its policy."""

_YEAR_S: Final = 31_536_000
_ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Pages:
    """
    Serves the pages, and passes on what is none. *facts* are what a page must know of its server before it can ask:
    each becomes a ``data-`` attribute of the document's root.
    """

    def __init__(
        self,
        app: ASGIApp,
        facts: Mapping[str, str],
        files: PageFiles | None = None,
        documents: Mapping[str, tuple[str, str, str]] = DOCUMENTS,
    ) -> None:
        self._app = app
        self._facts = dict(facts)
        self._files = files or PageFiles()
        loader = PackageLoader("server.pages", "documents")
        self._documents = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
        routes = [
            *(Route(path, self._document(*document)) for path, document in documents.items()),
            Route("/static/{version}/{path:path}", self._file),
        ]
        self._router = Router(routes, redirect_slashes=False, default=app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a page or one of its files, or pass the request on."""
        is_read = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        await (self._router if is_read else self._app)(scope, receive, send)

    def _document(self, name: str, root: str, policy: str) -> ASGIApp:
        static = f"{root}static/{self._files.version}"
        text = self._documents.get_template(name).render(root=root, static=static, facts=self._facts)

        async def answer(_: Request) -> Response:
            headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache", **_ALWAYS}
            return Response(text, media_type="text/html; charset=utf-8", headers=headers)

        return answer  # type: ignore[return-value] # Route takes an endpoint, which its stubs do not say

    async def _file(self, request: Request) -> Response:
        path = request.path_params["path"]
        # The first reader of the plots' library waits for its compression, and nobody else does.
        file = await asyncio.to_thread(self._files.get, path) if path == PLOTLY else self._files.get(path)
        if file is None:
            return PlainTextResponse("no such file; reload the page", 404)
        # Another version is what an old page asks for just after an update: it gets today's, and may not keep it.
        kept = request.path_params["version"] == self._files.version
        headers = {
            "Cache-Control": f"public, max-age={_YEAR_S}, immutable" if kept else "no-store",
            "Vary": "Accept-Encoding",
            **_ALWAYS,
        }
        if "gzip" in Headers(scope=request.scope).get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(file.zipped, media_type=file.media_type, headers=headers)
        return Response(file.content, media_type=file.media_type, headers=headers)
