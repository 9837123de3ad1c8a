"""A server whose store is away: it keeps its viewers, says so at once, and takes up everything when it is back."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import redis
import requests
from websockets.sync.client import ClientConnection, connect

from loadtest.run.server_process import ServerProcess
from loadtest.verdict.weigh import Exit
from scripts.commands.accept_loss import run_accept_loss
from tests.waiting import until

TIMEOUT_S = 30.0


@contextmanager
def _a_server(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    """Serve from the folder; the block gets the URL and the process of the store."""
    server = ServerProcess(folder, ["--limits", "load"])
    try:
        url = server.wait_until_ready()
        pid = json.loads((folder / "home/store/store.lock").read_text())["pid"]
        yield url, psutil.Process(pid)
    finally:
        server.stop()


def _do(url: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = requests.post(f"{url}/api/{path}", json=body, timeout=TIMEOUT_S)
    assert answer.ok, answer.text
    done: dict[str, Any] = answer.json()
    return done


def _launch(url: str) -> str:
    """Open a room and launch a packet that can be grabbed in a moment, for two seconds."""
    _do(url, "creators/anna/recharge", {"amount_fen": 1_000})
    _do(url, "rooms", {"room_id": "stage", "creator_id": "anna"})
    packet_id: str = _do(url, "packets", {"creator_id": "anna", "name": "rain", "share_count": 10, "total_fen": 1_000})[
        "packet_id"
    ]
    launch = {"room_id": "stage", "mode": "relative", "delay_ms": 300, "claim_window_ms": 2_000}
    _do(url, f"packets/{packet_id}/launch", launch)
    return packet_id


def _hear(viewer: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        message: dict[str, Any] = json.loads(viewer.recv(TIMEOUT_S))
        if message["type"] == kind:
            return message


def _grab(viewer: ClientConnection, packet_id: str, request_id: str) -> dict[str, Any]:
    viewer.send(json.dumps({"type": "grab", "packet_id": packet_id, "request_id": request_id}))
    return _hear(viewer, "receipt")


def _ready(url: str) -> int:
    return requests.get(f"{url}/readyz", timeout=TIMEOUT_S).status_code


def test_viewers_stay_while_the_store_is_away_and_learn_what_became_of_everything(tmp_path: Path) -> None:
    """Grabs are unavailable; the same request has one outcome before and after; what fell due meanwhile is done."""
    with _a_server(tmp_path) as (url, store):
        packet_id = _launch(url)
        with connect(f"{url.replace('http', 'ws')}/ws/rooms/stage?viewer=v1") as viewer:
            _hear(viewer, "open")
            won = _grab(viewer, packet_id, "q1")
            assert won["status"] == "granted"
            assert _ready(url) == 200

            supervising = store.parent()
            assert supervising is not None
            supervising.suspend()  # or the store would be back before anybody could look
            store.kill()
            until(lambda: _ready(url) == 503)
            assert requests.get(f"{url}/api/books", timeout=TIMEOUT_S).status_code == 503
            assert requests.get(f"{url}/healthz", timeout=TIMEOUT_S).ok
            assert [_grab(viewer, packet_id, "q2")["status"] for _ in range(3)] == ["unavailable"] * 3
            time.sleep(2.5)  # the window ends while nobody can say so
            supervising.resume()

            assert _hear(viewer, "closed")["packet_id"] == packet_id
            assert _hear(viewer, "result")["granted_count"] == 1
            assert _grab(viewer, packet_id, "q1") == won
            assert _grab(viewer, packet_id, "q2")["status"] == "repeated"
            until(lambda: _ready(url) == 200)
        packet = requests.get(f"{url}/api/packets/{packet_id}", timeout=TIMEOUT_S).json()
        assert packet["state"] == "settled"
        assert packet["given_fen"] + packet["returned_fen"] == 1_000
        assert requests.get(f"{url}/api/books?final=true", timeout=TIMEOUT_S).ok


def test_a_store_that_hangs_makes_the_server_not_ready_within_a_second(tmp_path: Path) -> None:
    """A probe has little patience; it is told, and told again when the store goes on."""
    with _a_server(tmp_path) as (url, store):
        os.kill(store.pid, signal.SIGSTOP)
        try:
            assert _ready(url) == 503
        finally:
            os.kill(store.pid, signal.SIGCONT)
        until(lambda: _ready(url) == 200)


def test_a_store_that_lost_its_books_gets_no_grab_until_the_loss_is_accepted(tmp_path: Path) -> None:
    """Readiness, API and log name the loss and what to do; grabs are unavailable; nobody is dropped."""
    with _a_server(tmp_path) as (url, _):
        packet_id = _launch(url)
        with connect(f"{url.replace('http', 'ws')}/ws/rooms/stage?viewer=v1") as viewer:
            _hear(viewer, "open")
            assert _grab(viewer, packet_id, "q1")["status"] == "granted"
            time.sleep(0.3)  # longer than the witness may lag
            with redis.Redis(unix_socket_path=str(tmp_path / "home/store/store.sock")) as store:
                store.flushall()
            until(lambda: requests.get(f"{url}/readyz", timeout=TIMEOUT_S).json().get("code") == "books_behind")
            lost = requests.get(f"{url}/readyz", timeout=TIMEOUT_S).json()
            assert "anna: all up to journal entry" in lost["detail"]
            refused = requests.post(f"{url}/api/creators/anna/recharge", json={"amount_fen": 1}, timeout=TIMEOUT_S)
            assert (refused.status_code, refused.json()["code"]) == (503, "books_behind")
            assert _grab(viewer, packet_id, "q2")["status"] == "unavailable"
            assert requests.get(f"{url}/api/books", timeout=TIMEOUT_S).ok
        log = (tmp_path / "server.log").read_text()
        assert log.count("no money moves and no window opens: the store is empty") == 1
        assert f"redrain store accept-loss --home {tmp_path}/home" in log
    assert run_accept_loss(tmp_path / "home", str(tmp_path / "loss.json"), accept=True) == Exit.PASS
    told = json.loads((tmp_path / "loss.json").read_text())
    assert (told["missing"], told["accepted"], list(told["creators"])) == (True, True, ["anna"])
    (tmp_path / "server.url").unlink()
    with _a_server(tmp_path) as (url, _):
        assert _ready(url) == 200
        _do(url, "creators/anna/recharge", {"amount_fen": 1_000})
