"""A leg: one fresh server of a build, volleys against it, and the figures that they give."""

import os
import time
from collections.abc import Sequence
from typing import NamedTuple

import orjson

from loadtest.engines.child_process import Build
from scripts.bench.cpu import cpu_us, machine_us
from scripts.bench.grab import CONNECTIONS, VOLLEYS, WARM_UP_VOLLEYS, cost_of
from scripts.bench.process import bench_process
from scripts.bench.subjects import Subject, floor, redrain

YARDSTICK_VOLLEYS = 40  # fewer move by themselves


class LegFigures(NamedTuple):
    """
    The figures of a leg; ``cpu_us_per_grab`` is of server and store, None where their processes are not known.

    ``others_cores`` are how many of the machine's processors had other work in the meantime, ``idle_cores`` none.
    """

    grabs: int
    grabs_per_second: float
    latency_p50_ms: float
    latency_p99_ms: float
    others_cores: float
    idle_cores: float
    cpu_us_per_grab: float | None


def leg_of(build: Build | None, *, volleys: int = VOLLEYS, connections: int = CONNECTIONS) -> LegFigures:
    """Start a server of *build*, by default our own, with a fresh store, and return what its grabs cost."""
    with redrain(volleys + WARM_UP_VOLLEYS, connections, build=build) as subject:
        return figures_of(subject, connections)


def yardstick() -> float:
    """Return the CPU microseconds of a grab by the floor: a fixed workload of the same kind, without a store."""
    with floor(YARDSTICK_VOLLEYS + WARM_UP_VOLLEYS, CONNECTIONS) as subject:
        return cost_of(subject, CONNECTIONS)


def figures_of(subject: Subject, connections: int) -> LegFigures:
    """Fire volleys at a subject that has as many shares a packet as connections; the first few only warm it up."""
    _fire(subject, subject.packet_ids[:WARM_UP_VOLLEYS], connections)
    return _fire(subject, subject.packet_ids[WARM_UP_VOLLEYS:], connections)


def _fire(subject: Subject, packet_ids: list[str], connections: int) -> LegFigures:
    arguments = (subject.url, str(connections), ",".join(packet_ids))
    return _shot("scripts.bench.volleys", arguments, subject.pids)


def leg_at(source: str, url: str, *, adapter: str, connections: int, pids: list[int]) -> LegFigures:
    """Fire volleys at the service of a target scenario, whose processes are *pids* if they are known."""
    volleys = max(VOLLEYS, VOLLEYS * CONNECTIONS // connections)
    for count in (WARM_UP_VOLLEYS, volleys):
        arguments = (source, url, adapter, str(connections), str(count))
        figures = _shot("scripts.gate.target_volleys", arguments, pids)
    return figures


def _shot(module: str, arguments: Sequence[str], pids: list[int]) -> LegFigures:
    """Run a process that fires volleys, and return how long they took, and what they cost the processes *pids*."""
    with bench_process(module, *arguments) as shooter:
        shooter.line("ready")
        ours = [shooter.pid, os.getpid(), *pids]
        began_s, before_us, ours_us, (busy_us, idle_us) = time.monotonic(), cpu_us(pids), cpu_us(ours), machine_us()
        shooter.go()
        shooter.line("done")
        took_us = (time.monotonic() - began_s) * 1e6
        used_us = cpu_us(pids) - before_us
        ours_us = cpu_us(ours) - ours_us
        busy_us, idle_us = (now - then for now, then in zip(machine_us(), (busy_us, idle_us), strict=True))
        shooter.go()
        seen = orjson.loads(shooter.line())
    return LegFigures(
        **seen,
        others_cores=max(0.0, busy_us - ours_us) / took_us,
        idle_cores=idle_us / took_us,
        cpu_us_per_grab=used_us / seen["grabs"] if pids else None,
    )
