"""How a crowd is led, whoever asked for it: an engine brings it, and it stays until it is told to leave."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from loadtest.engines.child_process import ProcessFailed
from loadtest.engines.engine_process import CrowdOrder, Engine, engine_process
from loadtest.engines.progress import Progress, ProgressFiles
from loadtest.verdict.weigh import Exit

LOOK_EVERY_S = 0.1
CONNECT_SLACK_S = 60.0


class View(Protocol):
    """Who shows how a run goes."""

    def phase(self, text: str) -> None:
        """Say that something new has begun."""

    def progress(self, progress: Progress, happening: str) -> None:
        """Show the newest numbers."""


class SilentView:
    """Shows nothing: whoever runs many tells what came of them when all are over."""

    def phase(self, text: str) -> None:
        """Say nothing."""

    def progress(self, progress: Progress, happening: str) -> None:
        """Show nothing."""


class Crowd:
    """The audience that an *engine* brings into *folder*; ``leave`` ends it, also if it never came in."""

    def __init__(
        self, engine: str, folder: Path, order: CrowdOrder, *, processes: int, view: View, history: bool = True
    ) -> None:
        self._order = order
        self._view = view
        self._files = ProgressFiles(folder)
        view.phase(f"{order.viewers:,} viewers come in")
        self._process: Engine = engine_process(engine, folder, order, processes=processes, history=history)

    def come_in(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Wait until every seat is connected, or *stopped()*. Raises ProcessFailed if the crowd does not come."""
        seats = self._order.seats
        deadline = time.monotonic() + seats / self._order.arrivals_per_second + CONNECT_SLACK_S
        while (progress := self.show()).connected < seats and not stopped():
            if time.monotonic() > deadline:
                problem = f"only {progress.connected} of {seats} viewers could connect:\n{self._process.tail()}"
                raise ProcessFailed(problem, Exit.ENVIRONMENT)
            time.sleep(LOOK_EVERY_S)

    def show(self, happening: str = "") -> Progress:
        """Show the newest numbers and return them. Raises ProcessFailed if a process has ended."""
        self._process.check()
        progress = self._files.look()
        self._view.progress(progress, happening)
        return progress

    def leave(self) -> int:
        """End the engine and return its status: 0 if all went well."""
        return self._process.stop()
