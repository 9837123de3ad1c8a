"""A swarm on its own, and how it ends."""

import os
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from loadtest.engines.progress import ProgressFiles
from loadtest.verdict.weigh import Exit
from scripts.commands.swarm import Visit, run_swarm
from tests.waiting import until

NOWHERE = "http://127.0.0.1:9"


class _FullHouse(BaseHTTPRequestHandler):
    """Answers as a Redrain server does, and lets nobody into a room."""

    def do_GET(self) -> None:
        is_clock = self.path == "/api/clock"
        body = b'{"room_ms": 1700000000000, "speed": 1}' if is_clock else b'{"code": "room_full"}'
        self.send_response(200 if is_clock else 503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def full_house() -> Iterator[str]:
    """Return the URL of a server that nobody can join."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _FullHouse) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def test_a_swarm_without_a_server_is_30_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No audience is sent to a server that does not answer."""
    folder = tmp_path / "history"
    code = run_swarm(Visit(NOWHERE, "locust", viewers=3, history=folder, directed=True, processes=1))
    assert code == Exit.ENVIRONMENT
    said = capsys.readouterr().err
    assert f"{NOWHERE}: " in said
    assert "Connection refused" in said


def test_a_swarm_that_nobody_can_join_is_30_with_the_reason(
    full_house: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C ends an audience that was never there, and that is no success."""
    folder = tmp_path / "history"
    ended = threading.Event()

    def interrupt() -> None:
        files = ProgressFiles(folder)
        until(lambda: files.look().failed or ended.is_set())
        if ended.is_set():
            return
        os.kill(os.getpid(), signal.SIGINT)

    impatient = threading.Thread(target=interrupt, daemon=True)
    impatient.start()
    try:
        code = run_swarm(Visit(full_house, "locust", viewers=3, history=folder, directed=True, processes=1))
    finally:
        ended.set()
        impatient.join()
    assert code == Exit.ENVIRONMENT
    assert (
        f"{full_house}: none of 3 viewers got in: connect: HTTP/1.0 503 Service Unavailable" in capsys.readouterr().err
    )
