"""A storm: start a server, open the rooms, connect the audience, perform the programme, and export the books."""

import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import requests

from loadtest.engines.crowd import Crowd, View
from loadtest.engines.engine_process import CrowdOrder
from loadtest.record.run_folder import CHECKED, RunFacts, RunFolder
from loadtest.run.abort_watch import AbortWatch, thresholds_of
from loadtest.run.books_reader import BOOKS_TIMEOUT_S, BooksReader, Snapshots
from loadtest.run.director import Director
from loadtest.run.environment import environment
from loadtest.run.hostile_clients import hostile_clients
from loadtest.run.machine_load import machine_watched
from loadtest.run.machine_waits import MachineWaits
from loadtest.run.nemesis import Nemesis, StoreOfRun, WorkersOfRun
from loadtest.run.payout_driver import PayoutDriver
from loadtest.run.performance import perform
from loadtest.run.provision import Provisioned
from loadtest.run.resource_sampler import ResourceSampler, Roles
from loadtest.run.server_log import server_errors, store_absences
from loadtest.run.server_process import ServerProcess
from loadtest.run.shop_driver import ShopDriver
from loadtest.scenarios.faults import happenings_of, plan_faults
from loadtest.scenarios.scenario import Scenario
from loadtest.targets.access import NOBODY, Access
from loadtest.targets.admission import what_to_do
from loadtest.targets.requester import Requester, SetUpFailed, WasRefused
from server.core.rulebooks.overrides import overridden
from server.core.rulebooks.platforms import RULEBOOKS
from server.core.rulebooks.rulebook_view import limits_of
from server.store.allocators.registry import BUILT_IN, DEFAULT, AllocatorEntry

CURTAIN_RISES = "the curtain rises: the programme is on"
AUDIENCE_LEAVES = "disconnecting the audience"
FORGOTTEN = (
    "not_found"  # what a server says of a packet that it had created, if its store has lost it: the books decide
)
PROBE_TIMEOUT_S = 10.0
RESULTS_LINGER_S = 1.0  # real time for the delivery of the last `result`; nothing is judged by it


@dataclass(frozen=True)
class StormPlan:
    """
    The plan of a storm. ``targets`` are the URLs of existing servers on one store; without any the storm starts its own
    server with ``workers`` processes.

    ``processes`` of the ``engine`` run the audience. ``access`` is the way into existing servers.
    """

    scenario: Scenario
    folder: RunFolder
    allocator: AllocatorEntry = BUILT_IN[DEFAULT]
    durability: str = "durable"
    targets: Sequence[str] = ()
    workers: int = 1
    engine: str = "locust"
    processes: int = 1
    access: Access = NOBODY
    max_rate: float | None = None

    @cached_property
    def seats(self) -> int:
        """Return how many connections the audience has."""
        return sum(1 for _ in self.scenario.seats())


def carry_out(plan: StormPlan, facts: RunFacts, view: View) -> None:
    """
    Carry the storm out; its files are written to ``plan.folder``, and *facts* are completed.

    Raises ProcessFailed or SetUpFailed; all started processes are stopped in any case.
    """
    with machine_watched(facts), _servers(plan, facts, view) as (urls, roles), _answering(urls[0]):
        url = urls[0]
        viewers, access = plan.scenario.audience.viewers, plan.access
        director = Director(url, plan.scenario, viewers, _unsaid, allocator=plan.allocator.name, access=access)
        payouts = PayoutDriver(url, plan.scenario, director, access=access)
        books = BooksReader(url, access)
        view.phase("opening the rooms")
        director.set_up()
        with (
            _crowd(plan, urls, view) as crowd,
            _nemesis(plan, director, url, view) as nemesis,
            _sampled(facts, {"generator": lambda: crowd.pids, **roles}, url, access),
            hostile_clients(plan.scenario, plan.folder, facts, url),
        ):
            abort = AbortWatch(thresholds_of(plan.scenario, facts), time.monotonic(), view.phase)
            try:
                _programme(plan, director, crowd, books, view, payouts=payouts, abort=abort)
            except WasRefused as refused:
                if refused.code != FORGOTTEN:
                    raise
                facts.notes.append(f"the programme broke off: {refused}")
                view.phase(facts.notes[-1])
            nemesis.stop()
            abort.note(facts)
            view.phase(AUDIENCE_LEAVES)
            facts.audience_status = crowd.leave()
        view.phase("exporting the books")
        books.take_at_last(plan.folder.books)
        if not plan.targets:
            view.phase("stopping the server")
    if not plan.targets:
        facts.server_log = CHECKED
        log = plan.folder.server_log.read_text("utf-8", "replace")
        facts.server_errors = server_errors(log)
        facts.store_absences = store_absences(log, time.time_ns() - time.monotonic_ns())
    facts.packet_ids = list(director.packet_ids.values())
    facts.faults = [asdict(record) for record in nemesis.records]
    happenings = [*(asdict(happening) for happening in director.happenings), *payouts.happenings]
    happenings += happenings_of(nemesis.records)
    facts.happenings = sorted(happenings, key=lambda happening: int(happening["at_ms"]))
    plan.folder.compress()
    plan.folder.write_facts(facts)


