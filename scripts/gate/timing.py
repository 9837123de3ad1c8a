"""The timing part of a gate: legs of base and head in turn, until the question is answered or the time is used up."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from loadtest.verdict.comparison import Better, Compared, Comparison, Pair
from loadtest.verdict.looks import LOOKS, More, enough
from loadtest.verdict.yardstick import YardstickCheck, check_yardstick
from scripts.gate.leg import LegFigures, yardstick
from scripts.gate.sides import Side

CPU = "cpu_us_per_grab"
OTHERS_MAX_CORES = 0.25  # median over the legs: somebody else is at work
IDLE_MIN_CORES = 0.5  # a machine with so much to spare carries others too
LOOSER = 3  # times the budget: what a machine does to latencies no leg can take out
TITLES = {
    CPU: "CPU us per grab",
    "grabs_per_second": "grabs a second",
    "latency_p50_ms": "latency p50, ms",
    "latency_p99_ms": "latency p99, ms",
}


@dataclass(slots=True)
class Timing:
    """
    The legs of a gate in pairs, and what they say.

    ``decides`` are the metrics whose conclusions count: CPU per grab where it is known, else the others; the rest is
    stated. ``yardsticks`` are the figures beside the base's and the head's leg of each pair.
    """

    budget: float
    pairs: list[tuple[LegFigures, LegFigures]] = field(default_factory=list)
    yardsticks: list[Pair] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    steadiness: YardstickCheck | None = None

    @property
    def decides(self) -> list[str]:
        """Return the metrics that decide."""
        return [each.metric for each in self._compared()[: 1 if self._knows_cpu else None]]

    @property
    def void(self) -> str:
        """Return why the timing part says nothing, or ""."""
        legs = [leg for pair in self.pairs for leg in pair]
        others, idle = median(leg.others_cores for leg in legs), median(leg.idle_cores for leg in legs)
        if others > OTHERS_MAX_CORES and idle < IDLE_MIN_CORES:
            return f"other processes used {others:.1f} of the machine's processors, and {idle:.1f} were idle"
        return "" if self.steadiness is None else self.steadiness.note

    def look(self, *, last: bool) -> list[Comparison | More]:
        """Look at the pairs so far; *last* says that there will be no more."""
        self.steadiness = check_yardstick(self.yardsticks)
        return [enough(each, self._figures(each.metric), last=last) for each in self._compared()]

    def _compared(self) -> list[Compared]:
        cpu = [Compared(CPU, self.budget)] if self._knows_cpu else []
        looser = LOOSER * self.budget if cpu else self.budget
        return [
            *cpu,
            Compared("grabs_per_second", looser, Better.LARGER),
            Compared("latency_p50_ms", looser),
            Compared("latency_p99_ms", LOOSER * self.budget),
        ]

    @property
    def _knows_cpu(self) -> bool:
        return all(leg.cpu_us_per_grab is not None for pair in self.pairs for leg in pair)

    def _figures(self, metric: str) -> list[Pair]:
        assert self.steadiness is not None
        return [Pair(*(getattr(leg, metric) for leg in self.pairs[at])) for at in self.steadiness.steady]


def take_time(base: Side, head: Side, timing: Timing, until_s: float, say: Callable[[str], None]) -> None:
    """
    Take pairs of legs until all that decides is told, or *until_s* (of the monotonic clock), and conclude.

    Raises what legs raise.
    """
    wanted, slowest_s = LOOKS[0], 0.0
    while True:
        began_s = time.monotonic()
        _take_pair(base, head, timing, wanted, say)
        slowest_s = max(slowest_s, time.monotonic() - began_s)
        is_late = time.monotonic() + slowest_s > until_s
        if len(timing.pairs) < wanted and not is_late:
            continue
        looks = timing.look(last=is_late)
        open_ = [each.pairs for each in looks[: len(timing.decides)] if isinstance(each, More)]
        left_out = len(timing.pairs) - len(timing.steadiness.steady if timing.steadiness else ())
        if open_ and not is_late and len(timing.pairs) < 2 * LOOKS[-1]:
            wanted = max(open_) + left_out
            continue
        if any(isinstance(each, More) for each in looks):
            looks = timing.look(last=True)
        timing.comparisons = [each for each in looks if isinstance(each, Comparison)]
        return


def _take_pair(base: Side, head: Side, timing: Timing, wanted: int, say: Callable[[str], None]) -> None:
    """Measure base and head once each; who comes first changes from pair to pair, so that a drift favours nobody."""
    number = len(timing.pairs)
    sides = [("base", base), ("head", head)]
    legs: dict[str, LegFigures] = {}
    yards: dict[str, float] = {}
    for name, side in reversed(sides) if number % 2 else sides:
        say(f"pair {number + 1} of {max(wanted, number + 1)}: {name}")
        yards[name] = yardstick()
        legs[name] = side.leg()
    timing.pairs.append((legs["base"], legs["head"]))
    timing.yardsticks.append(Pair(yards["base"], yards["head"]))


def shown(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as the result keeps it."""
    return {"title": TITLES[comparison.metric], **asdict(comparison)}


def legs_of(pairs: Sequence[tuple[LegFigures, LegFigures]]) -> list[dict[str, Any]]:
    """Return the figures of all legs as the result keeps them."""
    return [{"base": base._asdict(), "head": head._asdict()} for base, head in pairs]
