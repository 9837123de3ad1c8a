"""Stalls: how long generator or server stood still, as the generator felt it, and for how long a message travelled."""

from functools import cached_property
from typing import NamedTuple

from client_sim.behaviour import ABSENT
from loadtest.record.history import History
from loadtest.verdict.audit.circumstances import FLIGHT_NS, LOOKED_FOR_NS, Circumstances, RoomTimes

FELT_NS = 500_000_000  # a lag is sampled four times a second, after it happened
_SHORT_BITS = 26  # waits are kept by spans of 67 ms, longer ones by longer spans: a few spans each, however long
_NS_PER_MS = 1_000_000


class Stalls:
    """The lags of the generator, the waits for receipts of viewers who were there, and the server's for the machine."""

    def __init__(self, history: History, run: Circumstances) -> None:
        self._history, self._run = history, run

    @cached_property
    def _lags(self) -> "_Spans":
        lags = _Spans()
        for sample in self._history.healths:
            lags.add(sample.t, 0, round(sample.lag_ms * _NS_PER_MS))
        return lags

    @cached_property
    def _waits(self) -> "_Spans":
        waits = _Spans()
        for grab in self._history.grabs:
            if grab.t_reply is None or grab.behaviour in ABSENT:
                continue
            if (wait := grab.t_reply - grab.t_sent) >> _SHORT_BITS:  # most are short
                waits.add(grab.t_sent, wait, wait)
        return waits

    def ns(self, t_from: int, t_to: int) -> int:
        """Return by how much longer a message that was on its way from one instant to another may have taken."""
        felt_ns = self._lags.longest(t_from, t_to + FELT_NS) + self._waits.longest(t_from, t_to)
        return felt_ns + self._run.waited_ns(t_from, t_to)


class _Spans:
    """The longest of some stretches of time that overlap a given one, roughly."""

    def __init__(self) -> None:
        self._longest: dict[int, dict[int, int]] = {}

    def add(self, t: int, lasts_ns: int, value: int) -> None:
        """Keep a value for the spans of a stretch; short ones, which any message takes, are left out."""
        if 0 < lasts_ns < 1 << _SHORT_BITS:
            return
        bits = max(_SHORT_BITS, lasts_ns.bit_length() - 1)
        spans = self._longest.setdefault(bits, {})
        for span in range(t >> bits, ((t + lasts_ns) >> bits) + 1):
            spans[span] = max(value, spans.get(span, 0))

    def longest(self, t_from: int, t_to: int) -> int:
        """Return the greatest value of the spans that overlap a stretch; 0 without any."""
        found = 0
        for bits, spans in self._longest.items():
            for span in range(t_from >> bits, (t_to >> bits) + 1):
                found = max(found, spans.get(span, 0))
        return found


class Flights(NamedTuple):
    """The times in which messages were on their way, given the room's clock, the run's absences and its stalls."""

    times: RoomTimes
    run: Circumstances
    stalls: Stalls

    def of(self, t: int, older_ns: int = 0) -> tuple[int, int] | None:
        """
        Return from when to when a message that came at *t* may have been made, widened by the clock's error.

        Its content may have been *older_ns* old. None near an absence of server or store: nothing is known then.
        """
        began = t - FLIGHT_NS - older_ns
        began -= self.stalls.ns(began, t) + self.times.error_ns
        return None if self.run.absent(began, t, LOOKED_FOR_NS) else (began, t + self.times.error_ns)
