"""The run's own requests: steps before and in time, and books from an address or a file in every form."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from loadtest.run import run_requests
from loadtest.run.run_requests import RunRequests, wait_until
from loadtest.targets.port import BadTarget
from loadtest.targets.requester import SetUpFailed
from tests.loadtest.targets.described import HTTP, scenario
from tests.loadtest.targets.free_port import free_port

ROWS = [{"p": "p1", "u": "v0", "yuan": 0.29, "id": 1}, {"p": "p1", "u": "v1", "yuan": 1.1, "id": 2}]
BOOKS = {
    "/books.json": ("application/json", json.dumps({"data": ROWS})),
    "/books.ndjson": ("application/x-ndjson; charset=utf-8", "\n".join(map(json.dumps, ROWS))),
    "/books.csv": ("text/csv", "p,u,yuan,id\np1,v0,0.29,1\np1,v1,1.10,2\n"),
}
COLUMNS = {"packet": "p", "viewer": "u", "amount_yuan": "yuan", "claim_id": "id"}
CLAIMS = [("p1", "v0", 29, "1"), ("p1", "v1", 110, "2")]


class Answers(BaseHTTPRequestHandler):
    """Remembers what it was asked, and answers what is in ``BOOKS``; ``/no`` is refused."""

    asked: list[tuple[float, str, dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.asked.append((time.monotonic(), self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        kind, text = BOOKS.get(self.path, ("text/plain", "done"))
        self.send_response(403 if self.path == "/no" else 200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST  # noqa: N815 - as above

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[tuple[str, list[tuple[float, str, dict[str, str], bytes]]]]:
    """Run a service, and give its URL and what it is asked."""
    asked: list[tuple[float, str, dict[str, str], bytes]] = []
    handler = type("Handler", (Answers,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def requests_of(url: str, folder: Path = Path(), **target: Any) -> RunRequests:
    return RunRequests(scenario({**HTTP, **target}), base_url=url, folder=folder)


def books_of(url: str, folder: Path, **books: Any) -> list[tuple[str, str, int | None, str | None]]:
    whole = scenario({**HTTP, "books": {"columns": COLUMNS, **books}})
    assert whole.target.books is not None
    claims = RunRequests(whole, base_url=url, folder=folder).books(whole.target.books)
    return [(claim.packet_id, claim.viewer_id, claim.amount_fen, claim.claim_id) for claim in claims]


def test_steps_are_made_before_and_in_time(service: Any) -> None:
    """In the order of their times, not of the file; each signed and filled like any other request."""
    url, asked = service
    steps = [
        {"request": "POST /later", "at_ms": 200},
        {"request": "POST /sooner", "at_ms": 50},
        {"request": "POST /first", "json": {"at": "{timestamp_s}"}, "headers": {"X-Sign": "{signature}"}},
    ]
    run = requests_of(url, steps=steps, sign={"key": "k", "text": "{body}"})
    run.prepare()
    (_, path, headers, body) = asked[0]
    assert (path, len(headers["x-sign"]), abs(json.loads(body)["at"] - time.time()) < 60) == ("/first", 64, True)  # noqa: TID251 - the wall clock is what it says
    start_ns = time.monotonic_ns()
    run.send_in_time(start_ns, lambda: False)
    assert [path for _, path, _, _ in asked[1:]] == ["/sooner", "/later"]
    assert asked[1][0] >= start_ns / 1e9 + 0.05
    assert asked[2][0] >= start_ns / 1e9 + 0.2


def test_whoever_is_stopped_makes_no_more_steps(service: Any) -> None:
    url, asked = service
    requests_of(url, steps=[{"request": "POST /never", "at_ms": 0}]).send_in_time(time.monotonic_ns(), lambda: True)
    assert asked == []
    wait_until(time.monotonic_ns() + 10**12, lambda: True)


def test_a_step_that_is_refused_or_not_answered_ends_the_run(service: Any) -> None:
    url, _ = service
    with pytest.raises(SetUpFailed, match=r"target\.steps: POST .*/no answered 403"):
        requests_of(url, steps=[{"request": "POST /no"}]).prepare()
    with pytest.raises(SetUpFailed, match=r"target\.steps: .* does not answer"):
        requests_of(f"http://127.0.0.1:{free_port()}", steps=[{"request": "POST /x"}]).prepare()


def test_a_place_that_only_viewers_have_is_said_before_the_run() -> None:
    steps = [{"request": "POST /x"}, {"request": "POST /x", "json": {"u": "{viewer}"}}]
    with pytest.raises(BadTarget, match=r"target\.steps\.1\.json\.u: \{viewer\} has no value here"):
        requests_of("http://127.0.0.1:1", steps=steps)
    books = {"source": "GET /x", "columns": COLUMNS, "headers": {"Authorization": "{token}"}}
    with pytest.raises(BadTarget, match=r"target\.books\.headers\.Authorization: \{token\} has no value here"):
        requests_of("http://127.0.0.1:1", books=books)


@pytest.mark.parametrize(("path", "rows"), [("/books.json", "data"), ("/books.ndjson", None), ("/books.csv", None)])
def test_books_come_from_an_address(path: str, rows: str | None, service: Any, tmp_path: Path) -> None:
    """The answer says of which form it is."""
    assert books_of(service[0], tmp_path, source=f"GET {path}", rows=rows) == CLAIMS


@pytest.mark.parametrize(("path", "rows"), [("/books.json", "data"), ("/books.ndjson", None), ("/books.csv", None)])
def test_books_come_from_a_file(path: str, rows: str | None, tmp_path: Path) -> None:
    """The name says of which form it is, and ``format`` says it for other names."""
    (tmp_path / path.strip("/")).write_text(BOOKS[path][1])
    (tmp_path / "export.txt").write_text(BOOKS[path][1])
    url = "http://127.0.0.1:1"
    assert books_of(url, tmp_path, source=f"file:{path.strip('/')}", rows=rows) == CLAIMS
    assert books_of(url, tmp_path, source="file:export.txt", rows=rows, format=path.rpartition(".")[2]) == CLAIMS


@pytest.mark.parametrize(
    ("books", "said"),
    [
        ({"source": "file:gone.csv"}, r"target\.books\.source: .*gone\.csv cannot be read"),
        ({"source": "file:bad.json"}, r"target\.books: the books are not JSON"),
        ({"source": "file:huge.json"}, r"target\.books: row 1: amount_yuan: must be a number below"),
    ],
)
def test_books_that_cannot_be_read_are_said(books: dict[str, Any], said: str, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("[")
    (tmp_path / "huge.json").write_text(json.dumps([{**ROWS[0], "yuan": "1e999999999"}]))
    with pytest.raises(SetUpFailed, match=said):
        books_of("http://127.0.0.1:1", tmp_path, **books)


def test_books_are_read_within_a_bound(service: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that answers without end, a file that is too long, and none at all end the run with a message."""
    monkeypatch.setattr(run_requests, "BOOKS_BYTES_MAX", 10)
    with pytest.raises(SetUpFailed, match=r"books\.source: .* answers more than 10 bytes"):
        books_of(service[0], tmp_path, source="GET /books.json")
    (tmp_path / "books.json").write_bytes(b"[]" + b" " * 20)
    for name, said in (("books.json", "more than 10 bytes"), ("missing.json", "No such file")):
        with pytest.raises(SetUpFailed, match=said):
            books_of(service[0], tmp_path, source=f"file:{name}")
