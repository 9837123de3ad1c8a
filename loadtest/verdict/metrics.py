"""Metrics: the one table of all metrics: names, units, meanings, and the thresholds that each allows."""

from dataclasses import MISSING, dataclass, field, fields
from enum import StrEnum
from typing import Any, NamedTuple

from server.core.ids import PacketId


class MetricKind(StrEnum):
    """The kind of a metric: one number, a distribution in milliseconds, or a table, which takes no thresholds."""

    NUMBER = "number"
    DISTRIBUTION = "distribution"
    TABLE = "table"


class SelectorName(StrEnum):
    """The names by which a threshold selects a part of the run."""

    ROOM = "room"
    PACKET = "packet"
    PHASE = "phase"
    BEHAVIOUR = "behaviour"


_BY_PACKET = (SelectorName.ROOM, SelectorName.PACKET)
_BY_TAP = tuple(SelectorName)


class Metric(NamedTuple):
    """
    One metric. An unhealthy generator makes one of ``timing`` meaningless; ``title`` is short, for tables.

    ``selectors`` choose a part of the run. A ``tally`` is a number that grows with each event, so that it has a rate.
    What is ``live`` is known while a storm runs, and so may end it.
    """

    kind: MetricKind
    unit: str
    title: str
    meaning: str
    timing: bool
    selectors: tuple[SelectorName, ...] = ()
    tally: bool = False
    live: bool = False

    @property
    def aggregations(self) -> tuple[str, ...]:
        """Return what a threshold may ask of it."""
        if self.kind is MetricKind.DISTRIBUTION:
            return ("p(N)", "avg", "med", "min", "max", "count")
        if self.kind is MetricKind.NUMBER:
            return ("value", "count", "rate") if self.tally else ("value",)
        return ()


@dataclass(frozen=True, slots=True)
class Percentiles:
    """A distribution in real milliseconds; all 0 where nothing was measured."""

    p50: float
    p90: float
    p95: float
    p99: float
    p999: float
    max: float


@dataclass(frozen=True, slots=True)
class PacketResult:
    """The result of one packet by the books. ``sold_out`` says that viewers were told so."""

    packet_id: PacketId
    allocator: str
    share_count: int
    granted: int
    granted_fen: int
    sold_out: bool
    returned_fen: int


def _number(unit: str, title: str, meaning: str, **more: Any) -> Any:
    return _metric(MetricKind.NUMBER, unit, title, meaning, **more)


def _distribution(
    title: str, meaning: str, selectors: tuple[SelectorName, ...] = _BY_TAP, *, live: bool = False
) -> Any:
    return _metric(MetricKind.DISTRIBUTION, "ms", title, meaning, timing=True, selectors=selectors, live=live)


def _metric(
    kind: MetricKind, unit: str, title: str, meaning: str, *, timing: bool = False, default: Any = MISSING, **more: Any
) -> Any:
    return field(default=default, metadata={"metric": Metric(kind, unit, title, meaning, timing, **more)})


