"""The engines as processes, each by its name."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from loadtest.engines.child_process import ChildProcess
from loadtest.scenarios.arrivals import AudienceArrivals
from loadtest.targets.access import NOBODY, Access
from loadtest.targets.credential import leave_token

ENGINES = ("locust", "swarm")


@dataclass(frozen=True, slots=True)
class CrowdOrder:
    """
    The audience that an engine must connect to *host*: its viewers and seats, arrival rate and seed.

    With *arrivals* the scenario says when each viewer comes, and it may take them so long.

    With a credential its viewers connect by ticket; *target_adapter* is a user's class that speaks to the target;
    *max_rate* limits the requests a second of all processes together.
    """

    host: str
    scenario: str
    viewers: int
    seats: int
    arrivals_per_second: int
    seed: int
    reaction_median_ms: int
    access: Access = NOBODY
    target_adapter: str = ""
    max_rate: float | None = None
    arrivals: AudienceArrivals | None = None

    @property
    def arrive_within_s(self) -> float:
        """Return how long it takes in the mean until everybody has come."""
        if self.arrivals is not None:
            return self.arrivals.takes_s(self.seats)
        return self.seats / self.arrivals_per_second

    def arguments(self) -> list[str]:
        """Return the arguments that all engines have in common."""
        told: dict[str, object] = {"--host": self.host, "--scenario": self.scenario, "--seed": self.seed}
        told |= {"--reaction-median-ms": self.reaction_median_ms, "--target-adapter": self.target_adapter}
        if self.access.ca_file is not None:
            told["--ca-file"] = self.access.ca_file
        if self.max_rate is not None:
            told["--max-rate"] = self.max_rate
        return [word for name, value in told.items() for word in (name, str(value))]


class Engine(Protocol):
    """A running audience: one or several processes, each writing its own history and progress into a folder."""

    @property
    def pids(self) -> list[int]:
        """Return its process ids."""

    def check(self) -> None:
        """Raise ProcessFailed if a process has ended."""

    def tail(self) -> str:
        """Return the last lines of its log."""

    def stop(self) -> int:
        """Ask it to end, wait, and return its status: 0 on success."""


class LocustProcess(ChildProcess):
    """Headless Locust with one user per seat of the audience; the storm directs the programme."""

    def __init__(self, folder: Path, order: CrowdOrder) -> None:
        arguments = ["-f", str(Path(__file__).parents[1] / "locustfile.py"), "--headless", "--only-summary"]
        at_once = order.arrivals is not None  # its users wait for their time themselves
        rate = order.seats if at_once else order.arrivals_per_second
        arguments += ["-u", str(order.seats), "-r", str(rate), *order.arguments()]
        arguments += ["--history", str(folder), "--directed"]
        if order.access.token:
            arguments += ["--token-file", str(leave_token(order.access.token, folder / "locust.token"))]
        super().__init__("audience (Locust)", "loadtest.engines.locust_process", arguments, folder / "locust.log")

    @property
    def pids(self) -> list[int]:
        """Return its process id."""
        return [self.pid]


class SwarmProcess:
    """
    A swarm of several processes: seat number *n* sits in process *n* modulo their count.

    Without a *history* only its progress is written into *folder*.
    """

    def __init__(self, folder: Path, order: CrowdOrder, *, processes: int, history: bool = True) -> None:
        self._parts: list[ChildProcess] = []
        try:
            for part in range(processes):
                seats = len(range(part, order.seats, processes))
                arguments = [*order.arguments(), "--part", f"{part}/{processes}", "--seats", str(seats)]
                arguments += ["--all-seats", str(order.seats)]
                arguments += ["--arrivals-per-second", str(order.arrivals_per_second / processes)]
                arguments += ["--history" if history else "--watched", str(folder)]
                if order.access.token:
                    arguments += ["--token-file", str(leave_token(order.access.token, folder / f"swarm-{part}.token"))]
                log = folder / f"swarm-{part}.log"
                name = f"audience (swarm {part})"
                self._parts.append(ChildProcess(name, "loadtest.engines.swarm_process", arguments, log))
        except BaseException:
            self.stop()
            raise

    @property
    def pids(self) -> list[int]:
        """Return the process ids of its parts."""
        return [part.pid for part in self._parts]

    def check(self) -> None:
        """Raise ProcessFailed if a process has ended."""
        for part in self._parts:
            part.check()

    def tail(self) -> str:
        """Return the last lines of the logs."""
        return "\n".join(part.tail() for part in self._parts)

    def stop(self) -> int:
        """Ask all to end at once, wait, and return the worst status."""
        for part in self._parts:
            part.ask_to_end()
        return max((abs(part.stop()) for part in self._parts), default=0)


def engine_process(engine: str, folder: Path, order: CrowdOrder, *, processes: int, history: bool = True) -> Engine:
    """Start the engine of that name (one of ``ENGINES``) and return it. Only a swarm can run without a *history*."""
    if engine == "swarm":
        return SwarmProcess(folder, order, processes=processes, history=history)
    return LocustProcess(folder, order)
