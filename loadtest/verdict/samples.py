"""Samples: the single values behind the distributions of a run, and what can be said of them."""

from collections import Counter
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cached_property

from client_sim.behaviour import ABSENT
from loadtest.record.history import FactRecord, GrabRecord, History
from loadtest.verdict.metrics import Percentiles
from server.core.ids import RequestId, ViewerId

NS_PER_MS = 1_000_000
_STANDARD = [Fraction(percent) for percent in ("50", "90", "95", "99", "99.9")]


class Samples:
    """The samples of each distribution, in nanoseconds, each made when it is first asked for."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._sorted: dict[str, list[int]] = {}
        self._makers: dict[str, Callable[[], Iterable[int]]] = {
            "grab_latency_ms": lambda: (t_reply - tap.t_intended for tap, t_reply in self._answered),
            "grab_latency_from_send_ms": lambda: (t_reply - tap.t_sent for tap, t_reply in self._answered),
            "send_debt_ms": lambda: (
                grab.t_sent - grab.t_intended for grab in history.grabs if grab.behaviour not in ABSENT
            ),
            "fanout_skew_ms": lambda: fanout_skews_ns(history.facts).values(),
            "fanout_skew_ms_per_1000": lambda: (
                skew * 1000 // self.hearers[key] for key, skew in fanout_skews_ns(history.facts).items()
            ),
            "start_skew_ms": lambda: (
                abs(arrival.start_skew_ns) for arrival in history.arrivals if arrival.start_skew_ns is not None
            ),
        }

    @property
    def names(self) -> Iterable[str]:
        """Return the metrics that are distributions."""
        return self._makers.keys()

    @cached_property
    def _answered(self) -> list[tuple[GrabRecord, int]]:
        return answered_taps(self._history.grabs)

    @cached_property
    def hearers(self) -> dict["FactKey", int]:
        """Return over how many connections each fact was delivered."""
        return hearers_of(self._history.facts)

    def values_ns(self, metric: str) -> Iterable[int]:
        """Return the samples of a distribution, in any order, without keeping them."""
        return self._makers[metric]()

    def ns(self, metric: str) -> list[int]:
        """Return the samples of a distribution, in ascending order."""
        if metric not in self._sorted:
            self._sorted[metric] = sorted(self._makers[metric]())
        return self._sorted[metric]

    def aggregate(self, metric: str, aggregation: str) -> float | None:
        """Return what a threshold asks of a distribution, in milliseconds (``count``: a number); None without any."""
        ordered = self.ns(metric)
        value = aggregate(aggregation, len(ordered), ordered.__getitem__, lambda: sum(ordered))
        return value if value is None or aggregation == "count" else value / NS_PER_MS


def aggregate(aggregation: str, count: int, at: Callable[[int], float], total: Callable[[], float]) -> float | None:
    """
    Return what a threshold asks of samples in ascending order: so many, the one at each place, and their sum.

    Without any it is None, and never a count of 0.
    """
    if not count:
        return None
    match aggregation:
        case "count":
            return count
        case "avg":
            return total() / count
        case "med":
            return (at(count // 2) + at((count - 1) // 2)) / 2
        case "min":
            return at(0)
        case "max":
            return at(count - 1)
        case _:
            return at(place_of(count, Fraction(aggregation.removeprefix("p(").removesuffix(")"))))


def send_debt_ms(history: History) -> Percentiles:
    """Return how much later than planned taps were sent, except for viewers who are absent on purpose."""
    return percentiles(Samples(history).ns("send_debt_ms"))


def percentiles(values_ns: Iterable[int]) -> Percentiles:
    """Return the exact percentiles of *values_ns* in milliseconds: the smallest value that so many do not exceed."""
    ordered = sorted(values_ns)
    if not ordered:
        return Percentiles(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    p50, p90, p95, p99, p999 = (ordered[place_of(len(ordered), percent)] / NS_PER_MS for percent in _STANDARD)
    return Percentiles(p50, p90, p95, p99, p999, ordered[-1] / NS_PER_MS)


def place_of(count: int, percent: Fraction) -> int:
    """Return the place of the smallest of so many values that *percent* % of them do not exceed."""
    return max(-(-count * percent // 100), 1) - 1


FactKey = tuple[str, str, int]
"""Room, epoch and number."""


def fanout_skews_ns(facts: Iterable[FactRecord]) -> dict[FactKey, int]:
    """Return per room, epoch and number the time from its first arrival anywhere to its last, in nanoseconds."""
    spans: dict[FactKey, tuple[int, int]] = {}
    for fact in facts:
        key = (fact.room, fact.epoch, fact.seq)
        first, last = spans.get(key, (fact.t_first, fact.t_last))
        spans[key] = (min(first, fact.t_first), max(last, fact.t_last))
    return {key: last - first for key, (first, last) in spans.items()}


def hearers_of(facts: Iterable[FactRecord]) -> dict[FactKey, int]:
    """Return over how many connections each fact was delivered."""
    hearers: Counter[FactKey] = Counter()
    for fact in facts:
        hearers[fact.room, fact.epoch, fact.seq] += max(1, fact.count)
    return hearers


def answered_taps(grabs: Iterable[GrabRecord]) -> list[tuple[GrabRecord, int]]:
    """
    Return each tap that was answered, with its first reply; one that was sent again with its id is still one tap.

    Viewers who are absent on purpose are left out: how late they hear is their own doing.
    """
    taps: dict[tuple[ViewerId, RequestId], GrabRecord] = {}
    for grab in grabs:
        if grab.behaviour in ABSENT:
            continue
        key = (grab.viewer, grab.request_id)
        known = taps.setdefault(key, grab)
        if known is not grab:
            taps[key] = _one_tap(known, grab)
    return [(tap, tap.t_reply) for tap in taps.values() if tap.t_reply is not None]


def _one_tap(one: GrabRecord, other: GrabRecord) -> GrabRecord:
    replies = [t for t in (one.t_reply, other.t_reply) if t is not None]
    return one._replace(
        t_intended=min(one.t_intended, other.t_intended),
        t_sent=min(one.t_sent, other.t_sent),
        t_reply=min(replies, default=None),
    )
