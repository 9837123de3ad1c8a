"""History: the audience's requests and received messages, as the generator processes recorded them."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from loadtest.record.given_file import Allowance
from loadtest.record.hearsay import CommentRecord, HeardRecord, HushedRecord, ResultRecord, WelcomeRecord
from loadtest.record.shape import BadField, BadRecord, Line, Shape, lines_of, read_all
from loadtest.record.shelf import Packing, Shelf, Shelved
from server.core.ids import PacketId, RequestId, RoomId, ViewerId
from server.core.packets.claim import ClaimStatus

ConnId = int | str

_RATE_LIMITED = ClaimStatus.RATE_LIMITED.value


class GrabRecord(NamedTuple):
    """
    One grab and its receipt. ``type`` is ``ok`` (holds a share), ``fail`` (refused) or ``info`` (unknown).

    ``t_`` fields are nanoseconds of the host's monotonic clock; ``receipt`` is a hash of the receipt's bytes;
    ``t_gave_up`` is when the viewer's patience ended on a connection that lived on; ``again`` marks a further receipt
    of a grab that had one. ``process`` counts the files the history was read from.
    """

    i: int
    conn: ConnId
    viewer: ViewerId
    packet: PacketId
    request_id: RequestId
    behaviour: str
    t_intended: int
    t_sent: int
    t_reply: int | None
    type: str
    status: str | None
    amount_fen: int | None
    index: int | None  # type: ignore[assignment]  # a field here, not the tuple's method
    claim_id: str | None
    edition: int | None
    receipt: str | None
    process: int
    t_gave_up: int | None = None
    again: bool | None = None


class StrayRecord(NamedTuple):
    """A receipt over a connection, at ``t``, for a request that its seat did not send as far as the viewer knows."""

    conn: ConnId
    viewer: ViewerId
    t: int
    packet: PacketId | None
    request_id: RequestId
    status: str | None
    amount_fen: int | None
    index: int | None  # type: ignore[assignment]  # a field here, not the tuple's method
    claim_id: str | None
    process: int


class ConnRecord(NamedTuple):
    """
    One connection, the seq it resumed after, and the feed's position in its welcome.

    ``patience_ms`` is how long its viewer waits for a receipt; older histories do not say it.
    """

    conn: ConnId
    viewer: ViewerId
    room: RoomId
    t_open: int
    t_welcome: int | None
    epoch: str | None
    seq: int | None
    resumed_from: int | None
    resync: bool | None
    t_close: int | None
    code: int | None
    process: int
    patience_ms: int | None = None


class FactRecord(NamedTuple):
    """
    One numbered message as one process received it, and its arrival times over the connections.

    ``at_ms`` is when it was published, in room time by the store's clock.
    """

    room: RoomId
    epoch: str
    seq: int
    type: str
    packet: PacketId
    hash: str
    t_first: int
    t_last: int
    count: int  # type: ignore[assignment]  # a field here, not the tuple's method
    process: int
    at_ms: int | None = None
    result: ResultRecord | None = None


class OwnClockRecord(NamedTuple):
    """The name of the monotonic clock that the times of a process are of; older histories do not say it."""

    clock: str
    process: int


class ClockReadingRecord(NamedTuple):
    """
    A process's best reading of the room clock in a minute: room time ``server_ms`` at ``t``, by a round trip.

    ``speed`` is that of room time; older histories do not say it.
    """

    server_ms: int
    t: int
    rtt_ns: int
    process: int
    speed: int | None = None


class RunRecord(NamedTuple):
    """A run of consecutive seq numbers that one connection received."""

    conn: ConnId
    epoch: str
    first_seq: int
    last_seq: int
    process: int


class DifferRecord(NamedTuple):
    """A numbered message whose bytes differ from those on the process's other connections."""

    conn: ConnId
    seq: int
    hash: str
    process: int


class ArrivalRecord(NamedTuple):
    """The arrival of ``open`` at one connection, and the difference of its computed opening from the stated one."""

    conn: ConnId
    packet: PacketId
    t: int
    start_skew_ns: int | None
    process: int


class HealthRecord(NamedTuple):
    """A health sample of a process: its loop's lag, its CPU in cores, the machine's steal, its open descriptors."""

    t: int
    lag_ms: float
    cpu: float
    steal: float
    descriptors: int
    process: int


class ClockRelation(NamedTuple):
    """
    How the clock of a process goes with that of the timeline: ``offset_ns`` was added to its times.

    ``error_ns`` bounds how wrong that may be; None if nothing relates the two, and the offset is a guess.
    """

    process: int
    offset_ns: int
    error_ns: int | None


class PlannedTapsRecord(NamedTuple):
    """The taps that an arrival model planned in a process: how many were sent, and how many found no open packet."""

    planned: int
    sent: int
    no_packet: int
    process: int


class UnreadRecord(NamedTuple):
    """
    The answer to grab number ``grab`` of its process, which the scenario does not explain: it may be a grant or not.

    ``what`` was answered, ``mend`` names where to explain it; the first of its kind in a process has an excerpt.
    """

    grab: int
    what: str
    mend: str
    said: str | None
    process: int


class HistoryEnd(NamedTuple):
    """The last line of a file: the counts of its records."""

    grabs: int
    conns: int


