"""
A storm on another service: bring the audience, say when it starts, wait until nobody taps, and ask for the books.

Nothing is started and nothing is stopped but the audience: the service is somebody else's.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from client_sim.behaviour import REACTION_SIGMA
from loadtest.engines.crowd import Crowd, View
from loadtest.engines.curtain import LEAD_NS, raise_curtain
from loadtest.engines.engine_process import CrowdOrder
from loadtest.record.foreign_books import write_foreign_books
from loadtest.record.run_folder import RunFacts, RunFolder
from loadtest.run.performance import perform
from loadtest.run.run_requests import RunRequests, wait_until
from loadtest.scenarios.target_scenario import DeclaredPacket, TargetScenario, folder_of

LINGER_S = 1.0  # after the last reaction: the last replies are still on their way
REACTIONS = 2.7 ** (3 * REACTION_SIGMA)  # how many times the median all but one in a thousand take
_NS_PER_MS = 1_000_000


@dataclass(frozen=True)
class TargetPlan:
    """
    All that a storm on another service is told.

    *host* is its URL if it is not the scenario's; *source* is the scenario's file, from whose folder others are read.
    """

    scenario: TargetScenario
    source: str
    folder: RunFolder
    host: str = ""
    target_adapter: str = ""
    engine: str = "locust"
    processes: int = 1
    max_rate: float | None = None

    @cached_property
    def seats(self) -> int:
        """How many connections the audience has."""
        return sum(1 for _ in self.scenario.seats())

    @property
    def base_url(self) -> str:
        """Where the service is."""
        return (self.host or self.scenario.target.base_url).rstrip("/")


def carry_out_on_target(plan: TargetPlan, facts: RunFacts, view: View) -> None:
    """
    Carry the storm out; what it leaves stands in ``plan.folder``, and *facts* are completed.

    Raises ProcessFailed, SetUpFailed, or BadTarget for a template that has no value.
    """
    run = RunRequests(plan.scenario, base_url=plan.base_url, folder=folder_of(plan.source))
    before = [step for step in plan.scenario.target.steps if step.at_ms is None]
    if before:
        view.phase("preparing the service")
        run.send(before)
    with _crowd(plan, view) as crowd:
        start_ns = time.monotonic_ns() + LEAD_NS
        raise_curtain(plan.folder.path, start_ns)
        view.phase("the curtain rises")
        parts: list[tuple[str, Callable[[Callable[[], bool]], None]]] = [
            ("waiting", lambda stopped: wait_until(start_ns + _lasts_ns(plan.scenario), stopped)),
            ("steps", lambda stopped: run.send_in_time(start_ns, stopped)),
        ]
        perform(parts, crowd.show, linger_s=LINGER_S)
        view.phase("the audience leaves")
        facts.audience_status = crowd.leave()
    facts.declared = [_declared(packet, start_ns) for packet in plan.scenario.packets]
    facts.packet_ids = [packet.packet_id for packet in plan.scenario.packets]
    if plan.scenario.target.books is not None:
        view.phase("asking for the books")
        write_foreign_books(plan.folder.claims, run.books(plan.scenario.target.books))
    plan.folder.compress()
    plan.folder.write_facts(facts)


@contextmanager
def _crowd(plan: TargetPlan, view: View) -> Iterator[Crowd]:
    audience = plan.scenario.audience
    order = CrowdOrder(
        host=plan.base_url,
        scenario=str(Path(plan.source).resolve()),
        viewers=audience.viewers,
        seats=plan.seats,
        arrivals_per_second=audience.arrivals_per_second,
        seed=plan.scenario.seed,
        reaction_median_ms=audience.reaction_median_ms,
        target_adapter=plan.target_adapter,
        max_rate=plan.max_rate,
    )
    crowd = Crowd(plan.engine, plan.folder.path, order, processes=plan.processes, view=view)
    try:
        crowd.come_in()
        yield crowd
    finally:
        crowd.leave()


def _lasts_ns(scenario: TargetScenario) -> int:
    """Return how long after the start everybody has tapped and has been answered."""
    last_ms = max(
        (packet.opens_after_ms or 0) + (packet.closes_after_ms or 0)
        if packet.opens != "on_message"
        else scenario.opens_within_ms
        for packet in scenario.packets
    )
    stays_ms = scenario.lasts_ms
    if stays_ms is None:
        patience_ms = getattr(getattr(scenario.target, "grab", None), "timeout_ms", 5_000)
        stays_ms = round(scenario.audience.reaction_median_ms * REACTIONS) + patience_ms
    return (last_ms + stays_ms) * _NS_PER_MS


def _declared(packet: DeclaredPacket, start_ns: int) -> dict[str, Any]:
    """Return the packet as the judge knows it; instants are those of CLOCK_MONOTONIC, null if they are not known."""
    opens_ns = None if packet.opens_after_ms is None else start_ns + packet.opens_after_ms * _NS_PER_MS
    closes_ns = None
    if packet.closes_after_ms is not None and packet.opens != "on_message":
        closes_ns = (opens_ns or start_ns) + packet.closes_after_ms * _NS_PER_MS
    return {
        "packet_id": packet.packet_id,
        "share_count": packet.share_count,
        "total_fen": packet.total_fen,
        "opens_ns": opens_ns,
        "closes_ns": closes_ns,
        "one_per_viewer": packet.one_per_viewer,
        "min_share_fen": packet.min_share_fen,
        "max_share_fen": packet.max_share_fen,
    }
