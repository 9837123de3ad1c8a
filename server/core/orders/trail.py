"""
The logistics trail of an order before it is shipped: six steps that the merchant's tools report (section 19, LT-1).

Events come from several senders, late, twice, in any order, some never; none of that is an error, and nothing here
touches the order itself (LT-5). What a buyer sees is computed anew from all events there are.
"""

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum

from server.core.ids import ID_LENGTH_MAX, OrderId, RoomId, ViewerId, checked_id
from server.core.refusal import Refused, RuleId

PLATFORM = "platform"  # the source that is no ISV
EVENTS_OF_ORDER_MAX = 100  # seven steps, and many corrections of a busy warehouse
INSTANT_MS_MAX = 2**53 - 1  # what every JSON reader holds exactly


class TrailStep(StrEnum):
    """What may be told of an order, in order of rank: a to f before it is shipped, and the shipping itself (LT-6)."""

    PAID = "paid"  # LT-a
    ACCEPTED = "accepted"  # LT-b
    PICKING = "picking"  # LT-c
    PICKED = "picked"  # LT-d
    WAYBILL_PRINTED = "waybill_printed"  # LT-e
    PACKED = "packed"  # LT-f
    SHIPPED = "shipped"  # LT-1: where a trail began before there were the others

    @property
    def label(self) -> str:
        """What the step is called on the buyer's page (LT-1, LT-a to LT-f)."""
        return _WORDS[self][0]

    @property
    def text(self) -> str:
        """What the buyer is told (LT-a to LT-f)."""
        return _WORDS[self][1]

    @property
    def rank(self) -> int:
        """Where the step stands among those of the same instant; no order is enforced by it (LT-6, AMB-20)."""
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
    One thing that happened to an order, as its sender says (LT-6).

    ``source`` is PLATFORM or the id of an ISV; ``occurred_at_ms`` is room time by the sender's word.
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
    Return the event that a sender reports, or raise Refused: bad_id, unknown_step, wrong_source, out_of_range.

    The platform says ``paid``, an ISV the rest (LT-6); ``shipped`` may come from either, for it was told before there
    were ISVs (LT-1). The instant is not held against the clock: a late report is as welcome as one of a clock that is
    ahead, and a repetition is answered as the first time.
    """
    checked_id("event_id", event_id)
    checked_id("source", source)
    if step not in _RANKS:
        raise Refused("unknown_step", f"must be one of {', '.join(TrailStep)}", field="type", rule=RuleId("LT-6"))
    known = TrailStep(step)
    if known is TrailStep.PAID and source != PLATFORM:
        raise Refused("wrong_source", f"paid is told by {PLATFORM}, not by an ISV", field="source", rule=RuleId("LT-6"))
    if known not in (TrailStep.PAID, TrailStep.SHIPPED) and source == PLATFORM:
        raise Refused(
            "wrong_source", f"{known} is told by an ISV, whose id this must be", field="source", rule=RuleId("LT-6")
        )
    if not 0 < occurred_at_ms <= INSTANT_MS_MAX:
        raise Refused("out_of_range", f"must be from 1 to {INSTANT_MS_MAX}", field="occurred_at_ms")
    return TrailEvent(order_id, known, occurred_at_ms, source, event_id)


def checked_isv_id(text: str) -> str:
    """Return *text* as the id of an ISV, or raise Refused: bad_id, wrong_source."""
    if text == PLATFORM:
        raise Refused("wrong_source", f"{PLATFORM} is no ISV", field="isv_id", rule=RuleId("LT-6"))
    return checked_id("isv_id", text, length_max=ID_LENGTH_MAX)


class Trail:
    """
    All events of one order, and what of them the buyer sees.

    *viewer_id* is the buyer, *room_id* the live room in which the order was made, if it was made in one.
    """

    __slots__ = ("_events", "order_id", "room_id", "viewer_id")

    def __init__(self, order_id: OrderId, viewer_id: ViewerId, room_id: RoomId | None = None) -> None:
        self.order_id = order_id
        self.viewer_id = viewer_id
        self.room_id = room_id
        self._events: dict[str, TrailEvent] = {}

    def append(self, event: TrailEvent) -> bool:
        """
        Take an event, whichever came before or is missing (LT-2, LT-5); False if it was there already (LT-6).

        Raises Refused, and nothing has changed: event_conflict if its id stands for another event, trail_full.
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
        return True

    def timeline(self, integrated: Set[str]) -> list[TrailEvent]:
        """
        Return what the buyer sees, sorted by instant, then by rank (LT-6): the same whatever the order of arrival.

        What should have happened before the shipping, but is dated after it, is hidden (LT-6); so is what an ISV says
        that is not among the *integrated* (LT-4). That it was shipped is shown whoever says so (LT-1).
        """
        shipped_at_ms = min(
            (each.occurred_at_ms for each in self._events.values() if each.step is TrailStep.SHIPPED), default=None
        )
        shown = [
            each
            for each in self._events.values()
            if each.step is TrailStep.SHIPPED
            or (
                (each.source == PLATFORM or each.source in integrated)
                and (shipped_at_ms is None or each.occurred_at_ms <= shipped_at_ms)
            )
        ]
        return sorted(shown, key=lambda each: (each.occurred_at_ms, each.step.rank, each.event_id))

    def missing(self, integrated: Set[str]) -> list[TrailStep]:
        """Return those of the six steps before shipping that the buyer does not see: 6 - completeness, by rank."""
        seen = {each.step for each in self.timeline(integrated)}
        return [step for step in BEFORE_SHIPPING if step not in seen]