@contextmanager
def _servers(plan: StormPlan, facts: RunFacts, view: View) -> Iterator[tuple[Sequence[str], Roles]]:
    """
    Yield the servers' URLs, of which HTTP requests go to the first, and the processes of the storm's own.

    The waits of these are added to *facts*.
    """
    if plan.targets:
        urls = [target.rstrip("/") for target in plan.targets]
        for url in urls:
            with _answering(url):
                Requester(url, plan.access).check_server()
                _check_rulebooks(url, plan.scenario.rulebooks, plan.access)
        yield urls, {}
        return
    view.phase("starting a server with a fresh store")
    options = ["--speed", str(plan.scenario.speed), "--durability", plan.durability]
    options += ["--limits", plan.scenario.limits]
    if plan.scenario.origin_ms is not None:
        options += ["--origin-ms", str(plan.scenario.origin_ms)]
    if plan.allocator.for_lab:
        options += ["--diagnostics", "--allocator", plan.allocator.name]
    if plan.workers > 1:
        options += ["--workers", str(plan.workers)]
    server = ServerProcess(plan.folder.path, options, plan.scenario.rulebooks)
    try:
        urls = [server.wait_until_ready()]
        with _watched(plan, facts, server) as roles:
            yield urls, roles
        server.check()
    except SetUpFailed:
        server.check()  # if it has ended, that is why
        raise
    finally:
        server.stop()


@contextmanager
def _sampled(facts: RunFacts, roles: Roles, url: str, access: Access) -> Iterator[None]:
    """Sample the memory and the open files of some processes during the block, and how soon the server answers."""
    http = access.session()
    sampler = ResourceSampler(roles, lambda: http.get(f"{url}/healthz", timeout=PROBE_TIMEOUT_S))
    sampler.start()
    try:
        yield
    finally:
        sampler.stop()
        facts.resources = sampler.samples


@contextmanager
def _watched(plan: StormPlan, facts: RunFacts, server: ServerProcess) -> Iterator[Roles]:
    """Watch how long the server and its store wait for the machine during the block, and yield their processes."""
    store, workers = StoreOfRun(plan.folder.home), WorkersOfRun(plan.folder.home)

    def servers() -> list[int]:
        try:
            return [server.pid, *workers.pids()]
        except (OSError, ValueError):  # a list of workers that is replaced at this moment
            return [server.pid]

    def stores() -> list[int]:
        try:
            return [store.pid()] if store.exists() else []
        except (OSError, ValueError):
            return []

    waits = MachineWaits(lambda: [*servers(), *stores()])
    waits.start()
    try:
        yield {"server": servers, "store": stores}
    finally:
        waits.stop()
        facts.machine_waits = waits.waits


def _check_rulebooks(url: str, tables: Mapping[str, Mapping[str, Any]], access: Access) -> None:
    """Raise SetUpFailed unless an existing server has the limits that the scenario sets."""
    wanted = overridden(RULEBOOKS, tables)
    help_out = "give it to that server with --rulebooks, or leave --target out"
    for platform, table in tables.items():
        answer = access.session().get(f"{url}/api/rulebooks/{platform}", timeout=BOOKS_TIMEOUT_S)
        if help_text := what_to_do(answer):
            raise SetUpFailed(f"{url}{help_text}")
        if not answer.ok:
            raise SetUpFailed(f"the scenario needs the platform {platform}, and {url} has none; {help_out}")
        has = {limit["field"]: limit["value"] for limit in answer.json()["limits"]}
        for limit in limits_of(wanted[platform]):  # a derived platform has the other limits of its base
            if (limit.name in table or wanted[platform].base) and has.get(limit.name) != limit.value:
                raise SetUpFailed(
                    f"the scenario needs {platform}.{limit.name} = {limit.value}, "
                    f"and {url} has {has.get(limit.name)}; {help_out}"
                )


@contextmanager
def _answering(url: str) -> Iterator[None]:
    """Raise SetUpFailed if the server at *url* does not answer requests of the block."""
    try:
        yield
    except requests.RequestException as error:
        raise SetUpFailed(f"the server at {url} does not answer: {error}") from error


