"""The payout driver asks in time, reports as often as it is told, and notes every answer."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from loadtest.run.payout_driver import PayoutDriver
from loadtest.scenarios.scenario import Scenario, load_scenario
from tests.loadtest.live_shop import a_scenario

BEGUN_MS = 1_000_000


class FromNow:
    """A programme that began when it was made, at a thousandfold speed."""

    def __init__(self, *, begun: bool = True) -> None:
        self._at = time.monotonic() if begun else None

    def instant_of(self, at_ms: int) -> float | None:
        return None if self._at is None else self._at + at_ms / 1_000_000

    def room_ms(self, instant_s: float) -> int | None:
        return None if self._at is None else BEGUN_MS + round((instant_s - self._at) * 1_000_000)


@pytest.fixture
def bank() -> Iterator[tuple[str, list[tuple[str, dict[str, Any], str]]]]:
    """Serve what the API would answer, and note path, body and key of each request."""
    asked: list[tuple[str, dict[str, Any], str]] = []

    class Bank(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path.removeprefix("/api/creators/"), body, self.headers["Idempotency-Key"]))
            word = self.path.rpartition("/")[2]
            states = {"withdrawals": "pending", "invoices": "requested", "issue": "issued"}
            number = sum(path.endswith("/withdrawals") for path, _, _ in asked)
            answer = {"state": states.get(word, word), "withdrawal_id": f"w{number}", "number": 1, "amount_fen": 5}
            text = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Bank) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def with_payouts() -> Scenario:
    """Return a scenario with a withdrawal that is paid, one that fails twice, and two invoices."""
    whole = a_scenario("anna").model_dump(mode="json")
    whole["withdrawals"] = [
        {"creator_id": "anna", "amount_fen": 60, "at_ms": 40, "ends_at_ms": 50},
        {"creator_id": "anna", "amount_fen": 70, "at_ms": 10, "ends_at_ms": 30, "outcome": "failed", "reports": 2},
    ]
    whole["invoices"] = [{"creator_id": "anna", "to_ms": at, "at_ms": at + 1} for at in (19, 59)]
    return Scenario.model_validate(whole)


def test_everything_is_asked_for_in_its_order(bank: Any) -> None:
    """By time, not by place; every request has a key of its own, and an invoice begins where the last one ended."""
    url, asked = bank
    driver = PayoutDriver(url, with_payouts(), FromNow())
    driver.run(lambda: False)
    assert [path for path, _, _ in asked] == [
        "anna/withdrawals", "anna/invoices", "anna/invoices/1/issue", "anna/withdrawals/w1/failed",
        "anna/withdrawals/w1/failed", "anna/withdrawals", "anna/withdrawals/w2/paid", "anna/invoices",
        "anna/invoices/1/issue",
    ]  # fmt: skip
    assert len({key for _, _, key in asked}) == len(asked)
    assert [body for path, body, _ in asked if path == "anna/invoices"] == [
        {"from_ms": 0, "to_ms": BEGUN_MS + 19},
        {"from_ms": BEGUN_MS + 19, "to_ms": BEGUN_MS + 59},
    ]
    assert asked[0][1] == {"amount_fen": 70, "payee": {"name": "anna", "account": "anna@example.com"}}
    noted = [(each["at_ms"], each["action"], each["outcome"], each["payout_id"]) for each in driver.happenings]
    assert noted[:5] == [
        (10, "withdraw", "pending", "w1"),
        (20, "invoice", "requested", "anna 1"),
        (20, "issue invoice", "issued", "anna 1"),
        (30, "report failed", "failed", "w1"),
        (30, "report failed", "failed", "w1"),
    ]


@pytest.mark.parametrize("begun", [True, False])
def test_it_ends_when_it_is_told_to(bank: Any, *, begun: bool) -> None:
    """Also before the curtain."""
    url, asked = bank
    driver = PayoutDriver(url, with_payouts(), FromNow(begun=begun))
    looks = iter([False, False, True])
    driver.run(lambda: next(looks, True))
    assert len(asked) < 9
    assert asked == [] or begun


def test_a_scenario_without_payouts_is_over_at_once() -> None:
    """Nothing is asked of anybody."""
    driver = PayoutDriver("http://127.0.0.1:9", load_scenario("smoke"), FromNow())
    driver.run(lambda: False)
    assert driver.happenings == []
