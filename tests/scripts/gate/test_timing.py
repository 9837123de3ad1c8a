"""The timing loop: pairs until the question is answered, both sides in turns, and void on a machine with other work."""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest

from loadtest.verdict.comparison import Conclusion
from scripts.gate import timing
from scripts.gate.aim import Aim
from scripts.gate.figures import LegFigures, SideFigures, Surroundings
from scripts.gate.leg import NotOver, Turns
from scripts.gate.started_service import ServiceFailed
from scripts.gate.timing import CPU, P50, Timing, measure_alone, take_time
from tests.scripts.gate.simulated import ends_of

NOISE = [24.0, 24.2, 23.9, 24.1, 23.8, 24.3, 24.0]
QUIET = Surroundings(others_cores=0.0, idle_cores=0.1, starved=0.1)


@dataclass
class Scripted:
    """A side whose legs cost what it is told, one after the other, of CPU and of time."""

    name: str
    costs: list[float]
    waits: list[float] | None = None
    cpu_is_known: bool = True
    shares: bool = True
    volleys: int = 40
    enough_s: float = 5.0
    ran: int = 0
    running_now: list[str] = field(default_factory=list)
    wants_alone: bool = False

    @contextmanager
    def running(self) -> Iterator[Aim]:
        """Run."""
        if self.wants_alone and self.running_now:
            raise ServiceFailed("the database is locked")
        self.running_now.append(self.name)
        try:
            yield Aim(self.name, [1] * self.cpu_is_known, 500)
        finally:
            self.running_now.remove(self.name)
            self.ran += 1

    def measured(self) -> SideFigures:
        """Return the next leg's figures."""
        cost = self.costs[self.ran % len(self.costs)]
        wait = self.waits[self.ran % len(self.waits)] if self.waits else cost
        leg = LegFigures(20_000, 1e6 / wait, wait, 3 * wait, cost if self.cpu_is_known else None)
        return SideFigures(leg, leg, leg)

    def counters(self) -> dict[str, float] | None:
        """Return None."""
        return None

    def hosted(self) -> AbstractContextManager[str]:
        """Host nothing."""
        return nullcontext("")


@dataclass
class Machine:
    """A machine on which two sides are fired at; it remembers how."""

    base: Scripted
    head: Scripted
    around: list[Surroundings] = field(default_factory=lambda: [QUIET])
    yardstick: list[float] = field(default_factory=lambda: [1.0])  # beside the head, as a part of that beside the base
    shots: list[tuple[str, ...]] = field(default_factory=list)

    def take_turns(self, aims: Sequence[Aim], *, volleys: int, enough_s: float) -> Turns:
        """Return scripted figures."""
        assert (volleys, enough_s) == (40, 5.0)
        at = len(self.shots)
        self.shots.append(tuple(aim.url for aim in aims))
        sides = {side.name: side for side in (self.base, self.head)}
        beside = {"base": 7.0, "head": 7.0 * self.yardstick[at % len(self.yardstick)]}
        yards = [beside[aim.url] for aim in aims]
        return Turns([sides[aim.url].measured() for aim in aims], yards, self.around[at % len(self.around)])

    def taken(self, monkeypatch: pytest.MonkeyPatch, *, seconds: float = math.inf) -> Timing:
        """Compare the sides, for ever or so long."""
        monkeypatch.setattr(timing, "take_turns", self.take_turns)
        self.head.running_now = self.base.running_now
        taken = Timing(0.03)
        until_s = time.monotonic() + seconds  # by when it stops, not a time to keep
        take_time(self.base, self.head, taken, until_s, lambda _: None)
        return taken


def _conclusion(taken: Timing, metric: str = CPU) -> Conclusion:
    return next(each.conclusion for each in taken.comparisons if each.metric == metric)


def test_an_equal_build_passes_after_the_first_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six pairs, each of both at once, begun by base and head in turn."""
    machine = Machine(Scripted("base", NOISE), Scripted("head", NOISE))
    taken = machine.taken(monkeypatch)
    assert _conclusion(taken) is Conclusion.PASS
    assert machine.shots == [("base", "head"), ("head", "base")] * 3
    assert (taken.decides, taken.void, taken.together) == ([CPU], "", True)


def test_a_slower_build_fails_after_it_was_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth slower, with more pairs than the look that showed it."""
    taken = Machine(Scripted("base", NOISE), Scripted("head", [cost * 1.1 for cost in NOISE])).taken(monkeypatch)
    assert _conclusion(taken) is Conclusion.REGRESSION
    assert len(taken.pairs) > 8


