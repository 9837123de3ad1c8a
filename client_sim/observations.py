"""Observations of the viewers of one process, as a history keeps them. Times are CLOCK_MONOTONIC nanoseconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from client_sim.behaviour import Behaviour
from client_sim.message_cache import CachedMessage
from server.core.ids import PacketId, RequestId, RoomId, ViewerId


@dataclass(slots=True)
class Conn:
    """One connection of a seat, from its opening to its end. Times are CLOCK_MONOTONIC nanoseconds."""

    conn: str
    viewer: ViewerId
    room: RoomId
    t_open: int
    t_welcome: int | None = None
    epoch: str | None = None
    seq: int | None = None
    resumed_from: int | None = None  # the seq it resumed after; None on a first connection
    resync: bool | None = None
    t_close: int | None = None
    code: int | None = None
    patience_ms: int | None = None  # how long the viewer waits for a receipt
    run_first: int = 0
    run_last: int = 0
    slow: bool = False
    first_device: bool = True


@dataclass(slots=True)
class SentGrab:
    """One grab as it was sent, and its outcome, which is unknown until a receipt comes."""

    i: int
    conn: str
    viewer: ViewerId
    packet: PacketId
    request_id: RequestId
    behaviour: Behaviour
    t_intended: int
    t_sent: int
    t_reply: int | None = None
    reply: dict[str, Any] = field(default_factory=dict)
    payload: bytes = b""
    t_gave_up: int | None = None  # the viewer's patience ended, and the connection lived on
    again: bool = False  # a further receipt for a grab that has one


@dataclass(frozen=True, slots=True)
class UnreadAnswer:
    """
    The answer to grab number ``grab`` of the process, in which nothing is that the scenario explains.

    ``what`` was answered, ``mend`` names where the scenario would explain it, and ``said`` is an excerpt; only the
    first answer of its kind has one.
    """

    grab: int
    what: str
    mend: str
    said: str | None


@dataclass(frozen=True, slots=True)
class StrayReceipt:
    """A receipt over a connection for a request that its seat did not send."""

    conn: str
    viewer: ViewerId
    t: int
    reply: Mapping[str, Any]


@dataclass(slots=True)
class Fact:
    """A numbered message of a room as this process first received it, and its arrivals over the connections."""

    room: RoomId
    epoch: str
    message: CachedMessage
    t_first: int
    t_last: int
    count: int


@dataclass(frozen=True, slots=True)
class SequenceRun:
    """A run of consecutive seq numbers that one connection received."""

    conn: str
    epoch: str | None
    first_seq: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class Differing:
    """A numbered message of one connection that differs from the process's first copy."""

    conn: str
    message: CachedMessage


@dataclass(frozen=True, slots=True)
class Arrival:
    """The instant at which a connection received a packet's opening, and the error of its own countdown."""

    conn: str
    packet: PacketId
    t: int
    start_skew_ns: int | None


@dataclass(frozen=True, slots=True)
class HealthSample:
    """Loop lag, CPU and the like of the process at one instant."""

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OwnClock:
    """The name of the monotonic clock that all times of the process are of: equal names are one clock."""

    clock: str


@dataclass(frozen=True, slots=True)
class ClockReading:
    """The process's best reading of the room clock in a minute: room time at a local instant, and its *speed*."""

    server_ms: int
    t: int
    rtt_ns: int
    speed: int


@dataclass(frozen=True, slots=True)
class PlannedTaps:
    """How many taps a model has planned in the process, how many were sent, and how many found no open packet."""

    planned: int
    sent: int
    no_packet: int


@dataclass(frozen=True, slots=True)
class End:
    """The end of a history, with the number of grabs and connections in it."""

    grabs: int
    conns: int


@dataclass(slots=True)
class Heard:
    """
    A message without a number as this process first heard it, and its arrivals, over connections that read steadily.

    ``viewer`` heard it first, ``other`` is the first viewer besides, None if there was none.
    """

    room: RoomId
    message: CachedMessage
    viewer: ViewerId
    t_first: int
    t_last: int
    count: int
    other: ViewerId | None = None


Shown = tuple[PacketId, str, int | None, bool]
"""A packet in a welcome: its phase, how many shares are left as far as is known, and whether it is sold out."""


@dataclass(slots=True)
class Greeting:
    """The packets that welcomes to a room showed, at one position of its feed."""

    room: RoomId
    epoch: str
    seq: int
    packets: tuple[Shown, ...]
    t_first: int
    t_last: int
    count: int


@dataclass(frozen=True, slots=True)
class SentComment:
    """A comment as it was handed to the socket."""

    conn: str
    viewer: ViewerId
    room: RoomId
    t: int
    text: str


@dataclass(frozen=True, slots=True)
class Hushed:
    """A connection was told that something it said was too much."""

    conn: str
    t: int


Observation = (
    SentGrab | UnreadAnswer | StrayReceipt | Conn | SequenceRun | Arrival | Fact | Differing | HealthSample | OwnClock
    | ClockReading | End | Heard | Greeting | SentComment | Hushed | PlannedTaps
)  # fmt: skip
