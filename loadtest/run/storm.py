"""A storm: raise a server, open the rooms, bring the audience, let the packets fall, and take the books at the end."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import requests

from loadtest.engines.progress import Progress, ProgressFiles
from loadtest.record.run_folder import RunFacts, RunFolder
from loadtest.run.director import Director
from loadtest.run.nemesis import Nemesis
from loadtest.run.processes import Crowd, Engine, ProcessFailed, ServerProcess, engine_process
from loadtest.run.shop_driver import ShopDriver
from loadtest.scenarios.faults import happenings_of, plan_faults
from loadtest.scenarios.scenario import Scenario
from loadtest.targets.admission import bearer, what_to_do
from loadtest.targets.requester import AWAY_MAX_S, SetUpFailed
from loadtest.verdict.weigh import Exit
from server.core.rulebooks.overrides import overridden
from server.core.rulebooks.rulebook import RULEBOOKS
from server.core.rulebooks.rulebook_view import plain
from server.store.allocators.guard import SAID
from server.store.allocators.registry import BUILT_IN, DEFAULT, AllocatorEntry

LOOK_EVERY_S = 0.1
SNAPSHOT_EVERY_S = 3.0
RESULTS_LINGER_S = 1.0  # real time for the last `result` to be told and heard; nothing is judged by it
BOOKS_TIMEOUT_S = 120.0
CONNECT_SLACK_S = 60.0


@dataclass(frozen=True)
class StormPlan:
    """
    All that a storm is told. ``targets`` are the URLs of somebody's servers on one store; without any the storm has one
    of its own, of so many ``workers``.

    ``processes`` of the ``engine`` bring the audience. ``token`` is shown to somebody's servers alone.
    """

    scenario: Scenario
    folder: RunFolder
    allocator: AllocatorEntry = BUILT_IN[DEFAULT]
    durability: str = "durable"
    targets: Sequence[str] = ()
    workers: int = 1
    engine: str = "locust"
    processes: int = 1
    token: str = field(default="", repr=False)

    @cached_property
    def seats(self) -> int:
        """How many connections the audience has."""
        return sum(1 for _ in self.scenario.seats())


class View(Protocol):
    """Who shows how the storm goes."""

    def phase(self, text: str) -> None:
        """Say that something new has begun."""

    def progress(self, progress: Progress, happening: str) -> None:
        """Show the newest numbers."""


def perform(plan: StormPlan, facts: RunFacts, view: View) -> None:
    """
    Carry the storm out; what it leaves stands in ``plan.folder``, and *facts* are completed.

    Raises ProcessFailed or SetUpFailed; whatever was started is stopped in any case.
    """
    with _servers(plan, view) as urls, _answering(urls[0]):
        url = urls[0]
        viewers, token = plan.scenario.audience.viewers, plan.token if plan.targets else ""
        director = Director(url, plan.scenario, viewers, _unsaid, allocator=plan.allocator.name, token=token)
        books = _BooksReader(url, token)
        view.phase("opening the rooms")
        director.set_up()
        with _audience(plan, urls, view) as audience, _nemesis(plan, director, url, view) as nemesis:
            _programme(plan, director, audience, books, view)
            nemesis.stop()
            view.phase("the audience leaves")
            facts.audience_status = audience.process.stop()
        view.phase("taking the books")
        books.take_at_last(plan.folder.books)
        if not plan.targets:
            view.phase("stopping the server")
    facts.server_errors = _allocator_failures(plan.folder)
    facts.packet_ids = list(director.packet_ids.values())
    facts.faults = [asdict(record) for record in nemesis.records]
    happenings = [*(asdict(happening) for happening in director.happenings), *happenings_of(nemesis.records)]
    facts.happenings = sorted(happenings, key=lambda happening: int(happening["at_ms"]))
    plan.folder.compress()
    plan.folder.write_facts(facts)


def _allocator_failures(folder: RunFolder) -> list[str]:
    """Return what the storm's own server has said of an allocator that failed, each line once."""
    lines = folder.server_log.read_text("utf-8", "replace").splitlines() if folder.server_log.exists() else []
    return list(dict.fromkeys(line.removeprefix("redrain: ") for line in lines if line.startswith(SAID)))


