"""The requests that a run itself makes of another service: its steps, and its books."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import requests

from loadtest.record.foreign_books import BooksFormat, ForeignClaim, normalise
from loadtest.record.shape import BadRecord
from loadtest.scenarios.target_scenario import TargetScenario
from loadtest.scenarios.target_spec import BooksSpec, RequestSpec, StepSpec
from loadtest.targets.http_request import RequestTemplate
from loadtest.targets.requester import SetUpFailed
from loadtest.targets.service import Service

TIMEOUT_S = 60.0
FILE = "file:"
_OURS = {"packet": "packet_id", "viewer": "viewer_id"}  # shorter names in a scenario
_FORMATS: dict[str, BooksFormat] = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
_NS_PER_MS = 1_000_000
_NS_PER_S = 1_000_000_000


class RunRequests:
    """Makes requests of the service at *base_url*; files are looked up from *folder*. Raises BadTarget."""

    def __init__(self, scenario: TargetScenario, *, base_url: str, folder: Path) -> None:
        self._spec = scenario.target
        self._service = Service(scenario.target, packets=scenario.packets, base_url=base_url, folder=folder)
        scheme = "https" if base_url.startswith(("https:", "wss:")) else "http"
        self._root = f"{scheme}://{self._service.addresses[0].netloc}"
        self._folder = folder
        self._http = requests.Session()
        if scenario.target.ca_file is not None:
            self._http.verify = str(folder / scenario.target.ca_file)

    def send(self, steps: Sequence[StepSpec]) -> None:
        """Make the requests one after the other. Raises SetUpFailed unless each is answered with 2xx."""
        for step in steps:
            self._fetch(step, "target.steps")

    def send_in_time(self, start_ns: int, stopped: Callable[[], bool]) -> None:
        """Make the requests that have a time when it comes. Raises SetUpFailed."""
        timed = [(step.at_ms, step) for step in self._spec.steps if step.at_ms is not None]
        for at_ms, step in sorted(timed, key=lambda each: each[0]):
            wait_until(start_ns + at_ms * _NS_PER_MS, stopped)
            if not stopped():
                self.send([step])

    def books(self, spec: BooksSpec) -> list[ForeignClaim]:
        """Return what the service's books say. Raises SetUpFailed."""
        if spec.source.startswith(FILE):
            path = self._folder / spec.source.removeprefix(FILE)
            try:
                data = path.read_bytes()
            except OSError as error:
                raise SetUpFailed(f"target.books.source: {path} cannot be read: {error}") from None
            guessed = _FORMATS.get(path.suffix, "json")
        else:
            answer = self._fetch(RequestSpec(request=spec.source, headers=spec.headers), "target.books.source")
            data, guessed = answer.content, _format_of(answer.headers.get("content-type", ""))
        columns = {_OURS.get(name, name): place for name, place in spec.columns.items()}
        try:
            return normalise(data, format=spec.format or guessed, rows=spec.rows, columns=columns)
        except BadRecord as error:
            raise SetUpFailed(f"target.books: {error}") from None

    def _fetch(self, spec: RequestSpec, field: str) -> requests.Response:
        filled = RequestTemplate(spec, self._service, field=field).filled({})
        url = self._root + filled.path
        try:
            answer = self._http.request(
                filled.method, url, data=filled.body, headers=dict(filled.headers), timeout=TIMEOUT_S
            )
        except requests.RequestException as error:
            raise SetUpFailed(f"{field}: {url} does not answer: {error}") from error
        if not answer.ok:
            raise SetUpFailed(f"{field}: {filled.method} {url} answered {answer.status_code} {answer.text[:200]}")
        return answer


def wait_until(instant_ns: int, stopped: Callable[[], bool]) -> None:
    """Sleep until an instant of CLOCK_MONOTONIC, or until *stopped()*."""
    while not stopped() and (left_ns := instant_ns - time.monotonic_ns()) > 0:
        time.sleep(min(0.1, left_ns / _NS_PER_S))


def _format_of(content_type: str) -> BooksFormat:
    if "csv" in content_type:
        return "csv"
    return "ndjson" if "ndjson" in content_type or "jsonl" in content_type else "json"
