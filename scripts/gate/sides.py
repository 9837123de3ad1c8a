"""Sides: the two servers that a gate compares, however they are given: as builds, as commands, or as URLs."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from loadtest.scenarios.target_scenario import TargetScenario, folder_of
from loadtest.targets.registry import target_of
from scripts.bench.grab import CONNECTIONS, VOLLEYS, WARM_UP_VOLLEYS
from scripts.bench.subjects import redrain
from scripts.gate.aim import Aim
from scripts.gate.builds import Revision
from scripts.gate.counters import count_work
from scripts.gate.started_service import Started, running

CONNECTIONS_MAX = 100  # of a service's volley: what a small one takes
FOR_EVER_S = 1e9
ENOUGH_S = 3.0  # a slow service has shown by then what a tap costs; more pairs tell more than longer ones


class Side(Protocol):
    """One of the two servers; ``name`` is its commit, command or URL."""

    @property
    def name(self) -> str:
        """Return what people are shown."""

    @property
    def volleys(self) -> int:
        """Return of how many volleys a leg is made."""
        ...

    @property
    def enough_s(self) -> float:
        """Return how many seconds of receipts are enough, if so many volleys take longer."""
        ...

    @property
    def shares(self) -> bool:
        """Tell whether another server can run at the same time; known once it has been hosted."""
        ...

    def running(self) -> AbstractContextManager[Aim]:
        """Run a fresh server while a block runs. Raises BenchFailed, ProcessFailed, SetUpFailed or ServiceFailed."""
        ...

    def counters(self) -> dict[str, float] | None:
        """Return the work counters (counters.py), or None where they cannot be read."""

    def hosted(self) -> AbstractContextManager[str]:
        """Host a storm for the length of a block; it yields the URL to storm, "" for a server of the storm's own."""


@dataclass(frozen=True, slots=True)
class BuildSide:
    """A build of this project."""

    revision: Revision
    volleys: int = VOLLEYS
    enough_s: float = FOR_EVER_S
    shares: bool = True

    @property
    def name(self) -> str:
        """Return its commit."""
        return self.revision.commit

    @contextmanager
    def running(self) -> Iterator[Aim]:
        """Run a server with a fresh store."""
        with redrain(self.volleys + WARM_UP_VOLLEYS, CONNECTIONS, build=self.revision.build) as subject:
            yield Aim(subject.url, subject.pids, CONNECTIONS, subject.packet_ids)

    def counters(self) -> dict[str, float] | None:
        """Count the work of a fresh server."""
        return count_work(self.revision.build)

    @contextmanager
    def hosted(self) -> Iterator[str]:
        """Leave the server to the storm."""
        yield ""


class ServiceSide:
    """A service that a scenario's target describes."""

    enough_s = ENOUGH_S

    def __init__(self, name: str, scenario: TargetScenario, source: str, adapter: str) -> None:
        self.name = name
        self.connections = min(scenario.audience.viewers, CONNECTIONS_MAX)
        self.volleys = -(-VOLLEYS * CONNECTIONS // self.connections // 4) * 4  # whole turns
        self._scenario = scenario
        self._source = source
        self._adapter = adapter

    def counters(self) -> dict[str, float] | None:
        """Return None: nothing is known of its inside."""
        return None

    def aim(self, url: str, pids: list[int]) -> Aim:
        """Return how to fire at it."""
        return Aim(url, pids, self.connections, source=self._source, adapter=self._adapter)


class UrlSide(ServiceSide):
    """A service that runs already, and whose processes are not known."""

    shares = True

    @contextmanager
    def running(self) -> Iterator[Aim]:
        """Let volleys come to it."""
        yield self.aim(self.name, [])

    @contextmanager
    def hosted(self) -> Iterator[str]:
        """Let the storm come to it."""
        yield self.name


class CommandSide(ServiceSide):
    """
    A service that the gate starts by a command.

    It is told a free port, as ``{port}`` in the command and as PORT in its environment, and listens there or where the
    scenario's target says.
    """

    shares = False  # until it has listened at the port that it was told

    @contextmanager
    def running(self) -> Iterator[Aim]:
        """Run a fresh process."""
        with self._started() as (url, started):
            yield self.aim(url, started.pids)

    @contextmanager
    def hosted(self) -> Iterator[str]:
        """Run a fresh process."""
        with self._started() as (url, _):
            yield url

    @contextmanager
    def _started(self) -> Iterator[tuple[str, Started]]:
        target = target_of(self._scenario, host="", adapter=self._adapter, folder=folder_of(self._source))
        usual = target.addresses[0]
        port = _free_port()
        own = replace(usual, port=port, netloc=f"{usual.host}:{port}")
        with ExitStack() as stack:
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="redrain-gate-", ignore_cleanup_errors=True)
            )
            started = stack.enter_context(running(self.name, usual, own, Path(folder) / "service.log"))
            self.shares = started.address == own
            url = self._scenario.target.base_url.rstrip("/")
            yield _at_port(url, own.port) if self.shares else url, started


def _free_port() -> int:
    with socket.create_server(("", 0)) as probe:
        return int(probe.getsockname()[1])


def _at_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return parts._replace(netloc=f"{host}:{port}").geturl()
