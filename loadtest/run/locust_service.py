"""A Locust run on another service: one start for all processes, the run's own requests, and its books."""

import time
from collections.abc import Callable
from typing import Any

import gevent

from loadtest.engines.audience import Audience
from loadtest.engines.curtain import LEAD_NS, raise_curtain
from loadtest.run.audience_record import keep_foreign
from loadtest.run.locust_record import LocustRecord
from loadtest.run.run_requests import RunRequests
from loadtest.scenarios.target_scenario import TargetScenario, folder_of

READY, START = "redrain_ready", "redrain_start"
"""A worker tells its master that its viewers are connected, and the master all workers when packets count from."""

ARRIVAL_S = 30.0  # the run starts then, even if some viewers are not connected
LOOK_EVERY_S = 0.1


class StartSignal:
    """The start of a run: waited for by the master, told to the workers, and known to the only process by itself."""

    def __init__(self, runner: Any, audience: Callable[[], Audience | None], *, worker: bool) -> None:
        self._runner = runner
        self._audience = audience
        self._ready: set[str] = set()
        runner.register_message(*((START, self._start) if worker else (READY, self._take)))

    def begin(self) -> None:
        """Forget the run before."""
        self._ready.clear()

    def connected(self) -> None:
        """Tell the master that all viewers of this worker are connected."""
        self._runner.send_message(READY, None)

    def give(self, record: LocustRecord, stopped: Callable[[], bool]) -> int | None:
        """Return when the run starts, on this process's clock: as soon as everybody is there. None if it is stopped."""
        deadline = time.monotonic() + ARRIVAL_S
        while not stopped():
            audience = self._audience()
            if audience is not None and audience.start_ns is not None:
                return audience.start_ns
            if audience is None and (record.workers <= self._ready or time.monotonic() >= deadline):
                start_ns = time.monotonic_ns() + LEAD_NS
                raise_curtain(record.folder.path, start_ns)
                self._runner.send_message(START, {"in_ns": LEAD_NS})
                return start_ns
            gevent.sleep(LOOK_EVERY_S)
        return None

    def _take(self, msg: Any, **_: Any) -> None:
        self._ready.add(msg.node_id)

    def _start(self, msg: Any, **_: Any) -> None:
        """Tell the viewers of a worker that does not see the master's folder."""
        audience = self._audience()
        path = None if audience is None else audience.history_path
        if path is not None and not path.parent.joinpath("curtain.json").exists():
            raise_curtain(path.parent, time.monotonic_ns() + int(msg.data["in_ns"]))


class ServiceRun:
    """The requests of a run on the service that *scenario* describes, and what they leave. Raises BadTarget."""

    def __init__(self, scenario: TargetScenario, source: str, host: str) -> None:
        self._scenario = scenario
        url = (host or scenario.target.base_url or "").rstrip("/")
        self._requests = RunRequests(scenario, base_url=url, folder=folder_of(source))
        self._start_ns: int | None = None

    def prepare(self) -> None:
        """Make the requests that come before the audience. Raises SetUpFailed."""
        self._requests.prepare()

    def perform(self, signal: StartSignal, record: LocustRecord, stopped: Callable[[], bool]) -> None:
        """Wait for the start, and make the requests that have a time. Raises SetUpFailed."""
        self._start_ns = signal.give(record, stopped)
        if self._start_ns is not None:
            self._requests.send_in_time(self._start_ns, stopped)

    def keep(self, record: LocustRecord) -> None:
        """Complete the folder of the run. Raises SetUpFailed."""
        keep_foreign(record.folder, record.facts, self._scenario, self._requests, self._start_ns)
