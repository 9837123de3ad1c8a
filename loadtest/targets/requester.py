"""A requester: asks a server over HTTP, the same again while its store is away, and tells refusals from the rest."""

import time
from collections.abc import Callable
from typing import Any

import requests

from loadtest.targets.admission import what_to_do
from loadtest.targets.credential import bearer

REQUEST_TIMEOUT_S = 30.0
LOOK_EVERY_S = 0.1
LINES_MAX = 3  # connections to try before a server counts as gone
AWAY_MAX_S = 30.0  # how long a store may be away before nothing more is asked of the server


class SetUpFailed(Exception):  # noqa: N818 - said to a person
    """The server would not do what the scenario asks for; the text says what it answered."""


class WasRefused(SetUpFailed):
    """A request was refused, by a business rule or by what is there: ``code``, ``rule`` (or ""), ``detail``."""

    def __init__(self, code: str, rule: str, detail: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.rule = rule
        self.detail = detail


class Requester:
    """
    One session with one server, for one thread. Every request with a *key* has it as its idempotency key.

    *token* is the credential that is shown; "" shows none.
    """

    def __init__(self, host: str, token: str = "") -> None:
        self._host = host.rstrip("/")
        self._http = requests.Session()
        self._http.headers.update(bearer(token))

    def get(self, path: str, **query: Any) -> Any:
        """Return what a GET answers. Raises SetUpFailed, WasRefused and what ``requests`` raises."""
        return self._until_answered(
            lambda: self._http.get(self._host + path, params=query, timeout=REQUEST_TIMEOUT_S),
        )

    def post(self, path: str, body: dict[str, Any], *, key: str) -> dict[str, Any]:
        """Return what a POST answers. Raises as ``get`` does."""
        headers = {"Idempotency-Key": key}
        answer: dict[str, Any] = self._until_answered(
            lambda: self._http.post(self._host + path, json=body, headers=headers, timeout=REQUEST_TIMEOUT_S)
        )
        return answer

    def _until_answered(self, send: Callable[[], requests.Response]) -> Any:
        """Ask again, with the same key, while the server says that its store is away."""
        deadline = time.monotonic() + AWAY_MAX_S
        while True:
            response = _sent(send)
            if response.status_code != requests.codes.service_unavailable or time.monotonic() >= deadline:
                return _answer(response)
            time.sleep(LOOK_EVERY_S)


def _sent(send: Callable[[], requests.Response]) -> requests.Response:
    """Return what comes of a request; a line that broke is not the end if another worker takes the next one."""
    for _ in range(LINES_MAX - 1):
        try:
            return send()
        except requests.ConnectionError:
            time.sleep(LOOK_EVERY_S)
    return send()


def _answer(response: requests.Response) -> Any:
    if response.ok:
        return response.json()
    request = response.request
    text = f"{request.method} {request.path_url}: {response.status_code} {response.text}{what_to_do(response)}"
    if code := _said(response, "code"):
        raise WasRefused(code, _said(response, "rule"), _said(response, "detail"), text)
    raise SetUpFailed(text)


def _said(response: requests.Response, field: str) -> str:
    """Return a field of the server's refusal (``code``, ``rule``, ``detail``), or nothing if it has none."""
    try:
        problem = response.json()
    except requests.JSONDecodeError:
        return ""
    return str(problem.get(field, "")) if isinstance(problem, dict) else ""
