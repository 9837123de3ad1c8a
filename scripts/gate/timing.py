"""The timing part of a gate: pairs of base and head until the question is answered or the time is used up."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, NamedTuple

from loadtest.verdict.comparison import Better, Compared, Comparison, Conclusion, Pair, compare
from loadtest.verdict.looks import LOOKS, More, enough
from loadtest.verdict.machine_check import IDLE_MIN_CORES, OTHERS_MAX_CORES
from loadtest.verdict.yardstick import YardstickCheck, check_yardstick
from scripts.gate.aim import Aim
from scripts.gate.figures import Alone, SideFigures, Surroundings
from scripts.gate.leg import NotOver, Turns, take_turns
from scripts.gate.sides import Side
from scripts.gate.started_service import ServiceFailed

CPU = "cpu_us_per_grab"
RATE, P50, P99 = "grabs_per_second", "latency_p50_ms", "latency_p99_ms"
STARVED_MAX = 0.4  # of its time: such a generator measures its own wait for a processor
FAILS_TOO = (RATE, P50)  # beside CPU: a server that sleeps or waits longer uses no more of that
LOOSER = 3  # times the budget: what a machine does to latencies no leg can take out
TITLES = {CPU: "CPU us per grab", RATE: "grabs a second", P50: "latency p50, ms", P99: "latency p99, ms"}
Say = Callable[[str], None]


class TakenPair(NamedTuple):
    """A pair as it was measured: of base and head, with the yardstick beside each, in these surroundings."""

    base: SideFigures
    head: SideFigures
    yardstick: Pair
    around: Surroundings

    @property
    def is_disturbed(self) -> bool:
        """Tell whether something else took part."""
        return bool(_why_disturbed(*self.around, knows_others=self.knows_cpu))

    @property
    def knows_cpu(self) -> bool:
        """Tell whether the processes of both are known; where not, they count as others themselves."""
        return None not in (self.base.leg.cpu_us_per_grab, self.head.leg.cpu_us_per_grab)


def _why_disturbed(others_cores: float, idle_cores: float, starved: float, *, knows_others: bool) -> str:
    """Return what took part besides, or ""."""
    if knows_others and others_cores > OTHERS_MAX_CORES and idle_cores < IDLE_MIN_CORES:
        return f"other processes used {others_cores:.1f} of the machine's processors, and {idle_cores:.1f} were idle"
    if starved > STARVED_MAX:
        return f"the generator waited for a processor {starved:.0%} of the time in which it had something to do"
    return ""


@dataclass(slots=True)
class Timing:
    """
    The pairs of a gate, and what they say. ``together`` says whether both servers of a pair run at the same time.

    CPU per grab decides where it is known: without its proof there is no pass. Throughput and the median of latencies
    fail there as well, if they are worse by far. Where it is not known, all others decide.
    """

    budget: float
    together: bool = True
    pairs: list[TakenPair] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    steadiness: YardstickCheck | None = None
    not_over: str = ""

    @property
    def decides(self) -> list[str]:
        """Return the metrics whose conclusions count; the others are stated."""
        if not self._knows_cpu:
            return [RATE, P50, P99]
        failed = [each.metric for each in self.comparisons if each.conclusion is Conclusion.REGRESSION]
        return [CPU, *(metric for metric in FAILS_TOO if metric in failed)]

    @property
    def void(self) -> str:
        """Return why the timing part says nothing, or ""."""
        if self.not_over:
            return self.not_over
        others, idle, starved = map(median, zip(*(pair.around for pair in self.pairs), strict=True))
        if why := _why_disturbed(others, idle, starved, knows_others=self._knows_cpu):
            return why
        return "" if self.steadiness is None else self.steadiness.note

    def look(self, *, last: bool) -> list[Comparison | More]:
        """Look at the pairs so far; *last* says that there will be no more."""
        self.steadiness = check_yardstick(
            [pair.yardstick for pair in self.pairs],
            disturbed=[pair.is_disturbed for pair in self.pairs],
            together=1 if self.together else 2,
        )
        return [enough(each, *self._figures(each.metric), last=last) for each in self._compared()]

    def wants(self, looks: Sequence[Comparison | More]) -> int:
        """Return how many pairs it takes by *looks*, 0 if the question is answered."""
        open_ = [
            look.pairs
            for each, look in zip(self._compared(), looks, strict=True)
            if isinstance(look, More) and (each.metric in self.decides or self._is_suspect(each))
        ]
        left_out = len(self.pairs) - len(self.steadiness.steady if self.steadiness else ())
        return max(open_) + left_out if open_ else 0

    def _is_suspect(self, compared: Compared) -> bool:
        """Tell whether a metric that could fail looks as if it did: more pairs will tell."""
        low = compare(compared, *self._figures(compared.metric)).low
        return compared.metric in FAILS_TOO and low is not None and low > compared.budget

    def _compared(self) -> list[Compared]:
        cpu = [Compared(CPU, self.budget)] if self._knows_cpu else []
        looser = LOOSER * self.budget if cpu else self.budget
        return [
            *cpu,
            Compared(RATE, looser, Better.LARGER),
            Compared(P50, looser),
            Compared(P99, LOOSER * self.budget),
        ]

    @property
    def _knows_cpu(self) -> bool:
        return all(pair.knows_cpu for pair in self.pairs)

    def _figures(self, metric: str) -> tuple[list[Pair], list[Pair] | None]:
        """
        Return a metric of base and head in steady pairs, and, of pairs in turns, of the halves of either side.

        Where no pair was steady, which is void, all are stated.
        """
        pairs = [self.pairs[at] for at in (self.steadiness.steady if self.steadiness else ())] or self.pairs
        both = [Pair(*(getattr(side.leg, metric) for side in (pair.base, pair.head))) for pair in pairs]
        sides = [(pair.base, pair.head)[at % 2] for at, pair in enumerate(pairs)]
        halves = [Pair(getattr(side.one_half, metric), getattr(side.other_half, metric)) for side in sides]
        return both, halves if self.together else None


def take_time(base: Side, head: Side, timing: Timing, until_s: float, say: Say) -> None:
    """
    Take pairs until all that decides is told, or *until_s* (of the monotonic clock), and conclude.

    Raises what sides raise.
    """
    wanted, slowest_s = LOOKS[0], 0.0
    timing.together = base.shares and head.shares
    while True:
        began_s = time.monotonic()
        say(f"pair {len(timing.pairs) + 1} of {max(wanted, len(timing.pairs) + 1)}")
        try:
            timing.pairs.append(_pair(base, head, timing))
        except NotOver as error:
            timing.not_over = str(error)
            return
        slowest_s = max(slowest_s, time.monotonic() - began_s)
        is_late = time.monotonic() + slowest_s > until_s
        if len(timing.pairs) < wanted and not is_late:
            continue
        looks = timing.look(last=is_late)
        if not is_late and len(timing.pairs) < 2 * LOOKS[-1] and (more := timing.wants(looks)):
            wanted = more
            continue
        if any(isinstance(each, More) for each in looks):
            looks = timing.look(last=True)
        timing.comparisons = [each for each in looks if isinstance(each, Comparison)]
        return


def measure_alone(side: Side) -> Alone:
    """Measure one side with nothing to compare. Raises what sides raise, and NotOver."""
    with side.running() as aim:
        turns = _fire([aim], side)
    leg = turns.sides[0].leg
    why = _why_disturbed(*turns.around, knows_others=leg.cpu_us_per_grab is not None)
    return Alone(leg, turns.yardstick[0], why)


def _pair(base: Side, head: Side, timing: Timing) -> TakenPair:
    """
    Measure both once: in turns if they run together, else one after the other.

    Who comes first, in everything, changes from pair to pair, so that no place favours a side.
    """
    order = [("base", base), ("head", head)]
    if len(timing.pairs) % 2:
        order.reverse()
    if timing.together:
        try:
            with _both([side for _, side in order]) as aims:
                turns = _fire(aims, base)
            figures = dict(
                zip((name for name, _ in order), zip(turns.sides, turns.yardstick, strict=True), strict=True)
            )
            return _taken(figures, turns.around)
        except ServiceFailed:
            if timing.pairs:
                raise
            timing.together = False  # something else that both want, perhaps
    legs: dict[str, Turns] = {}
    for name, side in order:
        with side.running() as aim:
            legs[name] = _fire([aim], side)
    around = [sum(both) / 2 for both in zip(*(turns.around for turns in legs.values()), strict=True)]
    figures = {name: (turns.sides[0], turns.yardstick[0]) for name, turns in legs.items()}
    return _taken(figures, Surroundings(*around))


def _taken(figures: Mapping[str, tuple[SideFigures, float]], around: Surroundings) -> TakenPair:
    (base, before), (head, after) = figures["base"], figures["head"]
    return TakenPair(base, head, Pair(before, after), around)


def _fire(aims: Sequence[Aim], side: Side) -> Turns:
    return take_turns(aims, volleys=side.volleys, enough_s=side.enough_s)


@contextmanager
def _both(sides: Sequence[Side]) -> Iterator[list[Aim]]:
    """Run both servers; they start at once, the first a moment earlier."""
    with ExitStack() as stack, ThreadPoolExecutor(len(sides)) as pool:
        started = [pool.submit(stack.enter_context, side.running()) for side in sides]
        yield [each.result() for each in started]


def shown(comparison: Comparison) -> dict[str, Any]:
    """Return a comparison as the result keeps it."""
    return {"title": TITLES[comparison.metric], **asdict(comparison)}


def pairs_of(pairs: Sequence[TakenPair]) -> list[dict[str, Any]]:
    """Return the figures of all pairs as the result keeps them."""
    return [
        {"base": pair.base.leg._asdict(), "head": pair.head.leg._asdict(), "machine": pair.around._asdict()}
        for pair in pairs
    ]
