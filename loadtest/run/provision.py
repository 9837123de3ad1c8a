"""Provisions this machine for a crowd before anything starts: processes, file descriptors, ports, reaction time."""

import os
import resource
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from loadtest.engines.child_process import ProcessFailed
from loadtest.engines.engine_process import ENGINES
from loadtest.run.preflight import lacking_ports, needs, planned_taps_per_second, reaction_for, taps_bearable
from loadtest.scenarios.crowd_scenario import CrowdScenario
from loadtest.targets.reach import is_loopback
from loadtest.verdict.weigh import Exit

S = TypeVar("S", bound=CrowdScenario)


@dataclass(frozen=True, slots=True)
class Provisioned(Generic[S]):
    """A scenario as it can be run here, the number of generator processes, and notes on what was changed."""

    scenario: S
    seats: int
    processes: int
    notes: list[str]


def wrong_engine(engine: str, processes: int | None) -> str:
    """Return what is wrong with the options, or nothing."""
    if engine not in ENGINES:
        return f"engine: must be one of {', '.join(ENGINES)}"
    if processes is not None and engine != "swarm":
        return "processes: needs --engine swarm; leave --processes out"
    if processes is not None and processes < 1:
        return "processes: must be at least 1"
    return ""


def provision(
    scenario: S, *, engine: str, processes: int | None, target: str | None, max_rate: float | None = None
) -> Provisioned[S]:
    """
    Provision for the audience of *scenario*; without a *target* the server is on this machine as well.

    The target gets no more than *max_rate* requests a second.

    Raises ProcessFailed, which says what to do, if the machine cannot hold it.
    """
    seats = sum(1 for _ in scenario.seats())
    wanted = needs(seats, engine=engine, processes=processes, cores=os.cpu_count() or 1, own_server=target is None)
    targets = [] if target is None else target.split(",")
    local = all(is_loopback(urlsplit(each).hostname or "") for each in targets)
    lacking = lacking_ports(seats, engine=engine, local=local)
    if lacking:
        raise ProcessFailed(f"viewers: {lacking}", Exit.ENVIRONMENT)
    _raise_descriptors(wanted.descriptors, seats)
    planned = planned_taps_per_second(scenario)
    can = taps_bearable(engine, wanted.processes, max_rate)
    reaction_ms = reaction_for(scenario, can)
    limit = f"{engine} with {wanted.processes} process{'es' * (wanted.processes > 1)} keeps up with {can:,.0f}"
    if scenario.taps is not None and planned > can:
        if max_rate is not None and planned > max_rate:
            raise ProcessFailed(
                f"taps: {planned:,.0f} a second are planned, and --max-rate allows {max_rate:,.0f}", Exit.USAGE
            )
        note = f"{planned:,.0f} taps a second are planned, and {limit}: if it does not, the run is void"
        return Provisioned(scenario, seats, wanted.processes, [note])
    if reaction_ms == scenario.audience.reaction_median_ms:
        return Provisioned(scenario, seats, wanted.processes, [])
    note = (
        f"reaction_median_ms raised from {scenario.audience.reaction_median_ms} to {reaction_ms}: {planned:,.0f} taps "
        f"a second were planned, and {limit if can != max_rate else f'--max-rate allows {can:,.0f}'}"
    )
    return Provisioned(scenario.before(reaction_median_ms=reaction_ms), seats, wanted.processes, [note])


def _raise_descriptors(needed: int, seats: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise ProcessFailed(
            f"viewers: {seats} connections need {needed} file descriptors a process, but the limit is {hard}; raise it "
            f"(ulimit -Hn {needed}) or use fewer viewers with --viewers",
            Exit.ENVIRONMENT,
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
