"""Figures of a server under volleys: what its blocks of volleys say together, and what the machine did meanwhile."""

from collections.abc import Sequence
from typing import NamedTuple


class Block(NamedTuple):
    """A few volleys at one server: how long receipts took with how many at once, in how long, for how much CPU."""

    waits_ms: list[tuple[float, int]]
    seconds: float
    cpu_us: float


class LegFigures(NamedTuple):
    """The figures of one server; ``cpu_us_per_grab`` is of all its processes, None where they are not known."""

    grabs: int
    grabs_per_second: float
    latency_p50_ms: float
    latency_p99_ms: float
    cpu_us_per_grab: float | None


class Surroundings(NamedTuple):
    """
    The machine while servers were measured.

    ``others_cores`` are how many of its processors had other work or were stolen, ``idle_cores`` none; ``starved`` is
    the part of the time that the generator spent waiting for a processor when it had a volley to write.
    """

    others_cores: float
    idle_cores: float
    starved: float


class Alone(NamedTuple):
    """A server measured without a base: its figures, the yardstick beside it, and why they say nothing, or ""."""

    leg: LegFigures
    yardstick_us: float
    void: str


class SideFigures(NamedTuple):
    """A server's figures: of all its blocks, and of two halves of them, which would be equal without noise."""

    leg: LegFigures
    one_half: LegFigures
    other_half: LegFigures


def leg_of(blocks: Sequence[Block], *, knows_cpu: bool) -> LegFigures:
    """
    Return the figures of *blocks* together.

    The sum of their CPU counts: a median would not see what a server does in every twentieth of them.
    """
    arrivals = sorted(arrival for block in blocks for arrival in block.waits_ms)
    waits = [wait_ms for wait_ms, receipts in arrivals for _ in range(receipts)]
    return LegFigures(
        len(waits),
        len(waits) / sum(block.seconds for block in blocks),
        waits[len(waits) // 2],
        waits[len(waits) * 99 // 100],
        sum(block.cpu_us for block in blocks) / len(waits) if knows_cpu else None,
    )


def measured(blocks: Sequence[Block], *, knows_cpu: bool) -> SideFigures:
    """Return the figures of *blocks*, of which two and two belong to one turn."""
    halves = [[block for at, block in enumerate(blocks) if at // 2 % 2 == half] for half in (0, 1)]
    one, other = (leg_of(half or blocks, knows_cpu=knows_cpu) for half in halves)
    return SideFigures(leg_of(blocks, knows_cpu=knows_cpu), one, other)
