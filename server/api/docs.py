"""The API's page at ``/docs``: Swagger UI from a package, so that it works without a network."""

from importlib import resources
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import FileResponse, Response

PAGE: Final = "/docs"
_FOLDER: Final = Path(str(resources.files("fastapi_offline"))) / "static"
_FILES: Final = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png")
PATHS: Final = frozenset({PAGE, *(f"{PAGE}/{name}" for name in _FILES)})


def install(app: FastAPI) -> None:
    """Add the page and its files to *app*. All URLs in it are relative: a proxy may serve it under a prefix."""

    async def page(_: Request) -> Response:
        script, style, icon = (f"docs/{name}" for name in _FILES)
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title=app.title,
            swagger_js_url=script,
            swagger_css_url=style,
            swagger_favicon_url=icon,
            swagger_ui_parameters={"validatorUrl": None},  # its default sends the document to another host
        )

    async def file(request: Request) -> Response:
        return FileResponse(_FOLDER / request.url.path.rpartition("/")[2])

    app.add_route(PAGE, page, include_in_schema=False)
    for path in PATHS - {PAGE}:
        app.add_route(path, file, include_in_schema=False)
