"""The stage of the demo: a server of its own, three rooms, an audience, and round after round of the programme."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import requests

from loadtest.demo.controls import run_naive
from loadtest.demo.errands import ISV, WARES
from loadtest.demo.lines import TEXTS, TITLES
from loadtest.demo.onlooker import Onlooker
from loadtest.demo.programme import HOSTS, ORIGIN_MS, lacking, programme_of
from loadtest.engines.child_process import ProcessFailed
from loadtest.engines.crowd import Crowd, SilentView
from loadtest.engines.engine_process import CrowdOrder
from loadtest.run.director import Director, planned_packets
from loadtest.run.performance import perform
from loadtest.run.provision import provision
from loadtest.run.server_process import ServerProcess
from loadtest.scenarios.scenario import Scenario
from loadtest.targets.access import Access
from loadtest.targets.requester import Requester, SetUpFailed
from loadtest.watch.site import WatchSite
from loadtest.watch.watched_server import WatchedServer, watched_server

ROUNDS_FAILED_MAX = 3  # one after the other; what a killed store costs is one
RESERVE = 2  # a creator with less than its first recharge divided by this is recharged again


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """
    A demo as asked for, on ``port`` of ``address``; ``site`` is for its dashboard.

    ``text`` is the scenario's TOML. With a ``secret`` the server asks who one is, and ``token`` is an administrator's.
    """

    folder: Path
    text: str
    viewers: int
    speed: int
    language: str
    address: str
    port: int
    site: WatchSite
    secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    once: bool = False


def carry_out(
    plan: DemoPlan,
    *,
    ready: Callable[[str, Scenario], None],
    say: Callable[[str], None],
    stopped: Callable[[], bool],
) -> list[str]:
    """
    Run the demo until *stopped()*, or one round of it; return what that round was to show and has not.

    *ready* is called with the server's URL once the rooms are there, *say* with each line. Raises ProcessFailed or
    SetUpFailed; all that was started is stopped in any case.
    """
    scenario = provision(
        programme_of(plan.text, viewers=plan.viewers, speed=plan.speed), engine="swarm", processes=1, target=None
    ).scenario
    access = Access(plan.token)
    with _server(plan) as (server, url):
        _set_up(url, scenario, access)
        with _dashboard(plan, url, access), _audience(plan, scenario, url, access) as crowd:
            ready(url, scenario)
            rounds = _Rounds(plan, scenario, url, access, say)

            def look() -> None:
                server.check()
                crowd.show()

            return rounds.perform(look, stopped)


@contextmanager
def _server(plan: DemoPlan) -> Iterator[tuple[ServerProcess, str]]:
    options = [
        "--speed",
        str(plan.speed),
        "--origin-ms",
        str(ORIGIN_MS),
        "--limits",
        "demo",
        "--guests",
        "--diagnostics",
    ]
    options += ["--host", plan.address, "--port", str(plan.port), "--dashboard-url", plan.site.url]
    server = ServerProcess(plan.folder, options, insecure=not plan.secret, secret=plan.secret)
    try:
        yield server, server.wait_until_ready()
    except (SetUpFailed, requests.RequestException):
        server.check()  # if it has ended, that is why
        raise
    finally:
        server.stop()


def _dashboard(plan: DemoPlan, url: str, access: Access) -> AbstractContextManager[str]:
    """Show the demo on its dashboard, with the buttons that break it."""
    shown = WatchedServer(
        url,
        access,
        title=TITLES[plan.language],
        audience=plan.folder,
        home=plan.folder / "home",
        breakable=True,
        naive=partial(run_naive, url, access, plan.speed),
        token=plan.token,
    )
    return watched_server(shown, plan.site)


@contextmanager
def _audience(plan: DemoPlan, scenario: Scenario, url: str, access: Access) -> Iterator[Crowd]:
    """Let the audience come in while the first round begins."""
    path = plan.folder / "demo.toml"
    path.write_text(plan.text, "utf-8")
    audience = scenario.audience
    order = CrowdOrder(
        host=url,
        scenario=str(path),
        viewers=audience.viewers,
        seats=sum(1 for _ in scenario.seats()),
        arrivals_per_second=audience.arrivals_per_second,
        seed=scenario.seed,
        reaction_median_ms=audience.reaction_median_ms,
        access=access,
    )
    crowd = Crowd("swarm", plan.folder, order, processes=1, view=SilentView(), history=False)
    try:
        yield crowd
    finally:
        crowd.leave()


def _set_up(url: str, scenario: Scenario, access: Access) -> None:
    """Open the rooms, put the goods on the table, and let the merchants' tool report what becomes of orders."""
    requester = Requester(url, access)
    for creator in scenario.creators:  # before the rooms, which show the name that the host has when they open
        path = f"/api/creators/{creator.creator_id}/profile"
        requester.put(path, {"name": HOSTS[creator.creator_id]}, key=f"name-{creator.creator_id}")
    _round(url, scenario, access).set_up()
    requester.post(f"/api/isvs/{ISV}", {"integrated": True}, key=f"integrate-{ISV}")
    for creator_id, wares in WARES.items():
        for product_id, title, price_fen in wares:
            product = {"title": title, "list_price_fen": price_fen, "creator_id": creator_id}
            requester.put(f"/api/products/{product_id}", product, key=f"register-{product_id}")