@contextmanager
def _servers(plan: StormPlan, view: View) -> Iterator[Sequence[str]]:
    """Give the servers' URLs; what is asked over HTTP goes to the first."""
    if plan.targets:
        urls = [target.rstrip("/") for target in plan.targets]
        for url in urls:
            with _answering(url):
                _check_rulebooks(url, plan.scenario.rulebooks, plan.token)
        yield urls
        return
    view.phase("raising a server with a fresh store")
    options = ["--speed", str(plan.scenario.speed), "--durability", plan.durability, "--limits", "load"]
    if plan.scenario.origin_ms is not None:
        options += ["--origin-ms", str(plan.scenario.origin_ms)]
    if plan.allocator.for_lab:
        options += ["--diagnostics", "--allocator", plan.allocator.name]
    if plan.workers > 1:
        options += ["--workers", str(plan.workers)]
    server = ServerProcess(plan.folder.path, options, plan.scenario.rulebooks)
    try:
        yield [server.wait_until_ready()]
        server.check()
    except SetUpFailed:
        server.check()  # if it has ended, that is why
        raise
    finally:
        server.stop()


def _check_rulebooks(url: str, tables: Mapping[str, Mapping[str, Any]], token: str) -> None:
    """Raise SetUpFailed unless the server of somebody else judges by the limits that the scenario brings."""
    wanted = overridden(RULEBOOKS, tables)
    for platform, table in tables.items():
        answer = requests.get(f"{url}/api/rulebooks/{platform}", headers=bearer(token), timeout=BOOKS_TIMEOUT_S)
        if help_text := what_to_do(answer):
            raise SetUpFailed(f"{url}{help_text}")
        shown = answer.json()["limits"] if answer.ok else []
        has = {limit["field"]: limit["value"] for limit in shown}
        for name in table:
            value = plain(getattr(wanted[platform], name))
            if has.get(name) != value:
                raise SetUpFailed(
                    f"the scenario needs {platform}.{name} = {value}, and {url} has {has.get(name)}; give it to that "
                    "server with --rulebooks, or leave --target out"
                )


@contextmanager
def _answering(url: str) -> Iterator[None]:
    """Raise SetUpFailed if the server at *url* cannot be asked any more, or never could."""
    try:
        yield
    except requests.RequestException as error:
        raise SetUpFailed(f"the server at {url} does not answer: {error}") from error


@dataclass(slots=True)
class _Audience:
    """The engine's process and what it says of itself."""

    process: Engine
    files: ProgressFiles
    seats: int


@contextmanager
def _audience(plan: StormPlan, urls: Sequence[str], view: View) -> Iterator[_Audience]:
    audience = plan.scenario.audience
    seats = plan.seats
    view.phase(f"{audience.viewers:,} viewers come in")
    crowd = Crowd(
        host=",".join(urls),
        scenario=str(plan.folder.scenario),
        seats=seats,
        arrivals_per_second=audience.arrivals_per_second,
        seed=plan.scenario.seed,
        reaction_median_ms=audience.reaction_median_ms,
        token=plan.token if plan.targets else "",
    )
    process = engine_process(plan.engine, plan.folder.path, crowd, processes=plan.processes)
    came_in = _Audience(process, ProgressFiles(plan.folder.path), seats)
    try:
        deadline = time.monotonic() + seats / audience.arrivals_per_second + CONNECT_SLACK_S
        while (progress := came_in.files.look()).connected < seats:
            process.check()
            if time.monotonic() > deadline:
                raise ProcessFailed(
                    f"only {progress.connected} of {seats} viewers could connect:\n{process.tail()}", Exit.ENVIRONMENT
                )
            view.progress(progress, "")
            time.sleep(LOOK_EVERY_S)
        yield came_in
    finally:
        process.stop()


@contextmanager
def _nemesis(plan: StormPlan, director: Director, url: str, view: View) -> Iterator[Nemesis]:
    planned = plan_faults(plan.scenario.faults, plan.scenario.seed)
    nemesis = Nemesis(planned, home=plan.folder.home, url=url, programme=director, say=view.phase)
    nemesis.start()
    try:
        yield nemesis
    finally:
        nemesis.stop()


