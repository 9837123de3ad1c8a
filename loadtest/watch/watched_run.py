"""A run that is watched: its diary, and the process that shows it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from loadtest.engines.child_process import ChildProcess, ProcessFailed
from loadtest.engines.crowd import View
from loadtest.record.run_folder import RunFacts, RunFolder
from loadtest.scenarios.scenario import Scenario
from loadtest.scenarios.target_scenario import TargetScenario
from loadtest.verdict.weigh import Exit
from loadtest.watch.diary import DIARY, Diary
from loadtest.watch.watch_process import URL_FILE

LOG = "watch.log"
START_TIMEOUT_S = 20.0
LOOK_EVERY_S = 0.02
SEEN_S = 1.0  # in which every open page has got the last picture


class WatchProcess(ChildProcess):
    """The process that serves the dashboard of the run in a folder."""

    def __init__(self, folder: RunFolder, port: int) -> None:
        self._url_file = folder.path / URL_FILE
        arguments = [str(folder.path), "--port", str(port)]
        super().__init__("dashboard", "loadtest.watch.watch_process", arguments, folder.path / LOG)

    def wait_until_ready(self) -> str:
        """Return the URL of the dashboard. Raises ProcessFailed if it ends or takes too long."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._url_file.exists():
                return self._url_file.read_text("utf-8")
            self.check()
            time.sleep(LOOK_EVERY_S)
        raise ProcessFailed(f"the dashboard did not start:\n{self.tail()}", Exit.ENVIRONMENT)


class WatchedRun(Diary):
    """The view of a run with a dashboard: what a run tells it is also on the dashboard at ``url``."""

    def __init__(self, file: BinaryIO, shown: View, url: str) -> None:
        super().__init__(file, shown)
        self.url = url

    def stay(self, seconds: float) -> None:
        """Keep the dashboard after the end of the run; Ctrl-C ends it earlier."""
        with suppress(KeyboardInterrupt):
            time.sleep(max(seconds, SEEN_S))


def files_of_watching(folder: RunFolder) -> tuple[Path, ...]:
    """Return the files that a dashboard adds to the folder of a run."""
    return tuple(folder.path / name for name in (DIARY, URL_FILE, LOG))


@contextmanager
def watched(
    folder: RunFolder, facts: RunFacts, scenario: Scenario | TargetScenario, view: View, *, port: int
) -> Iterator[WatchedRun]:
    """Show a run on a dashboard while the block runs. Raises ProcessFailed."""
    with (folder.path / DIARY).open("wb") as file:
        process = WatchProcess(folder, port)
        try:
            watching = WatchedRun(file, view, process.wait_until_ready())
            watching.begin(opening_of(facts, scenario))
            watching.phase(f"live at {watching.url}")
            yield watching
        finally:
            process.stop()


def opening_of(facts: RunFacts, scenario: Scenario | TargetScenario) -> dict[str, Any]:
    """Return the first line of a run's diary."""
    told = [facts.engine, f"{facts.viewers:,} viewers"]
    told += [f"target {facts.target}"] if facts.foreign else [f"speed {facts.speed}", facts.durability, facts.allocator]
    return {
        "title": f"storm {facts.scenario}",
        "subtitle": ", ".join(told),
        "foreign": facts.foreign,
        "durability": facts.durability,
        "rooms": {} if isinstance(scenario, TargetScenario) else {each.room_id: each.title for each in scenario.rooms},
        "declared": declared_of(scenario) if isinstance(scenario, TargetScenario) else [],
    }


def declared_of(scenario: TargetScenario) -> list[dict[str, Any]]:
    """Return the packets of a service as they are declared; when they open is known only to the storm."""
    names = ("packet_id", "share_count", "total_fen", "one_per_viewer", "min_share_fen", "max_share_fen")
    unknown = {"opens_ns": None, "closes_ns": None}
    return [{name: getattr(packet, name) for name in names} | unknown for packet in scenario.packets]
