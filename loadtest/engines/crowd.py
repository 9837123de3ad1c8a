"""A crowd: starts an engine, waits until its viewers are connected, and stops it. Used by storm and swarm."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from loadtest.engines.child_process import ProcessFailed
from loadtest.engines.engine_process import CrowdOrder, Engine, engine_process
from loadtest.engines.progress import LivePacket, Progress, ProgressFiles
from loadtest.verdict.weigh import Exit
from server.core.ids import PacketId

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
        self._shown = Progress()
        self._happening = ""
        view.phase(f"connecting {order.viewers:,} viewers")
        self._process: Engine = engine_process(engine, folder, order, processes=processes, history=history)

    @property
    def pids(self) -> list[int]:
        """Return the process ids of the engine."""
        return self._process.pids

    def connect(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Wait until every seat is connected, or *stopped()*. Raises ProcessFailed if some cannot connect in time."""
        seats = self._order.seats
        deadline = time.monotonic() + self._order.arrive_within_s + CONNECT_SLACK_S
        while (progress := self.show()).connected < seats and not stopped():
            if time.monotonic() > deadline:
                why = next(iter(progress.failures), "no viewer was refused, and none was welcomed either")
                problem = f"only {progress.connected} of {seats} viewers could connect: {why}\n{self._process.tail()}"
                raise ProcessFailed(problem, Exit.ENVIRONMENT)
            time.sleep(LOOK_EVERY_S)

    def show(self, happening: str = "", packets: Mapping[PacketId, LivePacket] = MappingProxyType({})) -> Progress:
        """Show the newest numbers and return them. Raises ProcessFailed if a process has ended."""
        self._process.check()
        self._shown, self._happening = replace(self._files.look(), packets=packets), happening
        self._view.progress(self._shown, happening)
        return self._shown

    def leave(self) -> int:
        """End the engine, show its last numbers, with everybody as they were, and return its status: 0 on success."""
        status = self._process.stop()
        shown = self._shown
        last = replace(self._files.look(), present=shown.present, connected=shown.connected, packets=shown.packets)
        self._view.progress(last, self._happening)
        return status
