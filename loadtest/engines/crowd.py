"""A crowd: starts an engine, waits until its viewers are connected, and stops it. Used by storm and swarm."""

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
    """The display of a run's progress."""

    def phase(self, text: str) -> None:
        """Show that a new phase has begun."""

    def progress(self, progress: Progress, happening: str) -> None:
        """Show the newest numbers."""


class SilentView:
    """A view that shows nothing, for callers that run many storms."""

    def phase(self, text: str) -> None:
        """Say nothing."""

    def progress(self, progress: Progress, happening: str) -> None:
        """Show nothing."""


class Crowd:
    """The audience of an *engine*, recorded in *folder*; ``leave`` ends it, even if it never connected."""

    def __init__(
        self, engine: str, folder: Path, order: CrowdOrder, *, processes: int, view: View, history: bool = True
    ) -> None:
        self._order = order
        self._view = view
        self._files = ProgressFiles(folder)
        view.phase(f"connecting {order.viewers:,} viewers")
        self._process: Engine = engine_process(engine, folder, order, processes=processes, history=history)

    def connect(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Wait until every seat is connected, or *stopped()*. Raises ProcessFailed if some cannot connect in time."""
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
        """End the engine and return its status: 0 on success."""
        return self._process.stop()
