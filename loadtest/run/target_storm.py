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

from client_sim.behaviour import REACTION_SIGMA
from loadtest.engines.crowd import LOOK_EVERY_S, Crowd, View
from loadtest.engines.curtain import LEAD_NS, raise_curtain
from loadtest.engines.engine_process import CrowdOrder
from loadtest.engines.progress import LivePacket, Progress
from loadtest.record.run_folder import RunFacts, RunFolder
from loadtest.run.abort_watch import AbortWatch, thresholds_of
from loadtest.run.audience_record import keep_foreign
from loadtest.run.machine_load import machine_watched
from loadtest.run.performance import perform
from loadtest.run.run_requests import RunRequests
from loadtest.scenarios.target_scenario import TargetScenario, folder_of
from loadtest.targets.reach import check_listening
from loadtest.targets.registry import target_of
from server.core.ids import PacketId

LINGER_S = 1.0  # after the last reaction: the last replies are still on their way
SETTLE_MS = 500  # after the slowest reaction: who was too early taps again
REACTIONS = 2.7 ** (3 * REACTION_SIGMA)  # how many times the median all but one in a thousand take
_NS_PER_MS, _NS_PER_S = 1_000_000, 1_000_000_000


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
    folder = folder_of(plan.source)
    check_listening(target_of(plan.scenario, host=plan.host, adapter=plan.target_adapter, folder=folder).addresses)
    run = RunRequests(plan.scenario, base_url=plan.base_url, folder=folder)
    run.prepare()
    with machine_watched(facts), _crowd(plan, view) as crowd:
        start_ns = time.monotonic_ns() + LEAD_NS
        raise_curtain(plan.folder.path, start_ns)
        view.phase("the curtain rises: the programme is on")
        packets = {
            PacketId(each.packet_id): LivePacket(each.packet_id, each.share_count) for each in plan.scenario.packets
        }
        ending = Ending(plan.scenario, start_ns)
        abort = AbortWatch(thresholds_of(plan.scenario, facts), start_ns / _NS_PER_S, view.phase)

        def look() -> None:
            progress = crowd.show(packets=packets)
            ending.see(progress, time.monotonic_ns())
            abort.see(progress, time.monotonic())

        parts = [
            ("waiting", lambda stopped: _wait(ending, stopped)),
            ("steps", lambda stopped: run.send_in_time(start_ns, stopped)),
        ]
        perform(parts, look, abort.broken, linger_s=LINGER_S)
        abort.note(facts)
        view.phase("disconnecting the audience")
        facts.audience_status = crowd.leave()
    if plan.scenario.target.books is not None:
        view.phase("reading the books")
    keep_foreign(plan.folder, facts, plan.scenario, run, start_ns)


@contextmanager
def _crowd(plan: TargetPlan, view: View) -> Iterator[Crowd]:
    audience = plan.scenario.audience
    order = CrowdOrder(
        host=plan.base_url,
        scenario=str(Path(plan.source).resolve()),
        viewers=audience.viewers,
        seats=plan.seats,
        arrivals_per_second=audience.arrivals_per_second,
        arrivals=audience.arrivals,
        seed=plan.scenario.seed,
        reaction_median_ms=audience.reaction_median_ms,
        target_adapter=plan.target_adapter,
        max_rate=plan.max_rate,
    )
    crowd = Crowd(plan.engine, plan.folder.path, order, processes=plan.processes, view=view)
    try:
        crowd.connect()
        yield crowd
    finally:
        crowd.leave()


class Ending:
    """When a storm on another service is over: nobody taps any more, and everybody has been answered or gives up."""

    def __init__(self, scenario: TargetScenario, start_ns: int) -> None:
        timed = [packet for packet in scenario.packets if packet.opens != "on_message"]
        last_ms = max(((each.opens_after_ms or 0) + (each.closes_after_ms or 0) for each in timed), default=0)
        if scenario.taps is not None:
            first_ms = min((each.opens_after_ms or 0 for each in timed), default=0)
            last_ms = max(last_ms, first_ms + (scenario.taps.lasts_ms or round(scenario.taps.spread_ms or 0)))
        reactions_ms = round(scenario.audience.reaction_median_ms * REACTIONS) + SETTLE_MS
        stays_ms = reactions_ms if scenario.lasts_ms is None else scenario.lasts_ms
        self._quiet_ns = stays_ms * _NS_PER_MS
        self._earliest_ns = start_ns + last_ms * _NS_PER_MS + self._quiet_ns
        self._patience_ns = max(self._quiet_ns, scenario.patience_ms * _NS_PER_MS)
        heard = len(timed) < len(scenario.packets)
        self._unheard_ns = start_ns + scenario.opens_within_ms * _NS_PER_MS if heard else 0
        self._offered = self._answered = 0
        self._changed_ns = start_ns

    def see(self, progress: Progress, now_ns: int) -> None:
        """Take note of how far the audience is."""
        if progress.offered != self._offered:
            self._changed_ns = now_ns
        self._offered, self._answered = progress.offered, progress.answered + progress.unread

    def over(self, now_ns: int) -> bool:
        """Tell whether nothing more is to be expected."""
        if now_ns < self._earliest_ns or (not self._offered and now_ns < self._unheard_ns):
            return False
        waits_ns = self._quiet_ns if self._answered >= self._offered else self._patience_ns
        return now_ns - self._changed_ns >= waits_ns


def _wait(ending: Ending, stopped: Callable[[], bool]) -> None:
    while not stopped() and not ending.over(time.monotonic_ns()):
        time.sleep(LOOK_EVERY_S)