class Grabs(Shelved[PacketId, GrabRecord]):
    """
    Grabs by packet; those of one packet are in the order of the files.

    ``odd`` are those that got no receipt in time, or more than one, or were told that there were too many; of each
    process there are as many as ``by_process`` says.
    """

    def __init__(self, grabs: Iterable[GrabRecord] = ()) -> None:
        self.odd: list[GrabRecord] = []
        self.by_process: Counter[int] = Counter()
        super().__init__(Shelf(attrgetter("packet"), Packing(tuple, partial(tuple.__new__, GrabRecord))), grabs)

    def append(self, record: GrabRecord) -> None:
        """Add a grab."""
        super().append(record)
        self.by_process[record.process] += 1
        if record.t_gave_up is not None or record.again or record.status == _RATE_LIMITED:
            self.odd.append(record)


@dataclass(slots=True)
class History:
    """
    The records of all generator processes. Filled once by the reader and only read afterwards.

    ``relations`` are those of the processes on another clock than that of the timeline (``one_timeline.py``).
    """

    grabs: Grabs = field(default_factory=Grabs)
    conns: list[ConnRecord] = field(default_factory=list)
    facts: list[FactRecord] = field(default_factory=list)
    runs: list[RunRecord] = field(default_factory=list)
    differs: list[DifferRecord] = field(default_factory=list)
    arrivals: list[ArrivalRecord] = field(default_factory=list)
    healths: list[HealthRecord] = field(default_factory=list)
    strays: list[StrayRecord] = field(default_factory=list)
    clocks: list[ClockReadingRecord] = field(default_factory=list)
    heard: list[HeardRecord] = field(default_factory=list)
    welcomes: list[WelcomeRecord] = field(default_factory=list)
    comments: list[CommentRecord] = field(default_factory=list)
    hushed: list[HushedRecord] = field(default_factory=list)
    own_clocks: list[OwnClockRecord] = field(default_factory=list)
    relations: list[ClockRelation] = field(default_factory=list)
    taps: list[PlannedTapsRecord] = field(default_factory=list)
    unread: list[UnreadRecord] = field(default_factory=list)


def read_history(paths: Sequence[Path], *, foreign: bool = False, allowance: Allowance | None = None) -> History:
    """
    Read one file per generator process, plain or ``.gz``. Raises BadRecord if one is cut off or malformed.

    A *foreign* service may omit the share's index and amount, and does not number its messages: facts without a seq
    are skipped, because a missed or repeated one cannot be detected.
    """
    history = History()
    for process, path in enumerate(paths):
        read_process(history, lines_of(path, allowance), str(path), process, foreign=foreign)
    return history


_TYPES = frozenset({"ok", "fail", "info"})


def read_process(
    history: History, lines: Iterable[tuple[int, Line]], name: str, process: int, *, foreign: bool = False
) -> None:
    """Add the records of one process to *history*, of the file *name*. Raises BadRecord as ``read_history`` does."""
    ends: list[HistoryEnd] = []
    kinds: dict[str, tuple[Shape[Any], Callable[[Any], None]]] = {
        "grab": (Shape(GrabRecord), lambda grab: history.grabs.append(_whole(grab, foreign=foreign))),
        "stray": (Shape(StrayRecord), history.strays.append),
        "conn": (Shape(ConnRecord), history.conns.append),
        "fact": (Shape(FactRecord), history.facts.append),
        "run": (Shape(RunRecord), history.runs.append),
        "differ": (Shape(DifferRecord), history.differs.append),
        "arrival": (Shape(ArrivalRecord), history.arrivals.append),
        "health": (Shape(HealthRecord), history.healths.append),
        "own_clock": (Shape(OwnClockRecord), history.own_clocks.append),
        "reading": (Shape(ClockReadingRecord), history.clocks.append),
        "heard": (Shape(HeardRecord), history.heard.append),
        "welcome": (Shape(WelcomeRecord), history.welcomes.append),
        "comment": (Shape(CommentRecord), history.comments.append),
        "hushed": (Shape(HushedRecord), history.hushed.append),
        "taps": (Shape(PlannedTapsRecord), history.taps.append),
        "unread": (Shape(UnreadRecord), history.unread.append),
        "end": (Shape(HistoryEnd), ends.append),
    }

    def take(line: Line) -> None:
        kind = line["kind"]
        if kind not in kinds:
            raise BadField("no such kind of line")
        if foreign and kind == "fact" and line.get("seq") is None:
            return
        shape, keep = kinds[kind]
        line["process"] = process
        keep(shape.read(line))

    before = HistoryEnd(len(history.grabs), len(history.conns))
    read_all(lines, name, take)
    end, grabs, conns = ends[0], len(history.grabs) - before.grabs, len(history.conns) - before.conns
    if end != (grabs, conns):
        raise BadRecord(
            f"{name}: its end promises {end.grabs} grabs and {end.conns} connections, "
            f"but {grabs} and {conns} stand in it"
        )


def _whole(grab: GrabRecord, *, foreign: bool) -> GrabRecord:
    """Return *grab* if its fields agree with each other. Raises BadField."""
    if grab.type not in _TYPES:
        raise BadField(f"type must be ok, fail or info, but is {grab.type!r}")
    if grab.type == "ok" and not foreign and (grab.index is None or grab.amount_fen is None):
        raise BadField("an ok holds a share, but index or amount_fen is null")
    if grab.type != "info" and (grab.t_reply is None or grab.status is None):
        raise BadField(f"{grab.type} is an answer, but t_reply or status is null")
    return grab
