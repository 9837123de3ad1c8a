"""Sides: the two servers that a gate compares, however they are given: as builds, as commands, or as URLs."""

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from loadtest.scenarios.target_scenario import TargetScenario, folder_of
from loadtest.targets.port import Address
from loadtest.targets.registry import target_of
from scripts.gate.builds import Revision
from scripts.gate.counters import count_work
from scripts.gate.leg import LegFigures, leg_at, leg_of
from scripts.gate.started_service import Service, running

CONNECTIONS_MAX = 100  # of a service's volley: what a small one takes


class Side(Protocol):
    """One of the two servers; ``name`` is its commit, command or URL."""

    @property
    def name(self) -> str:
        """Return what people are shown."""

    def leg(self) -> LegFigures:
        """Return the figures of one leg. Raises BenchFailed, ProcessFailed, SetUpFailed or ServiceFailed."""
        ...

    def counters(self) -> dict[str, float] | None:
        """Return the work counters (counters.py), or None where they cannot be read."""

    def hosted(self) -> AbstractContextManager[str]:
        """Host a storm for the length of a block; it yields the URL to storm, "" for a server of the storm's own."""


@dataclass(frozen=True, slots=True)
class BuildSide:
    """A build of this project."""

    revision: Revision

    @property
    def name(self) -> str:
        """Return its commit."""
        return self.revision.commit

    def leg(self) -> LegFigures:
        """Fire volleys at a fresh server."""
        return leg_of(self.revision.build)

    def counters(self) -> dict[str, float] | None:
        """Count the work of a fresh server."""
        return count_work(self.revision.build)

    @contextmanager
    def hosted(self) -> Iterator[str]:
        """Leave the server to the storm."""
        yield ""


@dataclass(frozen=True, slots=True)
class CommandSide:
    """A service that the gate starts by a command, where the scenario's target says."""

    command: str
    scenario: TargetScenario
    source: str
    adapter: str

    @property
    def name(self) -> str:
        """Return the command."""
        return self.command

    def leg(self) -> LegFigures:
        """Fire volleys at a fresh process."""
        with self._running() as service:
            return leg_at(
                self.source, self._url, adapter=self.adapter, connections=connections_for(self.scenario),
                pids=service.pids,
            )  # fmt: skip

    def counters(self) -> dict[str, float] | None:
        """Return None: nothing is known of its inside."""
        return None

    @contextmanager
    def hosted(self) -> Iterator[str]:
        """Run a fresh process."""
        with self._running():
            yield self._url

    @contextmanager
    def _running(self) -> Iterator[Service]:
        with ExitStack() as stack:
            folder = stack.enter_context(
                tempfile.TemporaryDirectory(prefix="redrain-gate-", ignore_cleanup_errors=True)
            )
            yield stack.enter_context(running(self.command, self._address, Path(folder) / "service.log"))

    @property
    def _url(self) -> str:
        return self.scenario.target.base_url.rstrip("/")

    @property
    def _address(self) -> Address:
        target = target_of(self.scenario, host="", adapter=self.adapter, folder=folder_of(self.source))
        return target.addresses[0]


@dataclass(frozen=True, slots=True)
class UrlSide:
    """A service that runs already, and whose processes are not known."""

    url: str
    scenario: TargetScenario
    source: str
    adapter: str

    @property
    def name(self) -> str:
        """Return the URL."""
        return self.url

    def leg(self) -> LegFigures:
        """Fire volleys."""
        return leg_at(self.source, self.url, adapter=self.adapter, connections=connections_for(self.scenario), pids=[])

    def counters(self) -> dict[str, float] | None:
        """Return None: nothing is known of its inside."""
        return None

    @contextmanager
    def hosted(self) -> Iterator[str]:
        """Let the storm come to it."""
        yield self.url


def connections_for(scenario: TargetScenario) -> int:
    """Return how many viewers a volley has: those of the audience, but not more than a small service takes."""
    return min(scenario.audience.viewers, CONNECTIONS_MAX)
