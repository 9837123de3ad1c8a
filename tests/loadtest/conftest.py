"""A room server in a process of its own, so that no event loop of ours meets gevent."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

FAKE_ROOM = Path(__file__).with_name("fake_room.py")


@pytest.fixture(scope="session")
def fake_room() -> Iterator[str]:
    """Run a fake room server with twenty shares a packet; return its base URL."""
    with subprocess.Popen([sys.executable, str(FAKE_ROOM), "20"], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        port = orjson.loads(server.stdout.readline())["port"]
        yield f"http://127.0.0.1:{port}"
        server.terminate()