@dataclass(frozen=True, slots=True)
class Measures:
    """
    The numbers of one run; the field names are those of the result and of thresholds.

    Neither latencies nor the send debt count viewers who are absent on purpose. Resources are None until they are added
    (``loadtest/verdict/resources.py``), and where the processes are not known.
    """

    grabs: int = _number(
        "grabs", "taps answered", "requests that were answered", selectors=_BY_TAP, tally=True, live=True
    )
    granted: int = _number(
        "shares",
        "shares won",
        "shares that viewers were told of, each once",
        selectors=_BY_TAP,
        tally=True,
        live=True,
    )
    granted_fen: int = _number(
        "fen", "fen won", "amounts that viewers were told of, each share once", selectors=_BY_TAP
    )
    issued_fen: int = _number("fen", "given away", "what the claims in the books sum to", selectors=_BY_PACKET)
    over_issued_fen: int = _number(
        "fen",
        "fen too many given",
        "summed over packets, the larger of two: what the claims exceed the total by, and the amounts of "
        "superfluous claims (those whose index an earlier claim has or the packet does not have)",
        selectors=_BY_PACKET,
    )
    under_issued_fen: int = _number(
        "fen",
        "fen too few given",
        "what was not claimed of packets of which viewers heard that nothing is left",
        selectors=_BY_PACKET,
    )
    duplicate_claims: int = _number(
        "shares",
        "shares given twice",
        "shares beyond a viewer's first of one packet, in books and receipts",
        selectors=_BY_PACKET,
    )
    lost_acks: int = _number(
        "viewers",
        "promises lost",
        "viewers who were told of a share of a packet and have none in the books",
        selectors=_BY_PACKET,
    )
    packets: list[PacketResult] = _metric(MetricKind.TABLE, "packets", "packets", "what became of each packet")
    grab_latency_ms: Percentiles = _distribution("from the planned tap", "planned tap to first answer", live=True)
    grab_latency_from_send_ms: Percentiles = _distribution("from sending", "sending to first answer")
    send_debt_ms: Percentiles = _distribution(
        "send debt", "how much later than planned a tap was sent: the crowd's own queue"
    )
    fanout_skew_ms: Percentiles = _distribution(
        "fan-out skew", "from the first to the last viewer that heard the same message", _BY_PACKET, live=True
    )
    fanout_skew_ms_per_1000: Percentiles = _distribution(
        "fan-out skew per 1,000", "the fan-out skew by the thousands of viewers who heard it", _BY_PACKET, live=True
    )
    room_viewers: dict[str, int] = _metric(
        MetricKind.TABLE, "viewers", "listeners", "the most viewers that heard one message of each room"
    )
    start_skew_ms: Percentiles = _distribution(
        "start skew", "how far a viewer's own countdown was off the true opening", _BY_PACKET
    )
    grabs_per_second: float = _number(
        "grabs/s",
        "answers a second",
        "mean over the time in which some window was being answered, from a packet's first receipt that only an "
        "open window gives to its last",
        timing=True,
        selectors=_BY_TAP,
    )
    grabs_per_second_peak: int = _number(
        "grabs/s", "answers in the busiest second", "the most answers in any one second", timing=True, selectors=_BY_TAP
    )
    statuses: dict[str, dict[str, int]] = _metric(
        MetricKind.TABLE, "grabs", "statuses", "per behaviour, how many grabs ended in which status"
    )
    server_memory_mib: float = _number(
        "MiB", "memory of the server", "most resident memory of the storm's own server", default=None
    )
    server_memory_growth_mib_per_hour: float = _number(
        "MiB/h",
        "growth of the server's memory",
        "how fast the storm's own server takes more memory, after a warm-up",
        default=None,
    )
    server_descriptors: int = _number(
        "files", "open files of the server", "most open files of the storm's own server", default=None
    )
    server_descriptors_growth_per_hour: float = _number(
        "files/h",
        "growth of the server's open files",
        "how fast the storm's own server opens more files, after a warm-up",
        default=None,
    )
    store_memory_mib: float = _number(
        "MiB", "memory of the store", "most resident memory of the storm's own store", default=None
    )
    store_memory_growth_mib_per_hour: float = _number(
        "MiB/h",
        "growth of the store's memory",
        "how fast the storm's own store takes more memory, after a warm-up",
        default=None,
    )
    store_descriptors: int = _number(
        "files", "open files of the store", "most open files of the storm's own store", default=None
    )
    store_descriptors_growth_per_hour: float = _number(
        "files/h",
        "growth of the store's open files",
        "how fast the storm's own store opens more files, after a warm-up",
        default=None,
    )
    generator_memory_mib: float = _number(
        "MiB", "memory of the generator", "most resident memory of the generator", default=None
    )
    generator_memory_growth_mib_per_hour: float = _number(
        "MiB/h",
        "growth of the generator's memory",
        "how fast the generator takes more memory, after a warm-up",
        default=None,
    )
    generator_descriptors: int = _number(
        "files", "open files of the generator", "most open files of the generator", default=None
    )
    generator_descriptors_growth_per_hour: float = _number(
        "files/h",
        "growth of the generator's open files",
        "how fast the generator opens more files, after a warm-up",
        default=None,
    )
    server_probe_ms: float = _number(
        "ms", "answer to a probe", "99 % of the probes (GET /healthz, one a second) were answered within", default=None,
        timing=True,
    )  # fmt: skip


METRICS: dict[str, Metric] = {one.name: one.metadata["metric"] for one in fields(Measures)}
"""Every metric by its name, in the order of the result."""

MeasureValues = dict[str, Any]
"""The values of ``METRICS`` in a result; None where the evidence is missing."""
