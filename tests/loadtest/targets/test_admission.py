"""The way in: tickets are asked for a few at a time, and a server that admits nobody is understood."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from loadtest.targets.admission import TICKETS_IN_FLIGHT_MAX, TicketClient


class Office(ThreadingHTTPServer):
    """A server that gives tickets to who shows ``good``, and remembers how many asked at a time."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Window)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.keys: list[str] = []
        self.here = self.most = 0
        self.lock = threading.Lock()
        self.full = threading.Event()


class Window(BaseHTTPRequestHandler):
    """One who is served."""

    server: Office
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer when as many have come as may, or after a moment."""
        office = self.server
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with office.lock:
            office.here += 1
            office.most = max(office.most, office.here)
            office.keys.append(self.headers["Idempotency-Key"])
            if office.here >= TICKETS_IN_FLIGHT_MAX:
                office.full.set()
        office.full.wait(5)
        with office.lock:
            office.here -= 1
        good = self.headers["Authorization"] == "Bearer good"
        told: dict[str, Any] = {"ticket": f"{self.path} {asked['viewer_id']}"} if good else {"code": "bad_credential"}
        body = json.dumps(told).encode()
        self.send_response(201 if good else 401)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def office() -> Iterator[Office]:
    """Open one, and close it."""
    with Office() as opened:
        thread = threading.Thread(target=opened.serve_forever, args=(0.01,))
        thread.start()
        yield opened
        opened.shutdown()
        thread.join()


def test_a_crowd_asks_a_few_at_a_time(office: Office) -> None:
    """Each gets its own ticket under a key of its own, and never do more ask at once than may."""
    tickets = TicketClient(office.url, "good")
    with ThreadPoolExecutor(3 * TICKETS_IN_FLIGHT_MAX) as crowd:
        got = list(crowd.map(lambda n: tickets.ask("r1", f"v{n}"), range(5 * TICKETS_IN_FLIGHT_MAX)))
    assert got == [f"/api/rooms/r1/tickets v{n}" for n in range(5 * TICKETS_IN_FLIGHT_MAX)]
    assert office.most == TICKETS_IN_FLIGHT_MAX
    assert len(set(office.keys)) == len(got)


def test_who_gets_no_ticket_is_told_why(office: Office) -> None:
    """The status comes first, as that of a handshake does; a server that is not there is no answer at all."""
    office.full.set()
    with pytest.raises(match=r"^401 .*--token or REDRAIN_TOKEN"):
        TicketClient(office.url, "bad").ask("r1", "v1")
    with pytest.raises(match=r"^no ticket: ConnectionError"):
        TicketClient("http://127.0.0.1:1", "good").ask("r1", "v1")
