"""``redrain bench watch``: the server's CPU per grab in a stampede, with a dashboard that is looked at and without."""

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from loadtest.engines.progress import Progress
from loadtest.record.run_folder import RunFolder
from loadtest.run.provision import provision
from loadtest.run.storm import AUDIENCE_LEAVES, CURTAIN_RISES, StormPlan, carry_out, facts_of
from loadtest.scenarios.crowd_scenario import scenario_text
from loadtest.scenarios.scenario import load_scenario
from loadtest.watch.watched_run import watched
from scripts.bench.cpu import cpu_us
from scripts.bench.process import BenchFailed
from scripts.bench.rounds import Benchmark, BenchTarget

SCENARIO, VIEWERS = "stampede", 2_000
RATIO = 1.05  # the server's CPU per grab with the dashboard, at most
UPDATES_PER_SECOND = 2.0  # of the page, at least


def benchmark() -> Benchmark:
    """Return the benchmark of a watched storm."""
    subjects = {"without": lambda: measure(is_watched=False), "with a dashboard": lambda: measure(is_watched=True)}
    return Benchmark("watch", "grab", subjects, [BenchTarget("with a dashboard", "without", RATIO)])


def measure(*, is_watched: bool) -> float:
    """
    Run one storm and return the server's CPU microseconds per grab while the programme was on.

    Raises BenchFailed if a page was brought up to date less than twice a second.
    """
    with tempfile.TemporaryDirectory(prefix="redrain-bench-", ignore_cleanup_errors=True) as path:
        folder = RunFolder(Path(path))
        scenario = load_scenario(SCENARIO).before(viewers=VIEWERS)
        provisioned = provision(scenario, engine="swarm", processes=None, target=None)
        plan = StormPlan(provisioned.scenario, folder, engine="swarm", processes=provisioned.processes)
        facts = facts_of(plan, datetime.now(UTC), name=SCENARIO, provisioned=provisioned)
        folder.scenario.write_text(scenario_text(SCENARIO), "utf-8")
        meter = Meter()
        if not is_watched:
            carry_out(plan, facts, meter)
            return meter.us_per_grab
        with watched(folder, facts, provisioned.scenario, meter, port=0) as view, looking_at(view.url) as times:
            carry_out(plan, facts, view)
    if (rate := rate_of(times)) < UPDATES_PER_SECOND:
        raise BenchFailed(f"the dashboard was brought up to date {rate:.1f} times a second, not {UPDATES_PER_SECOND:g}")
    return meter.us_per_grab


class Meter:
    """A view that measures the server of a storm while its programme is on."""

    def __init__(self) -> None:
        self._used_us = 0.0
        self._pids: list[int] = []
        self._grabs = 0

    @property
    def us_per_grab(self) -> float:
        """Return the CPU microseconds of the server per grab that was answered."""
        return self._used_us / max(self._grabs, 1)

    def phase(self, text: str) -> None:
        """Read the server's CPU time at the beginning and at the end of the programme."""
        if text == CURTAIN_RISES:
            self._pids = [process.pid for process in psutil.Process().children() if "serve" in process.cmdline()]
            self._used_us = -cpu_us(self._pids)
        elif text == AUDIENCE_LEAVES:
            self._used_us += cpu_us(self._pids)

    def progress(self, progress: Progress, happening: str) -> None:
        """Count the grabs."""
        self._grabs = progress.answered


@contextmanager
def looking_at(url: str) -> Iterator[list[float]]:
    """Look at a dashboard as a page does while the block runs; the list has the instants of its updates, in s."""
    times: list[float] = []

    def look() -> None:
        with connect(url.replace("http", "ws").replace("dashboard", "watch"), max_size=None) as line:
            try:
                while True:
                    line.recv()
                    times.append(time.monotonic())
            except ConnectionClosed:
                return

    threading.Thread(target=look, name="looking", daemon=True).start()
    yield times


def rate_of(times: list[float]) -> float:
    """Return how many updates a second came; the slowest ten seconds count."""
    spans = [later - earlier for earlier, later in zip(times, times[20:], strict=False)]
    return 20 / max(spans) if spans else 0.0