def test_who_waits_longer_for_the_same_work_fails_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock or a sleep costs no CPU: the median of latencies counts, if it is worse by three times the budget."""
    slow = Scripted("head", NOISE, waits=[cost * 1.25 for cost in NOISE])
    taken = Machine(Scripted("base", NOISE), slow).taken(monkeypatch)
    assert (_conclusion(taken), _conclusion(taken, P50)) == (Conclusion.PASS, Conclusion.REGRESSION)
    assert P50 in taken.decides
    a_little = Scripted("head", NOISE, waits=[cost * 1.05 for cost in NOISE])
    assert Machine(Scripted("base", NOISE), a_little).taken(monkeypatch).decides == [CPU]


def test_without_the_processes_the_others_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Latency and throughput, where CPU is not known."""
    machine = Machine(Scripted("base", NOISE, cpu_is_known=False), Scripted("head", [30.0], cpu_is_known=False))
    taken = machine.taken(monkeypatch)
    assert taken.decides == ["grabs_per_second", "latency_p50_ms", "latency_p99_ms"]
    assert _conclusion(taken, P50) is Conclusion.REGRESSION


def test_sides_that_cannot_run_together_take_turns_of_whole_legs(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order base, head, head, base; also if one turns out not to start beside the other."""
    for shares in (False, True):
        base, head = Scripted("base", NOISE, shares=shares), Scripted("head", NOISE, wants_alone=True)
        base.wants_alone = True
        machine = Machine(base, head)
        taken = machine.taken(monkeypatch)
        assert not taken.together
        assert machine.shots[:4] == [("base",), ("head",), ("head",), ("base",)]
        assert _conclusion(taken) is Conclusion.PASS


def test_no_time_is_inconclusive_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """One pair was taken before the time was looked at."""
    taken = Machine(Scripted("base", NOISE), Scripted("head", NOISE)).taken(monkeypatch, seconds=-1)
    assert len(taken.pairs) == 1
    assert {each.conclusion for each in taken.comparisons} == {Conclusion.INCONCLUSIVE}


@pytest.mark.parametrize(
    ("around", "told"),
    [
        (Surroundings(0.5, 0.1, 0.1), "other processes used 0.5"),
        (Surroundings(0.1, 0.1, 0.8), "the generator waited for a processor 80%"),
        (Surroundings(0.5, 1.5, 0.1), ""),
    ],
)
def test_other_work_makes_it_void(around: Surroundings, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a processor was somebody else's and none was idle, or the generator starved; a large machine carries it."""
    taken = Machine(Scripted("base", NOISE), Scripted("head", NOISE), [around]).taken(monkeypatch)
    assert taken.void.startswith(told)
    assert bool(taken.void) == bool(told)


def test_servers_that_run_elsewhere_are_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where their processes are not known, they may be on this machine: the starved generator alone tells."""
    for starved in (0.1, 0.8):
        base, head = (Scripted(name, NOISE, cpu_is_known=False) for name in ("base", "head"))
        taken = Machine(base, head, [Surroundings(1.0, 0.1, starved)]).taken(monkeypatch)
        assert bool(taken.void) == (starved > 0.4)


def test_disturbed_pairs_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A third of them: the others answer, and there are six of them."""
    busy = Surroundings(0.9, 0.0, 0.6)
    machine = Machine(Scripted("base", [24.0, 24.0, 30.0]), Scripted("head", [24.0, 24.1, 90.0]), [QUIET, QUIET, busy])
    taken = machine.taken(monkeypatch)
    assert (_conclusion(taken), taken.void) == (Conclusion.PASS, "")
    assert len(taken.pairs) == 8
    assert taken.comparisons[0].pairs == 6


def test_a_yardstick_that_moves_makes_it_void(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine was another one from turn to turn; it ends all the same."""
    machine = Machine(Scripted("base", NOISE), Scripted("head", NOISE), yardstick=[1.2, 1 / 1.2])
    assert "yardstick moved" in machine.taken(monkeypatch).void


def test_volleys_that_are_never_over_are_void(monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator that gets no processor at all; what was measured before is kept."""
    machine = Machine(Scripted("base", NOISE), Scripted("head", NOISE))
    take_turns = machine.take_turns

    def tired(*aims: Any, **given: Any) -> Turns:
        if len(machine.shots) == 2:
            raise NotOver
        return take_turns(*aims, **given)

    monkeypatch.setattr(machine, "take_turns", tired)
    taken = machine.taken(monkeypatch)
    assert "not over" in taken.void
    assert (len(taken.pairs), taken.comparisons) == (2, [])


def test_a_head_alone_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is nothing to compare with."""
    machine = Machine(Scripted("base", NOISE), Scripted("head", NOISE))
    monkeypatch.setattr(timing, "take_turns", machine.take_turns)
    alone = measure_alone(machine.head)
    assert (alone.leg.cpu_us_per_grab, alone.void) == (NOISE[0], "")
    assert alone.yardstick_us > 0


def test_noise_alone_fails_no_gate() -> None:
    """Over all looks and metrics together, with stalls and other work; docs/gate.md has more runs of it."""
    ends = ends_of(0.03, 0.0, 50)
    assert ends.count("fail") <= 1
    assert ends.count("pass") >= 30


def test_a_tenth_is_found_through_noise() -> None:
    """Nine of ten gates fail, or say that they do not know."""
    ends = ends_of(0.02, 0.1, 30)
    assert ends.count("fail") >= 24
    assert "pass" not in ends
