"""Stalls: how long generator or server stood still, as the generator felt it, and for how long a message travelled."""

from collections import defaultdict
from typing import NamedTuple

from client_sim.behaviour import ABSENT
from loadtest.record.history import History
from loadtest.verdict.audit.circumstances import FLIGHT_NS, LOOKED_FOR_NS, Circumstances, RoomTimes

FELT_NS = 500_000_000  # a lag is sampled four times a second, after it happened
WAIT_MAX_NS = 60_000_000_000  # nobody waits longer; a strange history may say so
_SPAN_NS = 50_000_000  # the spans in which the longest wait is kept
_NS_PER_MS = 1_000_000


class Stalls:
    """The lags of the generator, the waits for receipts of viewers who were there, and the server's for the machine."""

    def __init__(self, history: History, run: Circumstances) -> None:
        self._run = run
        self._lags: defaultdict[int, int] = defaultdict(int)
        self._waits: defaultdict[int, int] = defaultdict(int)
        for sample in history.healths:
            span = sample.t // _SPAN_NS
            self._lags[span] = max(self._lags[span], round(sample.lag_ms * _NS_PER_MS))
        for grab in history.grabs:
            if grab.t_reply is None or grab.behaviour in ABSENT:
                continue
            waited_ns = min(grab.t_reply - grab.t_sent, WAIT_MAX_NS)
            if waited_ns >= _SPAN_NS:
                for span in range(grab.t_sent // _SPAN_NS, (grab.t_sent + waited_ns) // _SPAN_NS + 1):
                    self._waits[span] = max(self._waits[span], waited_ns)

    def ns(self, t_from: int, t_to: int) -> int:
        """Return by how much longer a message that was on its way from one instant to another may have taken."""
        felt_ns = _longest(self._lags, t_from, t_to + FELT_NS) + _longest(self._waits, t_from, t_to)
        return felt_ns + self._run.waited_ns(t_from, t_to)


def _longest(spans: dict[int, int], t_from: int, t_to: int) -> int:
    return max((spans.get(span, 0) for span in range(t_from // _SPAN_NS, t_to // _SPAN_NS + 1)), default=0)


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