@contextmanager
def _nemesis(plan: StormPlan, director: Director, url: str, view: View) -> Iterator[Nemesis]:
    planned = plan_faults(plan.scenario.faults, plan.scenario.seed)
    nemesis = Nemesis(planned, home=plan.folder.home, url=url, programme=director, say=view.phase)
    nemesis.start()
    try:
        yield nemesis
    finally:
        nemesis.stop()


def _programme(
    plan: StormPlan,
    director: Director,
    crowd: Crowd,
    books: BooksReader,
    view: View,
    *,
    payouts: PayoutDriver,
    abort: AbortWatch,
) -> None:
    """
    Run the director, the payouts and the shop, show the progress, and take snapshots of the books.

    A programme that a threshold breaks off is called off; what its packets still do is seen to the end.
    """
    view.phase(CURTAIN_RISES)
    shop = _shop(plan, director, books.url, abort)
    snapshots = Snapshots(plan.folder, books)

    def happening() -> str:
        last = director.happenings[-1] if director.happenings else None
        said = [f"{last.packet_name}: {last.outcome}"] if last else []
        return ", ".join(said if shop is None else [*said, shop.status])

    def look() -> None:
        abort.see(crowd.show(happening(), director.packets), time.monotonic())
        snapshots.take_if_due()

    parts = [("director", director.perform), ("payouts", payouts.run)]
    parts += [] if shop is None else [("shop", shop.run)]
    if not perform(parts, look, abort.broken, linger_s=RESULTS_LINGER_S):
        perform([("call off", director.call_off_and_wait)], look, linger_s=RESULTS_LINGER_S)


@contextmanager
def _crowd(plan: StormPlan, urls: Sequence[str], view: View) -> Iterator[Crowd]:
    audience = plan.scenario.audience
    order = CrowdOrder(
        host=",".join(urls),
        scenario=str(plan.folder.scenario),
        viewers=audience.viewers,
        seats=plan.seats,
        arrivals_per_second=audience.arrivals_per_second,
        arrivals=audience.arrivals,
        seed=plan.scenario.seed,
        reaction_median_ms=audience.reaction_median_ms,
        access=plan.access,
        max_rate=plan.max_rate,
    )
    crowd = Crowd(plan.engine, plan.folder.path, order, processes=plan.processes, view=view)
    try:
        crowd.connect()
        yield crowd
    finally:
        crowd.leave()


def _shop(plan: StormPlan, director: Director, url: str, abort: AbortWatch) -> ShopDriver | None:
    """Return the scenario's shop, or None with an allocator that keeps no owners: its shares cannot be used."""
    if plan.scenario.shop is None or not plan.allocator.capabilities.keeps_owners:
        return None
    sales, access = plan.folder.sales, plan.access
    return ShopDriver(url, plan.scenario, director, sales, access=access, broken_off=abort.broken)


def _unsaid(_: str) -> None:
    """Print nothing: the view shows the director's actions."""


def facts_of(plan: StormPlan, started: datetime, *, name: str, provisioned: Provisioned[Scenario]) -> RunFacts:
    """Return the facts of a run known before it begins; *name* is the scenario's name or path as given."""
    scenario = plan.scenario
    command = ["redrain", "storm", name, "--viewers", str(scenario.audience.viewers), "--seed", str(scenario.seed)]
    command += ["--speed", str(scenario.speed), "--allocator", plan.allocator.name, "--durability", plan.durability]
    command += ["--engine", plan.engine]
    if plan.engine == "swarm":
        command += ["--processes", str(plan.processes)]
    if plan.workers != scenario.workers:
        command += ["--workers", str(plan.workers)]
    for target in plan.targets:
        command += ["--target", target]
    if plan.access.ca_file is not None:
        command += ["--ca-file", plan.access.ca_file]
    return RunFacts(
        scenario=scenario.name,
        seed=scenario.seed,
        engine=plan.engine,
        durability="unknown" if plan.targets else plan.durability,  # existing servers were not set up by us
        speed=scenario.speed,
        limits="unknown" if plan.targets else scenario.limits,
        allocator=plan.allocator.name,
        viewers=scenario.audience.viewers,
        seats=provisioned.seats,
        repeat_command=shlex.join(command),
        started_at=started.isoformat(timespec="seconds"),
        environment=environment(own_server=not plan.targets, token=bool(plan.access.token)),
        processes=plan.processes,
        workers=plan.workers,
        reaction_median_ms=scenario.audience.reaction_median_ms,
        own_service=not plan.targets,
        notes=provisioned.notes,
    )
