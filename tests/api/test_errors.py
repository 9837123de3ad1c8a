"""Refusals over HTTP: one form, one status for each code, all of them declared; and the store may be away."""

import ast
import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests

from loadtest.run.server_process import ServerProcess
from server.api.errors import STATUS
from server.core.ids import CreatorId, PacketId
from server.store import keys, transfers
from server.store.embedded.process import EmbeddedStore
from tests.api.caller import Caller, terms
from tests.conftest import free_port
from tests.waiting import until

ROOT = Path(__file__).parents[2]


def raised_codes() -> Iterator[str]:
    """Yield every code with which something in the server is refused."""
    for path in (ROOT / "server").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Refused", "Raced"):
                yield from (str(code.value) for code in node.args[:1] if isinstance(code, ast.Constant))
    yield from (words.rpartition(" ")[2] for words in transfers._REFUSALS)


def test_every_code_has_a_status() -> None:
    """Every code refused in the server is in the table, and the table has no unused code."""
    assert sorted(set(raised_codes())) == sorted(STATUS)


def test_every_outcome_of_a_script_is_an_answer() -> None:
    """Every outcome of a money script is done, repeated, or a known refusal."""
    outcomes = {
        outcome
        for name in ("recharge", "withdraw_request", "coupon_fund", "invoice_request", "stage", "create", "launch")
        for outcome in re.findall(r"return \{? ?'(\w+)'", (ROOT / f"server/store/lua/{name}.lua").read_text("utf-8"))
    }
    assert outcomes - {"done", "repeated", "staged", "launched", "validity_over"} <= set(STATUS)  # out_of_range


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param("{", id="a brace"),
        pytest.param("{'amount_fen': 1}", id="other quotes"),
        pytest.param('{"amount_fen": 1', id="half"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param("[" * 20_000, id="a deep one"),
        pytest.param('{"amount_fen": ' + "9" * 5_000 + "}", id="an endless number"),
    ],
)
def test_what_is_no_json_is_400(api: Caller, raw: str | bytes) -> None:
    """A body that cannot be read is told apart from one that says something wrong."""
    creator_id = api.creator(100)
    with api.nothing_changes(creator_id):
        answer = api.ask("POST", f"/api/creators/{creator_id}/recharge", raw=raw)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")


