"""Ends a storm early: judges its thresholds with ``abort`` every second, by what is known while it runs."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate

from loadtest.engines.progress import Progress
from loadtest.record.history import History
from loadtest.record.run_folder import RunFacts
from loadtest.scenarios.crowd_scenario import CrowdScenario
from loadtest.verdict.samples import Samples, aggregate
from loadtest.verdict.threshold_grammar import parse_line
from loadtest.verdict.threshold_terms import MeasuredTerm, Threshold
from loadtest.verdict.thresholds import compare

JUDGE_EVERY_S = 1.0


class LiveFigures:
    """
    The figures of a storm at one moment, as thresholds ask for them.

    Latencies are those shown live, with three digits; ``max`` is exact.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._skews = Samples(History(facts=list(progress.facts)))

    def value(self, term: MeasuredTerm) -> float | None:
        """Return what is asked for, or None as long as there is nothing of it."""
        progress = self._progress
        if term.metric == "grabs":
            return progress.answered
        if term.metric == "granted":
            return progress.granted
        if term.metric == "grab_latency_ms":
            return _of_latencies(progress, term.aggregation)
        return self._skews.aggregate(term.metric, term.aggregation)

    def why_unknown(self, term: MeasuredTerm) -> str:
        """Say why there is nothing."""
        return f"nothing was measured of {term} yet"


def _of_latencies(progress: Progress, aggregation: str) -> float | None:
    if aggregation == "max":
        return progress.max_ms if progress.latencies else None
    latencies = sorted(each for each in progress.latencies.items() if each[1])
    up_to = list(accumulate(count for _, count in latencies))
    return aggregate(
        aggregation,
        up_to[-1] if up_to else 0,
        lambda place: latencies[bisect_right(up_to, place)][0],
        lambda: sum(ms * count for ms, count in latencies),
    )


class AbortWatch:
    """
    Watches the thresholds of a run that may end it, from *began_s* on.

    ``broken_off`` says of each that was missed after its delay when that was, and by how much. *say* is told too.
    """

    def __init__(self, thresholds: Sequence[Threshold], began_s: float, say: Callable[[str], None]) -> None:
        self.broken_off: dict[str, str] = {}
        self._thresholds = [each for each in thresholds if each.abort_after_s is not None]
        self._began_s = began_s
        self._next_s = began_s
        self._say = say

    def see(self, progress: Progress, now_s: float) -> None:
        """Judge the newest figures, once a second."""
        if now_s < self._next_s or not self._thresholds:
            return
        self._next_s = now_s + JUDGE_EVERY_S
        after_s, figures = now_s - self._began_s, LiveFigures(progress)
        for each in self._thresholds:
            assert each.abort_after_s is not None
            if after_s < each.abort_after_s or str(each) in self.broken_off:
                continue
            value, limit, met = compare(each, figures)
            if met is False:
                text = f"broke the programme off after {after_s:.1f} s, at {value:,.6g} (limit {limit:,.6g})"
                self.broken_off[str(each)] = text
                self._say(f"{each} {text}")

    def broken(self) -> bool:
        """Tell whether the run is to end."""
        return bool(self.broken_off)

    def note(self, facts: RunFacts) -> None:
        """Write into the facts of the run by which thresholds it was broken off."""
        facts.broken_off = dict(self.broken_off)
        facts.notes += [f"{threshold} {text}" for threshold, text in self.broken_off.items()]


def thresholds_of(scenario: CrowdScenario, facts: RunFacts) -> list[Threshold]:
    """Return the thresholds of a run: the scenario's, and those of the command line."""
    return [*scenario.parsed_thresholds, *map(parse_line, facts.thresholds)]
