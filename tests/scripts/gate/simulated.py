"""A simulated machine: pairs of legs in turns with noise, stalls and other work, for a gate's whole timing loop."""

import math
import random
from typing import Any
from unittest.mock import patch

from loadtest.verdict.comparison import Conclusion, Pair
from scripts.gate import timing
from scripts.gate.figures import LegFigures, SideFigures, Surroundings
from scripts.gate.timing import TakenPair, Timing, take_time

STALLS = 0.02  # of all legs: one that took twice as much
BUSY = 0.2  # of all pairs: others were at work, so that their noise is twice as large


class Idle:
    """A side that is never started."""

    name, volleys, enough_s, shares = "", 0, 0.0, True

    def running(self) -> Any:
        """Run nothing."""

    def counters(self) -> None:
        """Return None."""

    def hosted(self) -> Any:
        """Host nothing."""


class Simulated:
    """A gate whose pairs are drawn: CPU with a *noise* of each side, latencies with three times of it."""

    def __init__(self, rng: random.Random, noise: float, change: float) -> None:
        self._rng = rng
        self._noise = noise
        self._change = change

    def pair(self, *_: object, **__: object) -> TakenPair:
        """Return the next pair."""
        busy = self._rng.random() < BUSY
        noise = self._noise * (1 + busy)
        yard = Pair(7.0, 7.0 * math.exp(self._rng.gauss(0, noise)))
        around = Surroundings(0.9, 0.0, 0.6) if busy else Surroundings(0.0, 0.2, 0.1)
        return TakenPair(self._side(0.0, noise), self._side(self._change, noise), yard, around)

    def _side(self, change: float, noise: float) -> SideFigures:
        stall = math.log(2) if self._rng.random() < STALLS else 0.0
        worse = math.log1p(change) + stall + self._rng.gauss(0, noise)
        waits = worse + self._rng.gauss(0, 3 * noise)
        halves = [self._leg(worse, waits, math.sqrt(2) * noise) for _ in range(2)]
        return SideFigures(self._leg(worse, waits, 0.0), *halves)

    def _leg(self, worse: float, waits: float, noise: float) -> LegFigures:
        cpu, wait = worse + self._rng.gauss(0, noise), waits + self._rng.gauss(0, 3 * noise)
        return LegFigures(
            20_000, 1e4 * math.exp(-wait), 20 * math.exp(wait), 60 * math.exp(2 * wait), 24 * math.exp(cpu)
        )


def ends_of(noise: float, change: float, runs: int, budget: float = 0.03) -> list[str]:
    """Return how so many gates end: "void", "fail", "pass" or "unknown"."""
    return [_end(Simulated(random.Random(f"{noise} {change} {run}"), noise, change), budget) for run in range(runs)]


def _end(simulated: Simulated, budget: float) -> str:
    taken = Timing(budget)
    with patch.object(timing, "_pair", simulated.pair):
        take_time(Idle(), Idle(), taken, math.inf, lambda _: None)
    if taken.void:
        return "void"
    conclusions = [each.conclusion for each in taken.comparisons if each.metric in taken.decides]
    if Conclusion.REGRESSION in conclusions:
        return "fail"
    return "unknown" if Conclusion.INCONCLUSIVE in conclusions else "pass"
