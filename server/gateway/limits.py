"""The gateway's limits, each with its reason, in three sets: production, demo and load test."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from server.core.rooms.session import SessionLimits

HEAD_BYTES_MAX = 16 * 1024  # of a request, line and headers: a ticket has a few hundred bytes, cookies some thousands
HEADER_BYTES_MAX = REQUEST_LINE_BYTES_MAX = 8 * 1024  # of one line; websockets reads no longer ones either
HEADERS_MAX = 100  # a browser behind two proxies sends thirty
PIPELINED_MAX = 16  # requests that wait for the answer to an earlier one of their connection
OUTBOX_SOFT_PART = 4  # a quarter of the outbox; the rest is for facts and receipts, which are never dropped


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on input from viewers and on data kept for them. Durations are real time."""

    session: SessionLimits = field(default_factory=SessionLimits)
    frame_bytes_max: int = 4_096  # a comment of 100 characters is a tenth of it; checked before the payload is read
    outbox_bytes_max: int = 256 * 1024  # a viewer further behind is closed with 4008, and can resume
    room_viewers_max: int = 20_000  # of one process: beyond it a popup is noticeably late
    connections_per_viewer_max: int = 3  # phone, tablet, television; per room
    connections_per_address_max: int = 200  # an office or a dormitory behind one address
    guests_per_address_max: int = 1_000  # while a guest's credential lasts; a hall behind one address
    http_connections_per_address_max: int = 600  # not yet a viewer's: the browsers of a hall, with some each
    half_open_per_address_max: int = 50  # requests not complete after late_ms; a crowd's are, so only a flood's count
    late_ms: int = 1_000  # a request not complete by then counts as half open
    request_ms: int = 10_000  # until a request is complete; an honest one needs one round trip
    idle_ms: int = 5_000  # until the next request of a connection begins
    unread_ms: int = 30_000  # in which a peer must read some of what is written to it
    closing_ms: int = 5_000  # until the peer answers our close; then the connection is aborted
    keepalive_s: int = 20  # a viewer silent for so long is pinged, and aborted if silent as long again
    window_ms: int = 20  # messages that are not facts wait up to this long and go out in one write
    resume_facts_max: int = 1_000  # facts kept for viewers that reconnect; a whole evening has a few hundred

    @property
    def outbox_soft_bytes(self) -> int:
        """Return the outbox size above which a viewer is a slow consumer, which gets no optional messages."""
        return self.outbox_bytes_max // OUTBOX_SOFT_PART


PRODUCTION = Limits()

DEMO = replace(
    PRODUCTION,
    # The audience of a demo is one address, and people who look on have one each.
    connections_per_address_max=20_000,
    http_connections_per_address_max=20_000,
    half_open_per_address_max=1_000,
)

LOAD = Limits(
    # One generator is one address, its viewers tap without pause, and a thousand connect in the same breath.
    session=SessionLimits(
        messages_max=1_000_000, chatter_max=1_000_000, excess_max=1_000_000, grabs_in_flight_max=1_000
    ),
    room_viewers_max=200_000,
    connections_per_viewer_max=1_000,
    connections_per_address_max=1_000_000,
    guests_per_address_max=1_000_000,
    http_connections_per_address_max=1_000_000,
    half_open_per_address_max=100_000,
    request_ms=60_000,
)

PROFILES = {"production": PRODUCTION, "demo": DEMO, "load": LOAD}


class Quota:
    """Counts what each holder has, up to a limit: connections of an address, of a viewer."""

    __slots__ = ("_held", "_limit")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[str, int] = {}

    def take(self, holder: str) -> bool:
        """Count one more for *holder*; return False and count nothing if it is at the limit."""
        held = self._held.get(holder, 0)
        if held >= self._limit:
            return False
        self._held[holder] = held + 1
        return True

    def give_back(self, holder: str) -> None:
        """Count one less for *holder*."""
        held = self._held[holder] - 1
        if held:
            self._held[holder] = held
        else:
            del self._held[holder]

    @property
    def holders(self) -> Collection[str]:
        """Return all that hold something now."""
        return self._held.keys()

    def held(self, holder: str) -> int:
        """Return the count of *holder*."""
        return self._held.get(holder, 0)
