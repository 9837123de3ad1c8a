"""The requests that a run itself makes of another service: its steps, and its books."""

import time
from collections.abc import Callable
from pathlib import Path

import requests

from loadtest.record.foreign_books import BooksFormat, ForeignClaim, normalise
from loadtest.record.given_file import NotTaken, read_bounded
from loadtest.record.shape import BadRecord
from loadtest.scenarios.target_scenario import TargetScenario
from loadtest.scenarios.target_spec import BooksSpec, RequestSpec
from loadtest.targets.access import http_session
from loadtest.targets.described_service import DescribedService
from loadtest.targets.http_request import RequestTemplate
from loadtest.targets.requester import SetUpFailed

TIMEOUT_S = 60.0
ANSWER_S = 600.0  # until an answer has come in whole
BOOKS_BYTES_MAX = 1 << 28
FILE = "file:"
_OURS = {"packet": "packet_id", "viewer": "viewer_id"}  # shorter names in a scenario
_FORMATS: dict[str, BooksFormat] = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
_NS_PER_MS = 1_000_000
_NS_PER_S = 1_000_000_000


class RunRequests:
    """Makes requests of the service at *base_url*; files are looked up from *folder*. Raises BadTarget."""

    def __init__(self, scenario: TargetScenario, *, base_url: str, folder: Path) -> None:
        service = DescribedService(scenario.target, packets=scenario.packets, base_url=base_url, folder=folder)
        tls = service.addresses[0].tls
        self._root = f"{'http' if tls is None else 'https'}://{service.addresses[0].netloc}"
        self._folder = folder
        ca_file = scenario.target.ca_file
        self._http = http_session(None if ca_file is None else str(folder / ca_file))
        known = service.run_places
        steps = [
            (step.at_ms, RequestTemplate(step, service, field=f"target.steps.{number}", known=known))
            for number, step in enumerate(scenario.target.steps)
        ]
        self._before = [request for at_ms, request in steps if at_ms is None]
        self._timed = sorted(((at, request) for at, request in steps if at is not None), key=lambda each: each[0])
        self._books: RequestTemplate | None = None
        if scenario.target.books is not None and not scenario.target.books.source.startswith(FILE):
            spec = RequestSpec(request=scenario.target.books.source, headers=scenario.target.books.headers)
            self._books = RequestTemplate(spec, service, field="target.books", known=known)

    def prepare(self) -> None:
        """Make the requests that have no time, one after the other. Raises SetUpFailed unless each is answered 2xx."""
        for request in self._before:
            self._fetch(request, "target.steps")

    def send_in_time(self, start_ns: int, stopped: Callable[[], bool]) -> None:
        """Make the requests that have a time when it comes. Raises SetUpFailed."""
        for at_ms, request in self._timed:
            wait_until(start_ns + at_ms * _NS_PER_MS, stopped)
            if not stopped():
                self._fetch(request, "target.steps")

    def books(self, spec: BooksSpec) -> list[ForeignClaim]:
        """Return what the service's books say. Raises SetUpFailed."""
        if self._books is None:
            path = self._folder / spec.source.removeprefix(FILE)
            try:
                data = read_bounded(path, BOOKS_BYTES_MAX)
            except (OSError, NotTaken) as error:
                raise SetUpFailed(f"target.books.source: {path} cannot be read: {error}") from None
            guessed = _FORMATS.get(path.suffix, "json")
        else:
            answer, data = self._fetch(self._books, "target.books.source")
            guessed = _format_of(answer.headers.get("content-type", ""))
        columns = {_OURS.get(name, name): place for name, place in spec.columns.items()}
        try:
            return normalise(data, format=spec.format or guessed, rows=spec.rows, columns=columns)
        except BadRecord as error:
            raise SetUpFailed(f"target.books: {error}") from None

    def _fetch(self, request: RequestTemplate, field: str) -> tuple[requests.Response, bytes]:
        """Return an answer and its body, which a service may neither stretch nor blow up."""
        filled = request.filled({})
        url = self._root + filled.path
        said = url.partition("?")[0]  # a query may hold a credential
        try:
            headers = {name: text.encode() for name, text in filled.headers.items()}
            answer = self._http.request(
                filled.method, url, data=filled.body, headers=headers, timeout=TIMEOUT_S, stream=True
            )
            with answer:
                body = _read(answer, f"{field}: {said}")
        except requests.RequestException as error:
            raise SetUpFailed(f"{field}: {said} does not answer: {error}") from error
        if not answer.ok:
            text = body[:200].decode(errors="replace")
            raise SetUpFailed(f"{field}: {filled.method} {said} answered {answer.status_code} {text}")
        return answer, body


def _read(answer: requests.Response, where: str) -> bytes:
    body, deadline = bytearray(), time.monotonic() + ANSWER_S
    for chunk in answer.iter_content(1 << 16):
        body += chunk
        if len(body) > BOOKS_BYTES_MAX:
            raise SetUpFailed(f"{where} answers more than {BOOKS_BYTES_MAX:,} bytes")
        if time.monotonic() > deadline:
            raise SetUpFailed(f"{where} has not answered in full after {ANSWER_S:.0f} s")
    return bytes(body)


def wait_until(instant_ns: int, stopped: Callable[[], bool]) -> None:
    """Sleep until an instant of CLOCK_MONOTONIC, or until *stopped()*."""
    while not stopped() and (left_ns := instant_ns - time.monotonic_ns()) > 0:
        time.sleep(min(0.1, left_ns / _NS_PER_S))


def _format_of(content_type: str) -> BooksFormat:
    if "csv" in content_type:
        return "csv"
    return "ndjson" if "ndjson" in content_type or "jsonl" in content_type else "json"
