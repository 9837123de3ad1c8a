"""A packet: its terms and schedule, its phases, and its allowed state transitions."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from server.core.ids import PLATFORM, CreatorId, PacketId, RoomId
from server.core.packets.capabilities import ALL_CAPABILITIES, Capabilities


class Denomination(StrEnum):
    """How the sum is split into shares (DY-CRE-2)."""

    FIXED = "fixed"
    RANDOM = "random"


class Surface(StrEnum):
    """How an opened packet is shown on screen (KS-CLM-1)."""

    POPUP = "popup"
    ASSET_WIDGET = "asset_widget"


class GoodsScope(StrEnum):
    """The goods that a packet may be used on: its creator's, those of named products, or all (KS-CRE-2)."""

    CREATOR = "creator"
    PRODUCTS = "products"
    ALL = "all"


class PacketState(StrEnum):
    """The stored state; the phases between follow from the schedule and the time."""

    DRAFT = "draft"
    LAUNCHED = "launched"
    SETTLED = "settled"
    VOIDED = "voided"


TRANSITIONS: dict[PacketState, frozenset[PacketState]] = {
    PacketState.DRAFT: frozenset({PacketState.LAUNCHED, PacketState.SETTLED, PacketState.VOIDED}),
    PacketState.LAUNCHED: frozenset({PacketState.SETTLED, PacketState.VOIDED}),
    PacketState.SETTLED: frozenset(),
    PacketState.VOIDED: frozenset(),
}
"""The steps a packet may take (section 17 of the rules); the store's scripts refuse all others. Ended drafts settle."""


class Phase(StrEnum):
    """The phase of a packet at an instant (section 17 of the rules)."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    WARMING = "warming"
    GRABBING = "grabbing"
    CLAIM_CLOSED = "claim_closed"
    SETTLED = "settled"
    VOIDED = "voided"


class Activity(StrEnum):
    """The state of a packet as an activity list shows it (待开始, 进行中, 已结束; section 17 of the rules)."""

    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"


ACTIVITIES: dict[Phase, Activity] = {
    Phase.DRAFT: Activity.PENDING,
    Phase.SCHEDULED: Activity.PENDING,
    Phase.WARMING: Activity.PENDING,
    Phase.GRABBING: Activity.ACTIVE,
    Phase.CLAIM_CLOSED: Activity.ENDED,
    Phase.SETTLED: Activity.ENDED,
    Phase.VOIDED: Activity.ENDED,
}


@dataclass(frozen=True, slots=True)
class Terms:
    """
    The terms that a packet's shares must meet: all amounts in fen, bounds inclusive.

    For a fixed denomination both bounds equal the face value.
    """

    denomination: Denomination
    share_count: int
    total_fen: int
    min_share_fen: int
    max_share_fen: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """The times of a launched packet, in room milliseconds; the grab window is half-open."""

    warmup_at_ms: int
    grab_at_ms: int
    claim_end_at_ms: int

    def __post_init__(self) -> None:
        assert self.warmup_at_ms <= self.grab_at_ms < self.claim_end_at_ms  # DY-LAU-7


class Edition(NamedTuple):
    """
    An edition of a packet's issuance: it adds ``share_count`` shares from ``first_index`` on, with a commitment.

    A decrease adds none and has no commitment: the shares then end before ``first_index`` (AMB-12).
    """

    edition: int
    first_index: int
    share_count: int
    total_fen: int
    commitment: str


@dataclass(frozen=True, slots=True)
class Packet:
    """
    One red-packet batch. ``room_id``, its creator ``host_id`` and ``schedule`` are set exactly when it was launched.

    ``allocator`` answers the grabs, and ``capabilities`` are that allocator's when the packet was created.
    ``terms`` are those of the last edition, ``commitment`` is the first one's. ``claimable_at_ms`` is when the shares
    that were added last can be claimed, in room ms, if an edit has added some; ``ended_at_ms`` when somebody ended the
    packet (KS-END-1).

    ``use_start_at_ms`` and ``use_end_at_ms`` are an absolute use validity, in room ms, or ``use_for_ms`` is a relative
    one, in room ms from the claim (DY-CRE-3, AMB-5). ``product_ids`` are the only goods it may be used on, or None for
    all (KS-CRE-2). ``reversal_delay_ms`` is how long, in room ms, money that returns to its creator takes (DY-REV-8).

    The launch settles ``launch_mode``, the ``entrances`` from which goods must have come (DY-USE-3; None: any) and the
    ``creator_name`` that viewers see.
    """

    packet_id: PacketId
    creator_id: CreatorId
    name: str
    platform: str
    terms: Terms
    state: PacketState
    edition: int
    commitment: str
    allocator: str = "default"
    capabilities: Capabilities = ALL_CAPABILITIES
    surface: Surface = Surface.POPUP
    room_id: RoomId | None = None
    host_id: CreatorId | None = None
    schedule: Schedule | None = None
    use_start_at_ms: int | None = None
    use_end_at_ms: int | None = None
    use_for_ms: int | None = None
    product_ids: tuple[str, ...] | None = None
    reversal_delay_ms: int = 0
    editions: tuple[Edition, ...] = ()
    claimable_at_ms: int | None = None
    ended_at_ms: int | None = None
    created_at_ms: int | None = None
    launched_at_ms: int | None = None
    launch_mode: str | None = None
    entrances: tuple[str, ...] | None = None
    creator_name: str = ""

    @property
    def goods(self) -> GoodsScope:
        """Return which goods this packet may be used on."""
        if self.product_ids is not None:
            return GoodsScope.PRODUCTS
        return GoodsScope.ALL if self.creator_id == PLATFORM else GoodsScope.CREATOR

    def phase_at(self, now_ms: int) -> Phase:
        """Return the phase this packet is in at room time *now_ms*."""
        match self.state:
            case PacketState.VOIDED:
                return Phase.VOIDED
            case PacketState.SETTLED:
                return Phase.SETTLED
            case PacketState.DRAFT:
                return Phase.DRAFT
        assert self.schedule is not None
        if now_ms < self.schedule.warmup_at_ms:
            return Phase.SCHEDULED
        if now_ms < self.schedule.grab_at_ms:
            return Phase.WARMING
        if now_ms < self.schedule.claim_end_at_ms:
            return Phase.GRABBING
        return Phase.CLAIM_CLOSED
