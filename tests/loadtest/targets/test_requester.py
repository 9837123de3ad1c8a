"""A requester asks again while a store is away or a line breaks, and tells a refusal from a failure."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from loadtest.targets.requester import Requester, SetUpFailed, WasRefused

REFUSAL = {"code": "expired", "detail": "its validity is over", "rule": "DY-USE-2"}


@pytest.mark.parametrize(
    "answer", [(404, b"<html>not here</html>"), (200, b"<html>hello</html>"), (200, {"now": 1}), (200, [1]), (302, b"")]
)
def test_a_server_that_is_not_ours_is_named_as_such(answer: tuple[int, object]) -> None:
    """Whatever answers instead of the clock: the text says what it is not, and what to write for another service."""
    with a_server(answer) as (url, _), pytest.raises(SetUpFailed, match=r"is not a Redrain server.*\[target\]"):
        Requester(url).check_server()


def test_a_server_of_ours_is_known_by_its_clock() -> None:
    """One that asks who one is says so, and is not called another service."""
    with a_server((200, {"room_ms": 1, "speed": 1, "origin_ms": 1, "started_ms": 1})) as (url, _):
        Requester(url).check_server()
    with a_server((401, {"code": "credential_needed"})) as (url, _), pytest.raises(SetUpFailed, match="--token"):
        Requester(url).check_server()


@contextmanager
def a_server(*answers: tuple[int, object] | None) -> Iterator[tuple[str, list[str]]]:
    """Answer one request after another; None breaks the line. Gives the URL and the keys that were sent."""
    left, keys = list(answers), list[str]()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def _answer(self) -> None:
            keys.append(self.headers.get("Idempotency-Key", ""))
            answer = left.pop(0)
            if answer is None:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            body = answer[1] if isinstance(answer[1], bytes) else json.dumps(answer[1]).encode()
            self.send_response(answer[0])
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", keys
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_while_the_store_is_away_the_same_is_asked_again() -> None:
    """With the same key, until there is an answer; a line that breaks meanwhile is no end either."""
    with a_server((503, {"code": "unavailable"}), None, (201, {"order_id": "a.1"})) as (url, keys):
        assert Requester(url).post("/api/orders", {}, key="k1") == {"order_id": "a.1"}
    assert keys == ["k1"] * 3


def test_a_refusal_has_its_code_and_rule() -> None:
    """Whoever asks can tell by which rule it was refused; the text says what was asked."""
    with (
        a_server((409, REFUSAL)) as (url, _),
        pytest.raises(WasRefused, match=r"POST /api/orders/a.1/pay: 409") as told,
    ):
        Requester(url).post("/api/orders/a.1/pay", {}, key="k")
    assert (told.value.code, told.value.rule, told.value.detail) == ("expired", "DY-USE-2", "its validity is over")


@pytest.mark.parametrize("body", [b"not JSON", ["no object"], {"nothing": "said"}])
def test_what_is_no_refusal_is_a_failure(body: object) -> None:
    """A server that answers otherwise than its API says is told of by what it said."""
    with a_server((500, body)) as (url, _), pytest.raises(SetUpFailed, match="GET /api/clock: 500") as told:
        Requester(url).get("/api/clock")
    assert not isinstance(told.value, WasRefused)


def test_a_server_that_is_gone_is_gone() -> None:
    """After a few broken lines in a row nobody is asked any more."""
    with a_server(None, None, None) as (url, keys), pytest.raises(requests.ConnectionError):
        Requester(url).get("/api/clock", room_id="r")
    assert len(keys) == 3
