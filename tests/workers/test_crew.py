"""Several workers on one port: they serve as one, one that dies is replaced, and they end with their parent."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect

from loadtest.engines.child_process import ProcessFailed
from loadtest.run.server_process import ServerProcess
from server.app import CannotServe
from server.settings import Settings
from server.workers.crew import serve_with_workers
from tests.conftest import free_port
from tests.waiting import PATIENCE_S, until


def of_two(folder: Path) -> ServerProcess:
    return ServerProcess(folder, ["--workers", "2", "--durability", "relaxed", "--limits", "load"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, Path]]:
    """Run a server of two workers, in a folder; none of them is left when it has stopped."""
    folder = tmp_path_factory.mktemp("crew")
    running = of_two(folder)
    workers: list[int] = []
    try:
        running.wait_until_ready()
        yield running, folder
        workers = pids(folder)
    finally:
        status = running.stop()
    assert status == 0, running.tail()
    assert not any(psutil.pid_exists(pid) for pid in (*workers, *pids_left(folder)))


def pids(folder: Path) -> list[int]:
    """Return who works, as the parent wrote it down."""
    (roll,) = (folder / "home/workers").glob("*.json")
    who: list[int] = json.loads(roll.read_bytes())
    return who


def sample(url: str, name: str) -> float:
    answer = requests.get(f"{url}/metrics", timeout=PATIENCE_S)
    families = text_string_to_metric_families(answer.text)
    return next(each.value for family in families for each in family.samples if each.name == name)


def ready(url: str) -> bool:
    return requests.get(f"{url}/readyz", timeout=PATIENCE_S).ok


def open_a_room(url: str) -> None:
    answer = requests.post(f"{url}/api/rooms", json={"room_id": "r1", "creator_id": "anna"}, timeout=PATIENCE_S)
    assert answer.status_code == 201


def test_whichever_is_asked_answers_for_all(server: tuple[ServerProcess, Path]) -> None:
    """Connections, audience and counters are sums over all workers; both get some of the viewers."""
    running, folder = server
    url = running.wait_until_ready()
    open_a_room(url)
    with ExitStack() as stack:
        for number in range(24):
            line = stack.enter_context(connect(f"{url.replace('http', 'ws')}/ws/rooms/r1?viewer=v{number}", proxy=None))
            assert '"welcome"' in str(line.recv(PATIENCE_S))
        shares = [len(psutil.Process(pid).net_connections("tcp")) for pid in pids(folder)]
        assert all(share > 1 for share in shares), shares
        for _ in range(6):
            assert sample(url, "redrain_connections") == 24
            assert sample(url, "redrain_workers") == 2
            assert requests.get(f"{url}/api/rooms/r1", timeout=PATIENCE_S).json()["audience"] == 24


def test_a_worker_that_dies_is_replaced(server: tuple[ServerProcess, Path]) -> None:
    """The parent reports it; meanwhile the server is not ready, but serves."""
    running, folder = server
    url = running.wait_until_ready()
    before = pids(folder)
    os.kill(before[0], signal.SIGKILL)
    until(lambda: pids(folder) != before)
    assert requests.get(f"{url}/healthz", timeout=PATIENCE_S).ok
    until(lambda: ready(url))
    assert pids(folder)[1] == before[1]
    assert "was ended by SIGKILL" in running.tail()
    until(lambda: not psutil.pid_exists(before[0]))


def pids_left(folder: Path) -> list[int]:
    return [int(path.stem.partition("-")[0]) for path in (folder / "home/workers").iterdir()]


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    """Even a parent that is killed leaves no worker behind, and no store."""
    server = of_two(tmp_path)
    server.wait_until_ready()
    workers = pids(tmp_path)
    store = json.loads((tmp_path / "home/store/store.lock").read_bytes())["pid"]
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: not any(psutil.pid_exists(pid) for pid in (*workers, store)))
    assert server.stop() == -signal.SIGKILL


async def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    """Workers do not share their port with other programs."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(port=taken.getsockname()[1], workers=2, home=tmp_path, insecure=True)
        with pytest.raises(CannotServe, match=r"port: .*--port"):
            await serve_with_workers(settings, print, print)
    assert not (tmp_path / "store").exists()


def test_a_crew_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers without their store end the whole server, with the reason and the status for the environment."""
    monkeypatch.setenv("REDRAIN_STORE_URL", f"redis://127.0.0.1:{free_port()}")
    server = ServerProcess(tmp_path, ["--workers", "2"])
    with pytest.raises(ProcessFailed, match="does not answer") as failed:
        server.wait_until_ready()
    assert failed.value.exit_code == 30
    server.stop()
