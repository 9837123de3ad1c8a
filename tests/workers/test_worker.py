"""One worker: it serves by its configuration, or reports why it cannot."""

import subprocess
import sys
from pathlib import Path

import requests

from server.settings import Settings
from server.workers.worker import ENVIRONMENT, READY, WorkerConfig
from tests.conftest import free_port

TIMEOUT_S = 60.0


def start(orders: WorkerConfig) -> "subprocess.Popen[bytes]":
    worker = subprocess.Popen(
        [sys.executable, "-P", "-m", "server.workers.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert worker.stdin is not None
    worker.stdin.write(orders.line())
    worker.stdin.flush()
    return worker


def test_it_serves_until_its_line_is_cut(tmp_path: Path) -> None:
    """Readiness is reported once; the worker stops in order when standard input ends."""
    settings = Settings(port=free_port(), home=tmp_path, insecure=True)
    with start(WorkerConfig(settings.model_dump(mode="json"), str(tmp_path / "0.sock"), [])) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert worker.stdout.readline() == READY
        assert requests.get(f"http://127.0.0.1:{settings.port}/readyz", timeout=TIMEOUT_S).ok
        worker.stdin.close()
        assert worker.wait(TIMEOUT_S) == 0
    assert not (tmp_path / "0.sock").exists()


def test_it_says_why_it_cannot_serve(tmp_path: Path) -> None:
    """A store that is not there is named, with the status for the environment."""
    told = Settings(port=free_port(), home=tmp_path, insecure=True, store_url=f"redis://127.0.0.1:{free_port()}")
    with start(WorkerConfig(told.model_dump(mode="json"), str(tmp_path / "0.sock"), [])) as worker:
        assert worker.stderr is not None
        assert worker.wait(TIMEOUT_S) == ENVIRONMENT
        assert b"does not answer" in worker.stderr.read()
