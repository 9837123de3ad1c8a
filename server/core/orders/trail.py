"""
The logistics trail of an order before shipping: six steps that the merchant's tools report (section 19, LT-1).

Events come from several senders, late, twice, in any order, or never; none of that is an error, and no event changes
the order itself (LT-5). The buyer's view is computed from all events each time.
"""

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum

from server.core.ids import ID_LENGTH_MAX, OrderId, RoomId, ViewerId, checked_id
from server.core.orders.order import Order
from server.core.refusal import Refused, RuleId

PLATFORM = "platform"  # the source of events that no ISV reports
EVENTS_OF_ORDER_MAX = 100  # seven steps, and many corrections
INSTANT_MS_MAX = 2**53 - 1  # every JSON parser holds it exactly
AHEAD_MAX_MS = 5 * 60_000  # of room time, that a sender's clock may be ahead of ours (AMB-49)


class TrailStep(StrEnum):
    """The steps of a trail by rank: a to f before shipping, and the shipping itself (LT-6)."""

    PAID = "paid"  # LT-a
    ACCEPTED = "accepted"  # LT-b
    PICKING = "picking"  # LT-c
    PICKED = "picked"  # LT-d
    WAYBILL_PRINTED = "waybill_printed"  # LT-e
    PACKED = "packed"  # LT-f
    SHIPPED = "shipped"  # LT-1: the first step of trails before the others were introduced

    @property
    def label(self) -> str:
        """Return the step's label on the buyer's page (LT-1, LT-a to LT-f)."""
        return _WORDS[self][0]

    @property
    def text(self) -> str:
        """Return the text of the buyer's message (LT-a to LT-f)."""
        return _WORDS[self][1]

    @property
    def rank(self) -> int:
        """Return the rank among steps of the same instant; it enforces no order (LT-6, AMB-20)."""
        return _RANKS[self]


_WORDS: dict[TrailStep, tuple[str, str]] = {
    TrailStep.PAID: ("已支付", "商品已下单，正在配货中"),
    TrailStep.ACCEPTED: ("已接单", "商家已接单"),
    TrailStep.PICKING: ("商家拣货中", "商家正在抓紧拣货中"),
    TrailStep.PICKED: ("拣货已完成", "您的商品已拣货完成，等待打包发货"),
    TrailStep.WAYBILL_PRINTED: ("订单已打印", "商家已打印快递单"),
    TrailStep.PACKED: ("打包已完成", "您的商品已打包完成"),
    TrailStep.SHIPPED: ("已发货", "已发货"),
}
_RANKS = {step: rank for rank, step in enumerate(TrailStep)}

BEFORE_SHIPPING = tuple(step for step in TrailStep if step is not TrailStep.SHIPPED)


@dataclass(frozen=True, slots=True)
class TrailEvent:
    """
    An event of an order, as its sender reports it (LT-6).

    ``source`` is PLATFORM or the id of an ISV; ``occurred_at_ms`` is room time by the sender's clock.
    """

    order_id: OrderId
    step: TrailStep
    occurred_at_ms: int
    source: str
    event_id: str


@dataclass(frozen=True, slots=True)
class ServiceMessage:
    """One step of an order on its way to the buyer's live connections (LT-3)."""

    viewer_id: ViewerId
    order_id: OrderId
    step: TrailStep
    occurred_at_ms: int


def checked_event(*, order_id: OrderId, step: str, occurred_at_ms: int, source: str, event_id: str) -> TrailEvent:
    """
    Return the reported event, or raise Refused: bad_id, unknown_step, wrong_source, out_of_range.

    The platform reports ``paid``, an ISV the rest (LT-6); ``shipped`` may come from either, because it existed before
    ISVs did (LT-1). The instant is not compared with the clock here, but by ``check_instant``.
    """
    checked_id("event_id", event_id)
    checked_id("source", source)
    if step not in _RANKS:
        raise Refused("unknown_step", f"must be one of {', '.join(TrailStep)}", field="type", rule=RuleId("LT-6"))
    known = TrailStep(step)
    if known is TrailStep.PAID and source != PLATFORM:
        raise Refused("wrong_source", f"must be {PLATFORM}, which reports paid", field="source", rule=RuleId("LT-6"))
    if known not in (TrailStep.PAID, TrailStep.SHIPPED) and source == PLATFORM:
        raise Refused(
            "wrong_source", f"must be an ISV's id, because ISVs report {known}", field="source", rule=RuleId("LT-6")
        )
    if not 0 < occurred_at_ms <= INSTANT_MS_MAX:
        raise Refused("out_of_range", f"must be from 1 to {INSTANT_MS_MAX}", field="occurred_at_ms")
    return TrailEvent(order_id, known, occurred_at_ms, source, event_id)


