"""A caller of the HTTP API who believes nothing: every answer must be one that the server's own document declares."""

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import orjson
import requests
from websockets.sync.client import connect

TIMEOUT_S = 30.0
DAY_MS = 86_400_000
MISTAKE = 500  # no route promises one; "default" says what it looks like
JSON = {"Content-Type": "application/json"}


class Caller:
    """Everything a creator, a host and an auditor ask of one server."""

    def __init__(self, url: str, credential: str = "") -> None:
        self.url = url
        self._http = requests.Session()
        self._http.trust_env = False  # it would look for a proxy to this machine before each request
        if credential:
            self._http.headers["Authorization"] = f"Bearer {credential}"
        document = self._http.get(f"{url}/openapi.json", timeout=TIMEOUT_S).json()
        self._declared = {
            (method.upper(), re.compile(re.sub(r"\{\w+\}", "[^/]*", path))): set(operation["responses"])
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, method: str, path: str, *, raw: bytes | str = b"", key: str | None = None) -> requests.Response:
        """Send one request; its status must be declared, and an error has exactly code, detail and rule."""
        headers = {} if key is None else {"Idempotency-Key": key}
        answer = self._http.request(method, self.url + path, data=raw, headers={**JSON, **headers}, timeout=TIMEOUT_S)
        bare = path.partition("?")[0]
        for (declared_method, pattern), statuses in self._declared.items():
            if declared_method == method and pattern.fullmatch(bare):
                declared = str(answer.status_code) in statuses or answer.status_code == MISTAKE
                assert declared, f"{method} {path}: {answer.status_code} is not declared"
        if not answer.ok:
            problem = answer.json()
            assert set(problem) == {"code", "detail", "rule"}, problem
            assert problem["code"]
            assert problem["detail"]
        return answer

    def get(self, path: str) -> Any:
        """Return what a request that must succeed shows."""
        answer = self.ask("GET", path)
        assert answer.ok, answer.text
        return answer.json()

    def post(self, path: str, body: object = None, *, key: str | None = None) -> Any:
        """Return what comes of a step that must succeed."""
        answer = self.ask("POST", path, raw=json.dumps(body), key=key)
        assert answer.ok, answer.text
        return answer.json()

    def refused(self, path: str, body: object = None, *, key: str | None = None) -> tuple[int, str, str]:
        """Return status, code and rule of a step that must be refused."""
        return _refusal(self.ask("POST", path, raw=json.dumps(body), key=key))

    def not_shown(self, path: str) -> tuple[int, str, str]:
        """Return status, code and rule of a question that must not be answered."""
        return _refusal(self.ask("GET", path))

    def creator(self, amount_fen: int = 0, platform: str | None = None) -> str:
        """Return a new creator of a platform (by default lab), with so much money."""
        name = secrets.token_hex(6)
        if amount_fen:
            channel = "bank" if platform == "kuaishou" else None
            self.post(
                f"/api/creators/{name}/recharge", {"amount_fen": amount_fen, "platform": platform, "channel": channel}
            )
        return name

    def room(self, creator_id: str) -> str:
        """Open a new room of a creator."""
        room_id = f"room-{secrets.token_hex(6)}"
        self.post("/api/rooms", {"room_id": room_id, "creator_id": creator_id, "title": "a show"})
        return room_id

    def packet(self, creator_id: str, /, **changes: object) -> str:
        """Create a packet of ten shares and ten yuan."""
        made: dict[str, str] = self.post("/api/packets", terms(creator_id, **changes))
        return made["packet_id"]

    def on_air(self, claim_window_ms: int) -> tuple[str, str, str]:
        """Launch a packet by hand, so that it is open at once; return creator, room and packet."""
        creator_id = self.creator(1000)
        room_id, packet_id = self.room(creator_id), self.packet(creator_id)
        body = {"room_id": room_id, "mode": "manual", "claim_window_ms": claim_window_ms}
        self.post(f"/api/packets/{packet_id}/launch", body)
        return creator_id, room_id, packet_id

    def grab(self, room_id: str, packet_id: str, viewer: str) -> dict[str, Any]:
        """Grab as a viewer and return the receipt."""
        address = f"{self.url.replace('http', 'ws')}/ws/rooms/{room_id}?viewer={viewer}"
        with connect(address, compression=None, proxy=None) as socket:
            socket.send(orjson.dumps({"type": "grab", "packet_id": packet_id, "request_id": "q1"}).decode())
            while True:
                message: dict[str, Any] = orjson.loads(socket.recv(TIMEOUT_S))
                if message["type"] == "receipt":
                    return message

    def books(self, creator_id: str, *, final: bool) -> dict[str, list[dict[str, Any]]]:
        """Return a creator's lines of the books by kind."""
        answer = self.ask("GET", f"/api/books?final={str(final).lower()}")
        lines = [orjson.loads(line) for line in answer.content.splitlines()]
        assert lines[0]["kind"] == "clock"
        assert lines[-1] == {"kind": "end", "final": final}
        ours: dict[str, list[dict[str, Any]]] = {}
        for line in lines[1:-1]:
            if creator_id == line.get("creator_id", line.get("packet_id", "").partition(".")[0]):
                ours.setdefault(line["kind"], []).append(line)
        return ours

    def state(self, creator_id: str) -> dict[str, Any]:
        """Return all that is shown of a creator, but for what time changes by itself."""
        packets = self.get(f"/api/packets?creator_id={creator_id}")
        by_itself = ("phase", "activity", "operations", "operation_states")
        return {
            "funds": self.get(f"/api/creators/{creator_id}/funds"),
            "details": self.get(f"/api/creators/{creator_id}/fund-details?count=1000"),
            "packets": [{name: value for name, value in packet.items() if name not in by_itself} for packet in packets],
            "rooms": [room for room in self.get("/api/rooms") if room["creator_id"] == creator_id],
        }

    @contextmanager
    def nothing_changes(self, creator_id: str) -> Iterator[None]:
        """Assert that what happens in the block leaves no trace in a creator's money, packets and rooms."""
        before = self.state(creator_id)
        yield
        assert self.state(creator_id) == before


def terms(creator_id: str, /, **changes: object) -> dict[str, object]:
    """Return the body that creates a packet of ten shares and ten yuan; for a day, unless it says something else."""
    body = {"creator_id": creator_id, "name": "rain", "share_count": 10, "total_fen": 1000}
    validity = {} if changes.keys() & {"use_for_ms", "use_start_at_ms", "use_end_at_ms"} else {"use_for_ms": DAY_MS}
    return {**body, **(validity if changes.get("platform") else {}), **changes}


def _refusal(answer: requests.Response) -> tuple[int, str, str]:
    assert not answer.ok, answer.text
    problem = answer.json()
    return answer.status_code, problem["code"], problem["rule"]
