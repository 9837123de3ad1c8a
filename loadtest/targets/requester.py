"""A requester: asks a server over HTTP, the same again while its store is away, and tells refusals from the rest."""

import time
from collections.abc import Callable
from typing import Any

import requests

from loadtest.targets.access import NOBODY, Access
from loadtest.targets.admission import what_to_do

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
    """

    def __init__(self, host: str, access: Access = NOBODY) -> None:
        self._host = host.rstrip("/")
        self._http = access.session()

    def check_server(self) -> None:
        """Raise SetUpFailed unless the server is one of ours; the text says what answered instead."""
        clock = f"{self._host}/api/clock"
        try:
            answer = self._answered(lambda: self._http.get(clock, timeout=REQUEST_TIMEOUT_S, allow_redirects=False))
        except requests.exceptions.SSLError as error:
            raise SetUpFailed(
                f"{self._host} does not prove who it is: give its authority with --ca-file ({error})"
            ) from None
        if help_text := what_to_do(answer):
            raise SetUpFailed(f"{self._host}{help_text}")
        if not {"room_ms", "speed"} <= _fields(answer).keys():
            place = answer.headers.get("location", answer.headers.get("content-type", ""))
            raise SetUpFailed(
                f"{self._host} is not a Redrain server: GET /api/clock answered {answer.status_code} {place}; "
                "for another service write a scenario with [target] (docs/targets.md)"
            )

    def get(self, path: str, **query: Any) -> Any:
        """Return what a GET answers. Raises SetUpFailed, WasRefused and what ``requests`` raises."""
        return self._until_answered(
            lambda: self._http.get(self._host + path, params=query, timeout=REQUEST_TIMEOUT_S),
        )

    def post(self, path: str, body: dict[str, Any], *, key: str) -> dict[str, Any]:
        """Return what a POST answers. Raises as ``get`` does."""
        return self._send("POST", path, body, key)

    def put(self, path: str, body: dict[str, Any], *, key: str) -> dict[str, Any]:
        """Return what a PUT answers. Raises as ``get`` does."""
        return self._send("PUT", path, body, key)

    def _send(self, method: str, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        headers = {"Idempotency-Key": key}
        answer: dict[str, Any] = self._until_answered(
            lambda: self._http.request(method, self._host + path, json=body, headers=headers, timeout=REQUEST_TIMEOUT_S)
        )
        return answer

    def _until_answered(self, send: Callable[[], requests.Response]) -> Any:
        return _answer(self._answered(send))

    def _answered(self, send: Callable[[], requests.Response]) -> requests.Response:
        """Ask again, with the same key, while the server says that its store is away."""
        deadline = time.monotonic() + AWAY_MAX_S
        while True:
            response = _sent(send)
            if response.status_code != requests.codes.service_unavailable or time.monotonic() >= deadline:
                return response
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
    return str(_fields(response).get(field, ""))


def _fields(response: requests.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except requests.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}