def _programme(plan: StormPlan, director: Director, audience: _Audience, books: "_BooksReader", view: View) -> None:
    """Let the director perform and the shop sell, show how it goes, and take the books now and then."""
    view.phase("the curtain rises")
    folder, shop = plan.folder, _shop(plan, director, books.url, books.token)
    parts = [_Part("director", director.perform), *([] if shop is None else [_Part("shop", shop.run)])]

    def happening() -> str:
        last = director.happenings[-1] if director.happenings else None
        said = [f"{last.packet_name}: {last.outcome}"] if last else []
        return ", ".join(said if shop is None else [*said, shop.status])

    def watch(going_on: Callable[[], bool]) -> None:
        next_snapshot = time.monotonic() + SNAPSHOT_EVERY_S
        while going_on():
            audience.process.check()
            view.progress(audience.files.look(), happening())
            if time.monotonic() >= next_snapshot:
                with suppress(_BooksOutOfReach):  # the store is away; the next ones will be had
                    books.take(folder.snapshot(len(folder.snapshots())), final=False)
                next_snapshot = time.monotonic() + SNAPSHOT_EVERY_S
            time.sleep(LOOK_EVERY_S)

    try:
        watch(lambda: any(part.going_on for part in parts) and not any(part.problem for part in parts))
    finally:
        for part in parts:
            part.end()
    for part in parts:
        if part.problem is not None:
            raise SetUpFailed(str(part.problem))
    until = time.monotonic() + RESULTS_LINGER_S
    watch(lambda: time.monotonic() < until)


class _Part:
    """What goes on in a thread of its own until it is over or asked to end; ``problem`` is what it has failed of."""

    def __init__(self, name: str, perform: Callable[[Callable[[], bool]], None]) -> None:
        self.problem: Exception | None = None
        self._stop = threading.Event()
        self._perform = perform
        self._thread = threading.Thread(target=self._run, name=name)
        self._thread.start()

    @property
    def going_on(self) -> bool:
        """Tell whether it is not over yet."""
        return self._thread.is_alive()

    def end(self) -> None:
        """Ask it to end, and wait until it has."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._perform(self._stop.is_set)
        except (SetUpFailed, requests.RequestException) as error:
            self.problem = error


def _shop(plan: StormPlan, director: Director, url: str, token: str) -> ShopDriver | None:
    """Return the scenario's shop; none with an allocator that keeps no owners, whose shares never expire."""
    if plan.scenario.shop is None or not plan.allocator.capabilities.keeps_owners:
        return None
    return ShopDriver(url, plan.scenario, director, plan.folder.sales, token=token)


def _unsaid(_: str) -> None:
    """Say nothing: the view shows the director's happenings."""


class _BooksOutOfReach(SetUpFailed):
    """The store was away, or went away while the books were read."""


@dataclass(frozen=True, slots=True)
class _BooksReader:
    """Where the books are had, and the credential that is shown for them."""

    url: str
    token: str = field(repr=False)

    def take_at_last(self, path: Path) -> None:
        """Take the final books, if need be when a store that is away has come back."""
        deadline = time.monotonic() + AWAY_MAX_S
        while time.monotonic() < deadline:
            with suppress(_BooksOutOfReach):
                return self.take(path, final=True)
            time.sleep(LOOK_EVERY_S)
        return self.take(path, final=True)

    def take(self, path: Path, *, final: bool) -> None:
        """Take the books as they are now."""
        url, query = f"{self.url}/api/books", {"final": str(final).lower()}
        partly = path.with_suffix(".part")  # books that were cut off have no place among the snapshots
        try:
            response = requests.get(url, params=query, headers=bearer(self.token), timeout=BOOKS_TIMEOUT_S, stream=True)
        except requests.ConnectionError as error:
            raise _BooksOutOfReach(f"the books cannot be had: {error}") from error
        with response:
            if not response.ok:
                problem = f"the books cannot be had: {response.status_code} {response.text}{what_to_do(response)}"
                away = response.status_code == requests.codes.service_unavailable
                raise _BooksOutOfReach(problem) if away else SetUpFailed(problem)
            try:
                with partly.open("wb") as file:
                    for chunk in response.iter_content(1 << 16):
                        file.write(chunk)
            except requests.exceptions.ChunkedEncodingError as error:
                partly.unlink()
                raise _BooksOutOfReach(f"the books were cut off: {error}") from error
        partly.rename(path)
