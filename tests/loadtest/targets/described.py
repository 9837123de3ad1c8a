"""Services as scenarios describe them, for the tests of their targets."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from client_sim.behaviour import Behaviour, Seat
from client_sim.message_cache import CachedMessage
from client_sim.recorder import Recorder
from client_sim.viewer import Viewer
from loadtest.scenarios.target_scenario import ROOM, TargetScenario
from loadtest.targets.http import HttpSession, HttpTarget
from loadtest.targets.registry import target_of
from loadtest.targets.websocket import JsonSocketSession, WebSocketTarget
from server.core.ids import ViewerId

OPENSSL = shutil.which("openssl")
BASE_URL = "http://127.0.0.1:9000"
WORDS = {"granted": ["OK"], "repeated": ["ALREADY"], "exhausted": ["SOLD_OUT"]}
HTTP: dict[str, Any] = {
    "kind": "http",
    "base_url": BASE_URL,
    "grab": {"request": "POST /grab/{packet}", "json": {"user": "{viewer}", "id": "{request_id}"}},
    "receipt": {"status": "code", "words": WORDS, "amount_fen": "cents", "claim_id": "id"},
}
LOGIN = {"request": "POST /login", "json": {"user": "{viewer}"}, "take": {"token": "data.token"}}
SOCKET: dict[str, Any] = {
    "kind": "websocket",
    "base_url": "ws://127.0.0.1:9001",
    "connect": {
        "path": "/room/{viewer}", "hello": [{"user": "{viewer}"}], "ready": {"path": "type", "equals": "joined"},
    },
    "opening": {"where": {"path": "type", "equals": "go"}, "packet": "packet"},
    "grab": {"send": {"action": "grab", "id": "{request_id}", "of": "{packet}"}},
    "receipt": {
        "match": "id", "where": {"path": "type", "equals": "result"}, "status": "code", "words": WORDS,
        "amount_fen": "cents",
    },
}  # fmt: skip
PACKET = {"packet_id": "p1", "share_count": 2, "opens": "at_once"}


def scenario(target: dict[str, Any], *, viewers: int = 3, **fields: Any) -> TargetScenario:
    """Return a scenario that aims at *target*."""
    table = {"name": "theirs", "target": target, "packets": [PACKET], "audience": {"viewers": viewers}}
    return TargetScenario.model_validate(table | fields)


def http_target(*, folder: Path = Path(), **fields: Any) -> HttpTarget:
    """Return an HTTP target with some fields of its own."""
    target = target_of(scenario(HTTP | fields), host="", folder=folder)
    assert isinstance(target, HttpTarget)
    return target


def socket_target(**fields: Any) -> WebSocketTarget:
    """Return a WebSocket target with some fields of its own."""
    target = target_of(scenario(SOCKET | fields), host="", folder=Path())
    assert isinstance(target, WebSocketTarget)
    return target


def a_viewer(number: int = 0, recorder: Recorder | None = None) -> Viewer:
    """Return the viewer of a seat."""
    seat = Seat(number, ViewerId(f"v{number}"), 0, ROOM, Behaviour.EAGER)
    return Viewer(seat, 1, 10, recorder or Recorder(None))


def http_session(target: HttpTarget, number: int = 0) -> HttpSession:
    """Return a viewer's session over HTTP."""
    return target.session(a_viewer(number), target.addresses[0])


def socket_session(target: WebSocketTarget, number: int = 0) -> JsonSocketSession:
    """Return a viewer's session over a WebSocket."""
    return target.session(a_viewer(number), target.addresses[0])


def told(messages: Any) -> list[tuple[str, Any]]:
    """Return what messages say, each in brief: its kind, and the status or the request id that it is about."""
    return [(message.kind, _gist(message)) for message in messages]


def _gist(message: CachedMessage) -> Any:
    body = message.body
    return body.get("status") or body.get("request_id") or body.get("packet_id")


def a_certificate(folder: Path) -> tuple[Path, Path]:
    """Return a new certificate of this machine that nobody but itself vouches for, and its key."""
    assert OPENSSL is not None
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = [OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=redrain test"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(cert), "-keyout", str(key)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return cert, key
