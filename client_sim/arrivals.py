"""
Arrival models: when taps, or viewers, come, if it is not each viewer's behaviour that says so (docs/arrivals.md).

A Poisson process of a whole crowd is the sum of one for each seat: every seat draws its own, so that no process of a
generator needs to know of another.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import TypeVar

CLOSED_PAUSE_MS = 10.0  # between two looks of a closed viewer without an open packet, if it thinks for less
_NS_PER_MS, _NS_PER_S = 1_000_000, 1_000_000_000
_SCATTER = 0x9E3779B97F4A7C15  # 2 ** 64 by the golden ratio: neighbours land far apart
T = TypeVar("T")


class ArrivalModel(StrEnum):
    """The models: after each answer, at a constant or a changing mean rate, or all at one instant."""

    CLOSED = "closed"
    OPEN = "open"
    RAMP = "ramp"
    BARRIER = "barrier"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """
    The arrivals of one seat, or of one process: rates are its part of the crowd's, per real second.

    They last for ``lasts_s``; a barrier has only its ``spread_ms``, and only a closed model a mean ``think_ms``.
    """

    model: ArrivalModel
    from_per_second: float = 0.0
    to_per_second: float = 0.0
    lasts_s: float = math.inf
    spread_ms: float = 0.0
    think_ms: float = 0.0

    @property
    def mean_count(self) -> float | None:
        """Return how many there are in the mean; None where the model plans no rate."""
        if self.model not in (ArrivalModel.OPEN, ArrivalModel.RAMP):
            return None
        return (self.from_per_second + self.to_per_second) / 2 * self.lasts_s

    def part(self, count: int) -> "Arrivals":
        """Return the part that one of *count* equal seats or processes has."""
        rates = self.from_per_second / count, self.to_per_second / count
        return Arrivals(self.model, *rates, self.lasts_s, self.spread_ms, self.think_ms)


def poisson_s(rng: Random, from_per_second: float, to_per_second: float, lasts_s: float) -> Iterator[float]:
    """Yield the instants of a Poisson process whose rate changes evenly; of a constant one it may last for ever."""
    slope = 0.0 if from_per_second == to_per_second else (to_per_second - from_per_second) / lasts_s
    area, whole = 0.0, (from_per_second + to_per_second) / 2 * lasts_s
    while True:
        area += rng.expovariate(1.0)
        if area >= whole:
            return
        # The instant at which the area under the rate is *area*; in this form it is exact for a slope of 0 too.
        yield 2 * area / (from_per_second + math.sqrt(max(0.0, from_per_second**2 + 2 * slope * area)))


@dataclass(slots=True)
class TapCounts:
    """
    Counts the planned taps of one process: those whose instant has come, and what became of them.

    ``sent`` were sent, however late; ``no_packet`` found none open in their room. The others were not sent.
    """

    planned: int = 0
    sent: int = 0
    no_packet: int = 0


@dataclass(slots=True)
class SeatTaps:
    """
    The taps of one seat by a model: their instants, from the first opening in its room on.

    A barrier is not among them: its taps are planned from each opening (``client_sim/behaviour.py``).
    """

    arrivals: Arrivals
    counts: TapCounts
    rng: Random
    start_ns: int | None = None
    next_ns: int | None = None
    _offset_ns: int | None = None
    _offsets: Iterator[int] = field(default_factory=lambda: iter(()))

    def begin(self, start_ns: int) -> None:
        """Start at an instant, or move the start there when the countdown knows it better."""
        first, self.start_ns = self.start_ns is None, start_ns
        arrivals = self.arrivals
        if first and arrivals.model is ArrivalModel.CLOSED:
            self.think(start_ns)
        elif first and arrivals.model is not ArrivalModel.BARRIER:
            rates = arrivals.from_per_second, arrivals.to_per_second
            self._offsets = (round(s * _NS_PER_S) for s in poisson_s(self.rng, *rates, arrivals.lasts_s))
            self._take()
        self.next_ns = None if self._offset_ns is None else start_ns + self._offset_ns

    def due(self, now_ns: int) -> Iterator[int]:
        """Yield the instants that have come, and plan the next; a closed model has none until ``think``."""
        while self.next_ns is not None and self.next_ns <= now_ns:
            at_ns, self.next_ns = self.next_ns, None
            if self.arrivals.model is not ArrivalModel.CLOSED:
                self._take()
            yield at_ns

    def think(self, now_ns: int, *, least_ms: float = 0.0) -> None:
        """Plan the next tap of a closed model: a think time after the last one was answered, at least so long."""
        assert self.start_ns is not None
        mean_ms = self.arrivals.think_ms
        pause_ms = max(least_ms, self.rng.expovariate(1 / mean_ms) if mean_ms else 0.0)
        offset_ns = now_ns - self.start_ns + round(pause_ms * _NS_PER_MS)
        self._offset_ns = offset_ns if offset_ns < self.arrivals.lasts_s * _NS_PER_S else None
        self.next_ns = None if self._offset_ns is None else self.start_ns + self._offset_ns

    def choose(self, packets: Sequence[T], at_ns: int, now_ns: int) -> T | None:
        """
        Return one of the packets that are open at *at_ns*, or None if there is none: a closed viewer then looks again.

        The choice follows from the instant: which packets there are changes none of the instants.
        """
        if packets:
            return packets[((at_ns - (self.start_ns or 0)) * _SCATTER >> 32) % len(packets)]
        if self.arrivals.model is ArrivalModel.CLOSED:
            self.think(now_ns, least_ms=CLOSED_PAUSE_MS)
        else:
            self.counts.planned += 1
            self.counts.no_packet += 1
        return None

    def leave(self, now_ns: int) -> None:
        """Count the taps whose instant has come and that were not sent; there are no more."""
        if self.arrivals.model is not ArrivalModel.CLOSED:
            self.counts.planned += sum(1 for _ in self.due(now_ns))
        self.next_ns = self._offset_ns = None

    def _take(self) -> None:
        assert self.start_ns is not None
        self._offset_ns = next(self._offsets, None)
        self.next_ns = None if self._offset_ns is None else self.start_ns + self._offset_ns


def arrival_offsets_s(arrivals: Arrivals, rng: Random, count: int) -> Iterator[float]:
    """
    Yield when each of *count* viewers comes, after the first may; after a ramp the rest comes at its last rate.

    A barrier spreads them evenly at random.
    """
    if arrivals.model is ArrivalModel.BARRIER:
        yield from sorted(rng.uniform(0, arrivals.spread_ms / 1000) for _ in range(count))
        return
    came = 0
    if arrivals.model is ArrivalModel.RAMP:
        for at_s in poisson_s(rng, arrivals.from_per_second, arrivals.to_per_second, arrivals.lasts_s):
            if came == count:
                return
            came += 1
            yield at_s
    later_s = arrivals.lasts_s if arrivals.model is ArrivalModel.RAMP else 0.0
    rest = poisson_s(rng, arrivals.to_per_second, arrivals.to_per_second, math.inf)
    for _ in range(count - came):
        yield later_s + next(rest)
