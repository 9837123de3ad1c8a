"""The timing loop: pairs until the question is answered, in ABBA order, and void on a machine with other work."""

import math
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import pytest

from loadtest.verdict.comparison import Conclusion
from scripts.gate import timing
from scripts.gate.leg import LegFigures
from scripts.gate.timing import CPU, Timing, take_time


@dataclass
class Scripted:
    """A side whose legs cost what it is told, one after the other."""

    name: str
    costs: list[float]
    cpu_is_known: bool = True
    others_cores: float = 0.0
    order: list[str] = field(default_factory=list)

    def leg(self) -> LegFigures:
        """Return the next leg."""
        self.order.append(self.name)
        cost = self.costs[sum(name == self.name for name in self.order) % len(self.costs)]
        return LegFigures(
            20_000, 1e6 / cost, cost, 3 * cost, self.others_cores, 0.1, cost if self.cpu_is_known else None
        )

    def counters(self) -> dict[str, float] | None:
        """Return None."""
        return None

    def hosted(self) -> AbstractContextManager[str]:
        """Host nothing."""
        return nullcontext("")


@pytest.fixture(autouse=True)
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is steady: the yardstick always costs the same."""
    monkeypatch.setattr(timing, "yardstick", lambda: 7.0)


def _taken(base: Scripted, head: Scripted, *, seconds: float = math.inf) -> Timing:
    base.order = head.order
    taken = Timing(0.03)
    take_time(base, head, taken, time.monotonic() + seconds, lambda _: None)  # for ever, or none
    return taken


def _conclusion(taken: Timing, metric: str = CPU) -> Conclusion:
    return next(each.conclusion for each in taken.comparisons if each.metric == metric)


NOISE = [24.0, 24.2, 23.9, 24.1, 23.8, 24.3, 24.0]


def test_an_equal_build_passes_after_the_first_look() -> None:
    """Six pairs, each begun by the side that ended the one before."""
    base, head = Scripted("base", NOISE), Scripted("head", NOISE)
    taken = _taken(base, head)
    assert _conclusion(taken) is Conclusion.PASS
    assert head.order[:8] == ["base", "head", "head", "base", "base", "head", "head", "base"]
    assert len(taken.pairs) == 6
    assert taken.decides == [CPU]


def test_a_slower_build_fails_after_it_was_confirmed() -> None:
    """A tenth slower, with more pairs than the look that showed it."""
    taken = _taken(Scripted("base", NOISE), Scripted("head", [cost * 1.1 for cost in NOISE]))
    assert _conclusion(taken) is Conclusion.REGRESSION
    assert len(taken.pairs) > 8


def test_without_the_processes_the_others_decide() -> None:
    """Latency and throughput, where CPU is not known."""
    base, head = Scripted("base", NOISE, cpu_is_known=False), Scripted("head", [30.0], cpu_is_known=False)
    taken = _taken(base, head)
    assert taken.decides == ["grabs_per_second", "latency_p50_ms", "latency_p99_ms"]
    assert _conclusion(taken, "latency_p50_ms") is Conclusion.REGRESSION


def test_no_time_is_inconclusive_and_ends() -> None:
    """One pair was taken before the time was looked at."""
    taken = _taken(Scripted("base", NOISE), Scripted("head", NOISE), seconds=-1)
    assert len(taken.pairs) == 1
    assert {each.conclusion for each in taken.comparisons} == {Conclusion.INCONCLUSIVE}


def test_other_work_makes_it_void() -> None:
    """Half a processor was somebody else's, and none was idle."""
    taken = _taken(Scripted("base", NOISE, others_cores=0.5), Scripted("head", NOISE, others_cores=0.5))
    assert "other processes used 0.5" in taken.void


def test_a_yardstick_that_moves_makes_it_void(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine was another one from leg to leg; it ends all the same."""
    figures = iter(range(10_000))
    monkeypatch.setattr(timing, "yardstick", lambda: 7.0 + next(figures) % 2)
    assert "yardstick moved" in _taken(Scripted("base", NOISE), Scripted("head", NOISE)).void
