"""A swarm whose size another process decides as it goes, and whose counts that process takes."""

import tempfile
import time
from pathlib import Path
from typing import Any

from loadtest.engines.child_process import ChildProcess
from loadtest.engines.curtain import LEAD_NS, raise_curtain
from loadtest.engines.engine_process import CrowdOrder
from loadtest.engines.locust_figures import figures_of, pour
from loadtest.engines.seats_file import tell_seats
from loadtest.record.growing_file import GrowingFile
from loadtest.targets.credential import leave_token

ARRIVALS_PER_SECOND = 10_000  # who asks for more viewers asks for them now


class SwarmCrew:
    """
    The processes of one worker: seat *n* of the worker's own sits in process *n* modulo their count.

    *part* is (worker number, worker count); *order* has the seats of the whole audience. Their history goes into the
    folder *history*, if there is one.
    """

    def __init__(self, order: CrowdOrder, *, part: tuple[int, int], processes: int, history: Path | None) -> None:
        self._own = tempfile.TemporaryDirectory(prefix="redrain-swarm-")
        self._folder = Path(self._own.name)
        self._history = history
        self._parts: list[ChildProcess] = []
        self._connected = [False] * processes
        self._seats = [0] * processes
        self._figures = [GrowingFile(self._folder / f"figures-{number}.jsonl") for number in range(processes)]
        index, count = part
        try:
            for number in range(processes):
                arguments = [*order.arguments(), "--part", f"{index + count * number}/{count * processes}"]
                arguments += ["--seats", "0", "--all-seats", str(order.seats)]
                arguments += ["--seats-file", str(self._seats_file(number))]
                arguments += ["--figures", str(self._folder / f"figures-{number}.jsonl")]
                arguments += ["--arrivals-per-second", str(ARRIVALS_PER_SECOND)]
                arguments += ["--watched", str(self._folder)] if history is None else ["--history", str(history)]
                if order.access.token:
                    token = leave_token(order.access.token, self._folder / f"{number}.token")
                    arguments += ["--token-file", str(token)]
                log = self._folder / f"swarm-{number}.log"
                self._parts.append(ChildProcess(f"swarm {number}", "loadtest.engines.swarm_process", arguments, log))
        except BaseException:
            self.stop()
            raise

    @property
    def pids(self) -> list[int]:
        """Return the process ids."""
        return [part.pid for part in self._parts]

    @property
    def histories(self) -> list[Path]:
        """Return the files of the history."""
        folder = self._history
        return [] if folder is None else [folder / f"history-{part.pid}.jsonl" for part in self._parts]

    @property
    def all_connected(self) -> bool:
        """Tell whether every viewer of every process is connected."""
        pairs = zip(self._connected, self._seats, strict=True)
        return any(self._seats) and all(connected or not seats for connected, seats in pairs)

    def have(self, seats: int, *, complete: bool) -> None:
        """Have so many viewers from now on; *complete* tells whether these are all."""
        for number in range(len(self._parts)):
            self._seats[number] = len(range(number, seats, len(self._parts)))
            tell_seats(self._seats_file(number), self._seats[number], complete=complete)

    def start(self) -> None:
        """Start on a service that does not announce packets, and where nobody else says when."""
        raise_curtain(self._folder, time.monotonic_ns() + LEAD_NS)

    def pour(self, stats: Any) -> None:
        """Add the counts since the last call to Locust's *stats*."""
        for number, figures in enumerate(self._figures):
            for line in figures.new_lines():
                series, failures, self._connected[number] = figures_of(line)
                pour(series, failures, stats)

    def check(self) -> None:
        """Raise ProcessFailed if a process has ended."""
        for part in self._parts:
            part.check()

    def stop(self) -> int:
        """Ask all to end at once, wait, and return the worst status."""
        for part in self._parts:
            part.ask_to_end()
        return max((abs(part.stop()) for part in self._parts), default=0)

    def close(self) -> None:
        """Remove what is of no use after the last ``pour``."""
        self._own.cleanup()

    def _seats_file(self, number: int) -> Path:
        return self._folder / f"seats-{number}.json"