def test_malformed_json_says_where(api: Caller) -> None:
    """The error gives the position in the JSON."""
    answer = api.ask("POST", "/api/rooms", raw='{"room_id": nope}')
    assert answer.json()["detail"] == "Expecting value, at character 12"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/rooms/r", "GET"),
        ("GET", "/api/creators/anna/recharge", "POST"),
        ("POST", "/healthz", "GET"),
        ("POST", "/docs", "GET"),
    ],
)
def test_a_wrong_method_is_405(api: Caller, method: str, path: str, allowed: str) -> None:
    """The answer says which methods there are."""
    answer = api.ask(method, path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert allowed in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/api", "/api/viewers", "/nowhere"])
def test_an_unknown_path_is_404(api: Caller, path: str) -> None:
    """Outside the API too, an error has the one form."""
    assert api.not_shown(path) == (404, "not_found", "")


def test_a_form_is_no_json(api: Caller) -> None:
    """A body of another type is refused as such, and so is what a foreign page sends; nothing comes of either."""
    room_id = secrets.token_hex(6)
    room = {"room_id": room_id, "creator_id": "c"}
    page, rebound = {"Origin": "http://evil.example"}, {"Host": "evil.example"}
    for code, answer in (
        ("not_json", requests.post(f"{api.url}/api/rooms", data=room, timeout=30)),
        ("not_json", requests.post(f"{api.url}/api/rooms", data=json.dumps(room), timeout=30)),
        ("origin_not_allowed", requests.post(f"{api.url}/api/rooms", json=room, headers=page, timeout=30)),
        ("host_not_allowed", requests.post(f"{api.url}/api/rooms", json=room, headers=rebound, timeout=30)),
    ):
        assert answer.status_code == (415 if code == "not_json" else 403)
        assert set(answer.json()) == {"code", "detail", "rule"}
        assert answer.json()["code"] == code
    assert api.not_shown(f"/api/rooms/{room_id}")[0] == 404
    counted = api.ask("GET", "/metrics").text
    assert 'redrain_requests_refused_total{code="not_json"} ' in counted
    assert requests.post(f"{api.url}/api/rooms", json=room, headers={"Origin": api.url}, timeout=30).status_code == 201


def test_the_documents_answer(api: Caller) -> None:
    """A person can read the API, and a machine can."""
    assert "swagger" in api.ask("GET", "/docs").text.lower()
    document = api.get("/openapi.json")
    assert document["info"]["title"] == "Redrain"


def test_every_route_declares_its_problems_in_the_one_form(api: Caller) -> None:
    """No route promises an error in another form, and each error's status is one that the product uses."""
    schema = {"$ref": "#/components/schemas/Problem"}
    for path, operations in api.get("/openapi.json")["paths"].items():
        for operation in operations.values():
            assert "default" in operation["responses"], path
            for status, response in operation["responses"].items():
                if not status.startswith("2"):
                    assert response["content"]["application/json"]["schema"] == schema, (path, status)
    problem = api.get("/openapi.json")["components"]["schemas"]["Problem"]
    assert set(problem["properties"]) == {"code", "detail", "rule"}


class Doomed:
    """A server on a store that the test may break."""

    api: Caller

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        self.start_store()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("REDRAIN_STORE_URL", f"redis://127.0.0.1:{self._port}")
            self.server = ServerProcess(folder, ["--guests"])

    def start_store(self) -> None:
        self.store = EmbeddedStore.start(self._folder / "store", port=self._port)


@pytest.fixture
def doomed(tmp_path: Path) -> Iterator[Doomed]:
    """Run a server of its own, with a store of its own."""
    opened = Doomed(tmp_path)
    try:
        with Caller(opened.server.wait_until_ready()) as opened.api:
            yield opened
    finally:
        opened.server.stop()
        opened.store.stop()


def _bodies(creator_id: str, room_id: str) -> dict[str, object]:
    """Return a body for each route that takes one."""
    line = {"line_id": "l", "product_id": "p", "list_price_fen": 100, "creator_id": creator_id}
    purchase = {"viewer_id": "vera", "lines": [line]}
    return {
        "/api/creators/{creator_id}/recharge": {"amount_fen": 7},
        "/api/creators/{creator_id}/withdrawals": {"amount_fen": 7},
        "/api/creators/{creator_id}/coupon-budgets": {"amount_fen": 7},
        "/api/creators/{creator_id}/invoices": {"from_ms": 0, "to_ms": 1},
        "/api/creators/{creator_id}/permissions": {"permissions": []},
        "/api/creators/{creator_id}/profile": {"name": "Anna"},
        "/api/packets/{packet_id}/preview-launch": {"room_id": room_id, "mode": "manual"},
        "/api/packets/preview-split": {"creator_id": creator_id, "share_count": 2, "total_fen": 4},
        "/api/viewers/{viewer_id}/messages/read": {"received_at_ms": 1},
        "/api/rooms": {"room_id": "another", "creator_id": creator_id},
        "/api/rooms/{room_id}/tickets": {"viewer_id": "vera"},
        "/api/guest-tickets": {"room_id": room_id},
        "/api/packets": terms(creator_id),
        "/api/products/{product_id}": {"title": "tea"},
        "/api/packets/{packet_id}/launch": {"room_id": room_id, "mode": "manual"},
        "/api/trails": {"order_id": "o1", "viewer_id": "vera", "room_id": room_id},
        "/api/trails/{order_id}/events": {"event_id": "e", "type": "paid", "occurred_at_ms": 1, "source": "platform"},
        "/api/isvs/{isv_id}": {"integrated": True},
        "/api/packets/{packet_id}/issuance": {"share_count": 9},
        "/api/orders/quote": purchase,
        "/api/orders": purchase,
        "/api/orders/{order_id}/refunds": {"refund_id": "r", "by_line": {"l": 1}},
    }


def test_without_its_store_every_route_says_so(doomed: Doomed) -> None:
    """Without the store, routes that need it answer 503 and declare it; a later retry counts once."""
    api = doomed.api
    creator_id = api.creator(1000)
    room_id, packet_id = api.room(creator_id), api.packet(creator_id)
    bodies = _bodies(creator_id, room_id)
    names = {
        **dict.fromkeys(("{withdrawal_id}", "{budget_id}", "{product_id}"), "x1"),
        "{number}": "1",
        "{creator_id}": creator_id,
        "{room_id}": room_id,
        "{packet_id}": packet_id,
        "{order_id}": f"{creator_id}.o1",
        "{viewer_id}": "vera",
        "{isv_id}": "wms",
        "{platform}": "douyin",
    }
    of_creator = f"?creator_id={creator_id}"
    queries = {"/api/packets": of_creator, "/api/orders": of_creator, "/api/trails": "?viewer_id=vera"}
    queries["/api/viewers/vera/assets"] = of_creator
    queries[f"/api/creators/{creator_id}/timeline"] = "?from_ms=0&to_ms=1"
    before = api.state(creator_id)
    doomed.store.stop()
    for template, operations in api.get("/openapi.json")["paths"].items():
        path = template
        for name, value in names.items():
            path = path.replace(name, value)
        for method, operation in operations.items():
            query = queries.get(path, "") if method == "get" else ""
            answer = api.ask(method.upper(), path + query, raw=json.dumps(bodies.get(template)), key="k1")
            if "503" in operation["responses"]:
                assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), path
            else:
                assert answer.ok, path

    doomed.start_store()
    until(lambda: api.ask("GET", "/readyz").ok)
    assert api.state(creator_id) == before
    for _ in range(2):
        assert api.post(f"/api/creators/{creator_id}/recharge", {"amount_fen": 7}, key="k1")["available_fen"] == 7


def test_a_broken_record_is_500_and_moves_nothing(doomed: Doomed) -> None:
    """A broken record is refused with its name, and no money moves."""
    api = doomed.api
    creator_id = api.creator(1000)
    packet_id = api.packet(creator_id)
    with redis.Redis.from_url(doomed.store.url) as store:
        store.rpush(keys.returned(PacketId(packet_id)), 5)
        answer = api.ask("POST", f"/api/packets/{packet_id}/void")
        assert (answer.status_code, answer.json()["code"]) == (500, "store_broken")
        assert packet_id in answer.json()["detail"]
        assert api.get(f"/api/creators/{creator_id}/funds")["available_fen"] == 0

        store.set(keys.wallet(CreatorId(creator_id)), "nonsense")
        answer = api.ask("GET", f"/api/creators/{creator_id}/funds")
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        assert "nonsense" not in answer.text
    until(lambda: "WRONGTYPE" in doomed.server.log.read_text("utf-8"))


def test_a_conflict_is_told_in_the_words_of_the_caller(api: Caller) -> None:
    """It sent an Idempotency-Key, and knows nothing of the transfer id that the store makes of it."""
    path = f"/api/creators/{api.creator()}/recharge"
    api.post(path, {"amount_fen": 1}, key="k")
    problem = api.ask("POST", path, raw='{"amount_fen": 2}', key="k").json()
    assert problem["detail"] == "Idempotency-Key: this key belongs to another request; use a new key"