def _round(url: str, scenario: Scenario, access: Access, *, alone: bool = True) -> Director:
    return Director(url, scenario, scenario.audience.viewers, lambda _: None, access=access, alone=alone)


class _Rounds:
    """The rounds of one demo, each with a director and an onlooker of its own."""

    def __init__(
        self, plan: DemoPlan, scenario: Scenario, url: str, access: Access, say: Callable[[str], None]
    ) -> None:
        self._plan = plan
        self._scenario = scenario
        self._url = url
        self._access = access
        self._say = say
        self._requester = Requester(url, access)
        self._simulated = frozenset(seat.viewer_id for seat in scenario.seats())

    def perform(self, look: Callable[[], object], stopped: Callable[[], bool]) -> list[str]:
        """Perform rounds until *stopped()*, or one; return what that one lacks."""
        failed = 0
        while not stopped():
            try:
                self._recharge()
                missing = self._perform_one(look, stopped)
            except SetUpFailed as problem:
                failed += 1
                if self._plan.once or failed == ROUNDS_FAILED_MAX:
                    raise
                self._say(TEXTS[self._plan.language]["disturbed"].format(why=problem))
                continue
            failed = 0
            if self._plan.once:
                return missing
        return []

    def _perform_one(self, look: Callable[[], object], stopped: Callable[[], bool]) -> list[str]:
        director = _round(self._url, self._scenario, self._access, alone=self._plan.once)
        onlooker = Onlooker(
            self._url,
            self._scenario,
            director,
            access=self._access,
            folder=self._plan.folder,
            simulated=self._simulated,
            language=self._plan.language,
            say=self._say,
        )
        try:
            over = perform([("director", director.perform), ("onlooker", onlooker.run)], look, stopped, linger_s=0.0)
        except (SetUpFailed, ProcessFailed):
            director.call_off()
            raise
        planned = planned_packets(self._scenario, self._scenario.audience.viewers)
        return lacking(planned, onlooker.evidence) if over else []

    def _recharge(self) -> None:
        """Recharge the creators whose funds are low: what viewers win does not come back."""
        for creator in self._scenario.creators:
            path = f"/api/creators/{creator.creator_id}"
            available_fen = self._requester.get(f"{path}/funds")["available_fen"]
            if available_fen < creator.recharge_fen // RESERVE:
                body = {"amount_fen": creator.recharge_fen, "channel": creator.channel}
                self._requester.post(f"{path}/recharge", body, key=f"again-{creator.creator_id}-{available_fen}")
