"""
An order as the store holds it: its record at home, and its part under the platform's tag.

``doc`` is the agreement at submission and never changes; ``progress`` is all that has changed since. Both are JSON of
our own types, read back exactly. An order that was never made, although the platform's packets were held for it, leaves
only a record of the state ``abandoned``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter

from server.core.ids import CreatorId, OrderId, ViewerId, home_of
from server.core.orders.asset import Asset, AssetState
from server.core.orders.discount import Discount
from server.core.orders.following import FollowedStep, in_state
from server.core.orders.order import Order, OrderState, PacketUse, Refund, StepOutcome
from server.core.orders.pricing import Quote
from server.core.orders.settlement import Rates
from server.core.orders.stacking import Exclusion
from server.core.roomtime import RoomClock

EXCLUSIONS_MAX = 50  # kept with an order, which is read whole
ABANDONED = "abandoned"  # of a home whose order was never made
HELD, RELEASED = "held", "released"  # of a part: until home's first step is known, and once the order was abandoned
_Fields = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Deal:
    """
    The agreement when an order was submitted. ``asked`` is a digest of the buyer's request.

    ``exclusions`` are the reasons against the buyer's other packets, of at most EXCLUSIONS_MAX, if the choice was ours.
    """

    quote: Quote
    packets: tuple[PacketUse, ...]
    assets: tuple[Asset, ...]  # as they were before it
    discounts: tuple[Discount, ...]
    platform: str
    rates: Rates
    merchant_id: str
    asked: str
    exclusions: tuple[Exclusion, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderProgress:
    """The progress of an order since its submission, as its home knows it."""

    paid_at_ms: int | None = None
    refunds: tuple[Refund, ...] = ()
    states: Mapping[str, AssetState] = field(default_factory=dict)  # of the packets, by asset id
    follows: tuple[FollowedStep, ...] = ()


@dataclass(frozen=True, slots=True)
class PartProgress:
    """The progress of the platform's packets in an order: home's last step that they followed, and their states."""

    home_version: int  # home's, when the part was made: home does not know the order as long as it has this version
    followed: int
    states: Mapping[str, AssetState]


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """
    An order at home. ``assets`` are its packets as the order left them; returned ones may have changed since.

    It is ``repeated`` if it is the answer to a step whose effect was there already; that is not stored.
    """

    order: Order
    assets: tuple[Asset, ...]
    deal: Deal
    version: int
    created_at_ms: int
    follows: tuple[FollowedStep, ...] = ()
    repeated: bool = field(default=False, compare=False)

    @property
    def order_id(self) -> OrderId:
        """The order's id."""
        return OrderId(self.order.order_id)

    @property
    def home(self) -> CreatorId:
        """Return the creator under whose tag the order is kept."""
        return home_of(self.order_id)

    def stepped(self, outcome: StepOutcome, followed: FollowedStep | None) -> "OrderRecord":
        """Return the record after a step; *followed* is the step of the platform's part, if any."""
        follows = self.follows if followed is None else (*self.follows, followed)
        return replace(self, order=outcome.order, assets=outcome.assets, version=self.version + 1, follows=follows)

    def fields(self) -> dict[str, str]:
        """Return the record's fields as they are stored, but for the version, which the script writes."""
        progress = OrderProgress(
            self.order.paid_at_ms,
            self.order.refunds,
            {asset.asset_id: asset.state for asset in self.assets},
            self.follows,
        )
        head = _head(self.order_id, self.order.viewer_id, self.order.state, self.created_at_ms)
        return {**head, "doc": _DEAL.dump_json(self.deal).decode(), "progress": _PROGRESS.dump_json(progress).decode()}


@dataclass(frozen=True, slots=True)
class PartRecord:
    """The platform's part of an order: the order as it was submitted, and the platform's packets as they are now."""

    order: Order
    assets: tuple[Asset, ...]
    deal: Deal
    state: str
    version: int
    created_at_ms: int
    home_version: int
    followed: int = 0

    @property
    def order_id(self) -> OrderId:
        """The order's id."""
        return OrderId(self.order.order_id)

    def fields(self) -> dict[str, str]:
        """Return the part's fields as they are stored, but for the version, which the script writes."""
        progress = PartProgress(
            self.home_version, self.followed, {asset.asset_id: asset.state for asset in self.assets}
        )
        head, doc = (
            _head(self.order_id, self.order.viewer_id, self.state, self.created_at_ms),
            _DEAL.dump_json(self.deal),
        )
        return {**head, "doc": doc.decode(), "progress": _PART_PROGRESS.dump_json(progress).decode()}


@dataclass(frozen=True, slots=True)
class Standing:
    """The data that one tag holds of an order at one instant of the store's own clock; version 0 if none."""

    now_ms: int
    version: int
    transferred: str | None  # the request and outcome of the transfer id in question
    fields: _Fields

    @property
    def order(self) -> OrderRecord | None:
        """Return the order, if this is its home and it was made."""
        return record_of(self.fields)

    @property
    def part(self) -> PartRecord | None:
        """Return the part, if this is the platform's tag and it ever had one."""
        return None if self.version == 0 else _part_from(self.fields, self.version)


def room_ms_of(time: tuple[int, int], clock: list[Any]) -> int:
    """Return the room time, as scripts compute it, from a store's TIME and copy of the clock read together."""
    return RoomClock(*map(int, clock)).room_ms(time[0] * 1_000 + time[1] // 1_000)


def abandoned_fields(order_id: OrderId, viewer_id: ViewerId, created_at_ms: int) -> dict[str, str]:
    """Return the record of an abandoned order."""
    return _head(order_id, viewer_id, ABANDONED, created_at_ms)


def _head(order_id: OrderId, viewer_id: ViewerId, state: str, created_at_ms: int) -> dict[str, str]:
    return {"order_id": order_id, "viewer_id": viewer_id, "state": state, "created_at_ms": str(created_at_ms)}


def record_of(fields: _Fields) -> OrderRecord | None:
    """Return the order of a record, or None if there is none or it was abandoned."""
    if not fields or fields[b"state"] == ABANDONED.encode():
        return None
    deal, progress = _DEAL.validate_json(fields[b"doc"]), _PROGRESS.validate_json(fields[b"progress"])
    order = Order(
        fields[b"order_id"].decode(),
        ViewerId(fields[b"viewer_id"].decode()),
        deal.quote,
        deal.packets,
        OrderState(fields[b"state"].decode()),
        progress.paid_at_ms,
        progress.refunds,
    )
    assets = tuple(in_state(asset, progress.states[asset.asset_id], order) for asset in deal.assets)
    version, created_at_ms = int(fields[b"version"]), int(fields[b"created_at_ms"])
    return OrderRecord(order, assets, deal, version, created_at_ms, progress.follows)


def _part_from(fields: _Fields, version: int) -> PartRecord:
    deal, progress = _DEAL.validate_json(fields[b"doc"]), _PART_PROGRESS.validate_json(fields[b"progress"])
    order = Order(fields[b"order_id"].decode(), ViewerId(fields[b"viewer_id"].decode()), deal.quote, deal.packets)
    assets = tuple(
        in_state(asset, progress.states[asset.asset_id], order)
        for asset in deal.assets
        if asset.asset_id in progress.states
    )
    state, created_at_ms = fields[b"state"].decode(), int(fields[b"created_at_ms"])
    return PartRecord(order, assets, deal, state, version, created_at_ms, progress.home_version, progress.followed)


_DEAL = TypeAdapter(Deal)
_PROGRESS = TypeAdapter(OrderProgress)
_PART_PROGRESS = TypeAdapter(PartProgress)
