"""The picture of a run at one moment, as the dashboard gets it: plain data, and codes where the page has the words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from loadtest.engines.progress import Progress
from loadtest.verdict.samples import fanout_skews_ns, percentiles
from loadtest.watch.figures import Histogram, MoneyFlow, histogram_of
from loadtest.watch.live_audit import Badge


@dataclass(frozen=True, slots=True)
class RoomPicture:
    """A room and how many viewers are in it; ``note`` is the platform, or the packet that is on."""

    room_id: str
    title: str
    watching: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class PacketPicture:
    """A packet as its shares go. ``state`` is a code of the server, ``sold_out_ms`` how long its shares lasted."""

    packet_id: str
    name: str
    share_count: int
    granted: int
    over: int = 0
    total_fen: int | None = None
    state: str = ""
    allocator: str = ""
    sold_out_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """Grab latencies in ms from the planned tap, as far as they were measured, and how openings reached the viewers."""

    p50: float | None = None
    p99: float | None = None
    max: float | None = None
    skew_p99: float | None = None
    histogram: Histogram | None = None


@dataclass(frozen=True, slots=True)
class GeneratorPicture:
    """The health of the load generator: ``ok``, or ``notes`` on why its times are not to be trusted; CPU in cores."""

    ok: bool
    notes: tuple[str, ...]
    send_debt_p99_ms: float
    lag_p99_ms: float
    cpu: float


@dataclass(frozen=True, slots=True)
class StorePicture:
    """
    The store: ``state`` is up, away, stopped with the run, or unknown where nobody can ask; times in ms.

    ``steps`` are those of the last recovery: a code, and when it was reached, counted from the kill.
    """

    state: str = "unknown"
    durability: str = ""
    commands_per_second: int | None = None
    delayed_syncs: int | None = None
    cut_took_ms: int | None = None
    away_since_ms: int | None = None
    recovered_in_ms: int | None = None
    steps: tuple[tuple[str, int | None], ...] = ()


@dataclass(frozen=True, slots=True)
class LogLine:
    """One happening: a ``code`` that the page has words for, with their values, or a plain ``text``."""

    at_ms: int
    text: str = ""
    code: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VerdictPicture:
    """The end of a run. ``report`` is its path on this site; empty if there is none."""

    verdict: str
    reasons: tuple[str, ...]
    exit_code: int
    report: str = ""


@dataclass(frozen=True, slots=True)
class LivePicture:
    """
    Everything that the dashboard shows. Times are real, in ms since 1970; None means that it is not known.

    ``rates`` are grabs a second, offered and answered, one pair a second, oldest first.
    """

    title: str
    subtitle: str
    at_ms: int
    kind: str
    phase: str = ""
    connected: int | None = None
    viewers: int | None = None
    present: int | None = None
    offered: int | None = None
    answered: int = 0
    lost: int = 0
    granted: int | None = None
    failed: int = 0
    rates: tuple[tuple[float | None, float], ...] = ()
    comments_per_second: float | None = None
    likes_per_second: float | None = None
    latency: Latency = field(default_factory=Latency)
    rooms: tuple[RoomPicture, ...] = ()
    packets: tuple[PacketPicture, ...] = ()
    money: MoneyFlow | None = None
    badge: Badge = field(default_factory=Badge)
    store: StorePicture = field(default_factory=StorePicture)
    generator: GeneratorPicture | None = None
    log: tuple[LogLine, ...] = ()
    verdict: VerdictPicture | None = None


class Source(Protocol):
    """The run or the server that is watched. Each of the two methods is called by a thread of its own."""

    def look(self) -> LivePicture:
        """Return the newest picture. It is asked for some times a second, and must not wait."""

    def check(self) -> None:
        """Hold books and receipts against each other if there are new ones. It may take its time."""


def latency_of(progress: Progress) -> Latency:
    """Return the latencies of a run so far, by the definitions of its result."""
    skews = fanout_skews_ns(progress.facts)
    skew_p99 = percentiles(skews.values()).p99 if skews else None
    if not progress.latencies:
        return Latency(skew_p99=skew_p99)
    p99 = progress.p99_ms
    histogram = histogram_of(progress.latencies, p99)
    return Latency(progress.percentile_ms(500), p99, progress.max_ms, skew_p99, histogram)
