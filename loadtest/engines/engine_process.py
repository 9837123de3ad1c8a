"""The engines as processes, each by its name."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from loadtest.engines.child_process import ChildProcess
from loadtest.targets.credential import leave_token

ENGINES = ("locust", "swarm")


@dataclass(frozen=True, slots=True)
class CrowdOrder:
    """
    The audience that an engine must connect to *host*: its viewers and seats, arrival rate and seed.

    With a *token* its viewers connect by ticket; *target_adapter* is a user's class that speaks to the target;
    *max_rate* limits the requests a second of all processes together.
    """

    host: str
    scenario: str
    viewers: int
    seats: int
    arrivals_per_second: int
    seed: int
    reaction_median_ms: int
    token: str = field(default="", repr=False)
    target_adapter: str = ""
    max_rate: float | None = None

    def arguments(self) -> list[str]:
        """Return the arguments that all engines have in common."""
        told: dict[str, object] = {"--host": self.host, "--scenario": self.scenario, "--seed": self.seed}
        told |= {"--reaction-median-ms": self.reaction_median_ms, "--target-adapter": self.target_adapter}
        if self.max_rate is not None:
            told["--max-rate"] = self.max_rate
        return [word for name, value in told.items() for word in (name, str(value))]


class Engine(Protocol):
    """A running audience: one or several processes, each writing its own history and progress into a folder."""

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
        arguments += ["-u", str(order.seats), "-r", str(order.arrivals_per_second), *order.arguments()]
        arguments += ["--history", str(folder), "--directed"]
        if order.token:
            arguments += ["--token-file", str(leave_token(order.token, folder / "locust.token"))]
        else:
            arguments += ["--token", ""]  # overrides the environment, whose token is for another server
        super().__init__("audience (Locust)", "locust", arguments, folder / "locust.log")


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
                arguments += ["--arrivals-per-second", str(order.arrivals_per_second / processes)]
                arguments += ["--history" if history else "--watched", str(folder)]
                if order.token:
                    arguments += ["--token-file", str(leave_token(order.token, folder / f"swarm-{part}.token"))]
                log = folder / f"swarm-{part}.log"
                name = f"audience (swarm {part})"
                self._parts.append(ChildProcess(name, "loadtest.engines.swarm_process", arguments, log))
        except BaseException:
            self.stop()
            raise

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