def check_instant(event: TrailEvent, trail: "Trail", now_ms: int, *, order: Order | None) -> None:
    """
    Check the instant of an event that is about to be appended (AMB-49).

    It may be at most AHEAD_MAX_MS after *now_ms*, and not before the order was paid: as *order* says, or, if it was
    made elsewhere, as its trail says. Late reports are accepted. Raises Refused: bad_field.
    """
    paid_at_ms = order.paid_at_ms if order is not None else trail.paid_at_ms
    if event.occurred_at_ms > now_ms + AHEAD_MAX_MS:
        problem = f"must be at most {AHEAD_MAX_MS // 60_000} room minutes ahead of room time, which is {now_ms}"
    elif order is not None and paid_at_ms is None:
        problem = "must not be before the order is paid, which it is not"
    elif paid_at_ms is not None and event.occurred_at_ms < paid_at_ms and (order or event.step is not TrailStep.PAID):
        problem = f"must not be before the order was paid, at {paid_at_ms}"
    else:
        return
    raise Refused("bad_field", problem, field="occurred_at_ms", rule=RuleId("LT-6"))


def checked_isv_id(text: str) -> str:
    """Return *text* as the id of an ISV, or raise Refused: bad_id, wrong_source."""
    if text == PLATFORM:
        raise Refused("wrong_source", f"{PLATFORM} is no ISV", field="isv_id", rule=RuleId("LT-6"))
    return checked_id("isv_id", text, length_max=ID_LENGTH_MAX)


class Trail:
    """
    All events of one order, and the buyer's view of them.

    *viewer_id* is the buyer, *room_id* the live room in which the order was made, if any.
    """

    __slots__ = ("_events", "_kept", "order_id", "room_id", "viewer_id")

    def __init__(self, order_id: OrderId, viewer_id: ViewerId, room_id: RoomId | None = None) -> None:
        self.order_id = order_id
        self.viewer_id = viewer_id
        self.room_id = room_id
        self._events: dict[str, TrailEvent] = {}
        self._kept: set[str] = set()

    @property
    def paid_at_ms(self) -> int | None:
        """Return the earliest instant at which the order was paid by its events, or None if none says so."""
        return min((each.occurred_at_ms for each in self._events.values() if each.step is TrailStep.PAID), default=None)

    def has(self, event: TrailEvent) -> bool:
        """Return whether exactly this event is there."""
        return self._events.get(event.event_id) == event

    def append(self, event: TrailEvent, *, kept: bool = False) -> bool:
        """
        Append an event, with others missing or not (LT-2, LT-5); return False if it was there already (LT-6).

        One that is *kept* came before the end of its ISV's integration, and stays shown (AMB-49).

        Raises Refused without a change: event_conflict if its id belongs to another event, trail_full.
        """
        assert event.order_id == self.order_id
        known = self._events.get(event.event_id)
        if known == event:
            return False
        if known is not None:
            raise Refused(
                "event_conflict", "this id stands for another event of the order", field="event_id", rule=RuleId("LT-6")
            )
        if len(self._events) >= EVENTS_OF_ORDER_MAX:
            raise Refused("trail_full", f"an order has at most {EVENTS_OF_ORDER_MAX} events")
        self._events[event.event_id] = event
        if kept:
            self._kept.add(event.event_id)
        return True

    def timeline(self, integrated: Set[str]) -> list[TrailEvent]:
        """
        Return the events that the buyer sees, sorted by instant, then by rank (LT-6), independent of arrival order.

        Each step is shown once, by its earliest event (AMB-49). A step before shipping that is dated after it is hidden
        (LT-6); so is a report of an ISV that is not among the *integrated* (LT-4), unless it was shown before. The
        shipping is shown from any source (LT-1).
        """
        shipped_at_ms = min(
            (each.occurred_at_ms for each in self._events.values() if each.step is TrailStep.SHIPPED), default=None
        )
        shown: dict[TrailStep, TrailEvent] = {}
        for each in sorted(
            self._events.values(), key=lambda each: (each.occurred_at_ms, each.step.rank, each.event_id)
        ):
            if each.step is TrailStep.SHIPPED or (
                (each.source == PLATFORM or each.source in integrated or each.event_id in self._kept)
                and (shipped_at_ms is None or each.occurred_at_ms <= shipped_at_ms)
            ):
                shown.setdefault(each.step, each)
        return [*shown.values()]

    def missing(self, integrated: Set[str]) -> list[TrailStep]:
        """Return the steps before shipping that the buyer does not see, by rank: 6 - completeness."""
        seen = {each.step for each in self.timeline(integrated)}
        return [step for step in BEFORE_SHIPPING if step not in seen]
