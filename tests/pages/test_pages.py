"""The pages over HTTP: documents and files, their headers, and that everything else goes to the API."""

import re
import socket
import threading
from collections.abc import Iterator

import pytest
import requests
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from server.pages.pages import Pages
from tests.waiting import PATIENCE_S

DOCUMENTS = ("/", "/live/anna-live", "/console", "/dashboard")


class Client:
    """Calls the pages over a socket, with paths as they are written."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._session = requests.Session()
        self._session.trust_env = False

    def get(self, path: str, headers: dict[str, str] | None = None) -> requests.Response:
        return self._session.get(self._base_url + path, headers=headers, timeout=PATIENCE_S)

    def post(self, path: str) -> requests.Response:
        return self._session.post(self._base_url + path, timeout=PATIENCE_S)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    app = Starlette(routes=[Route("/api/x", lambda _: PlainTextResponse("the API"))])
    app.add_middleware(Pages, facts={"insecure": '<"yes">'})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield Client(f"http://127.0.0.1:{listener.getsockname()[1]}")
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_runs_no_script_but_its_files(client: Client, path: str) -> None:
    """The policy allows no inline script, and the document holds none, nor a handler or a foreign address."""
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert answer.headers["cache-control"] == "no-cache"
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|https?://(?!www\.w3\.org)", answer.text)
    assert 'data-insecure="&lt;&#34;yes&#34;&gt;"' in answer.text  # escaped by construction


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_file_of_a_document_is_served_and_may_be_kept(client: Client, path: str) -> None:
    found = re.findall(r'(?:href|src)="([^"#]*/static/[^"#]+|static/[^"#]+)"', client.get(path).text)
    assert len(found) >= 3
    for url in found:
        answer = client.get(f"/{url.removeprefix('../')}")
        assert answer.status_code == 200, url
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_file_of_another_version_is_not_kept(client: Client) -> None:
    assert client.get("/static/0000/shared/dom.js").headers["cache-control"] == "no-store"
    assert client.get("/static/0000/shared/none.js").status_code == 404
    assert client.get("/static/0000/../pages.py").status_code == 404


def test_a_browser_that_takes_gzip_gets_it(client: Client) -> None:
    path = "/static/x/shared/dom.js"
    zipped = client.get(path, headers={"accept-encoding": "gzip"})
    plain = client.get(path, headers={"accept-encoding": "identity"})
    assert zipped.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert zipped.text == plain.text


def test_plots_are_drawn_by_the_library_of_the_package(client: Client) -> None:
    answer = client.get("/static/x/plotly.min.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert len(answer.content) > 1_000_000


def test_everything_else_is_passed_on(client: Client) -> None:
    assert client.get("/api/x").text == "the API"
    assert client.get("/nowhere").status_code == 404
    assert client.post("/console").status_code == 404
