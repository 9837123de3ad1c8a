"""A submission: a buyer's request for an order, its checks, and the home of the order."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import orjson

from server.core.ids import PLATFORM, ClaimId, CreatorId, ViewerId, checked_id, creator_of, packet_of_claim
from server.core.orders.discount import RED_PACKETS, Discount
from server.core.orders.purchase import Purchase
from server.core.orders.settlement import Rates
from server.core.refusal import Refused


@dataclass(frozen=True, slots=True)
class Submission:
    """
    A buyer's request for an order.

    ``asset_ids`` are exactly the packets to use, in any order; None leaves the choice to us (DY-USE-2).
    ``expected_payable_fen`` is the price that the buyer was shown. ``platform`` None is that of its lines' creators.
    """

    viewer_id: ViewerId
    purchase: Purchase
    discounts: tuple[Discount, ...]
    platform: str | None
    rates: Rates
    merchant_id: str
    transfer_id: str
    asset_ids: tuple[str, ...] | None = None
    expected_payable_fen: int | None = None

    def __post_init__(self) -> None:
        if self.asset_ids is not None:
            object.__setattr__(self, "asset_ids", tuple(sorted(self.asset_ids)))

    def digest(self) -> str:
        """Return a digest that identifies this submission."""
        return hashlib.sha256(orjson.dumps(_plain(self), option=orjson.OPT_SORT_KEYS)).hexdigest()

    def check(self) -> None:
        """Raise Refused if a field is not valid."""
        checked_id("viewer_id", self.viewer_id)
        checked_id("merchant_id", self.merchant_id)
        check_discounts(self.discounts)

    def check_price(self, payable_fen: int) -> None:
        """Raise Refused ``price_changed`` if the price differs from the one that the buyer was shown."""
        if self.expected_payable_fen not in (None, payable_fen):
            raise Refused("price_changed", f"it costs {payable_fen} fen now", field="expected_payable_fen")


def check_discounts(discounts: Sequence[Discount]) -> None:
    """Check that no discount is repeated and none is a packet; raises Refused ``bad_field``."""
    if len({each.discount_id for each in discounts}) < len(discounts):
        raise Refused("bad_field", "must not repeat an id", field="discounts")
    if any(each.kind in RED_PACKETS for each in discounts):
        raise Refused("bad_field", "must not hold packets; name them in asset_ids", field="discounts")
    if any(":" in each.discount_id for each in discounts):
        raise Refused("bad_field", "must not hold an id like that of a packet's share", field="discounts")


def order_platform(named: str | None, of_creators: Iterable[str | None]) -> str:
    """
    Return the platform of an order: the one that it names, or the one of its lines' creators (AMB-44).

    *of_creators* are the creators' platforms, None for one that has none yet. Raises Refused ``bad_field`` if no
    platform is named and the creators have none, or several.
    """
    if named is not None:
        return named
    known = sorted({each for each in of_creators if each is not None})
    if len(known) != 1:
        found = f"the lines' creators belong to {' and '.join(known)}" if known else "no line's creator has a platform"
        raise Refused("bad_field", f"must be named: {found}", field="platform")
    return known[0]


def home_for(purchase: Purchase, asset_ids: Sequence[str]) -> CreatorId:
    """Return the home of an order that uses these packets: their creator, else its lines', else the platform."""
    of_packets = [creator_of(packet_of_claim(ClaimId(asset_id))) for asset_id in asset_ids]
    of_lines = [line.creator_id for line in purchase.lines if line.creator_id is not None]
    return next((each for each in (*of_packets, *of_lines) if each != PLATFORM), PLATFORM)


def _plain(value: Any) -> Any:
    """Convert frozen data to plain JSON data, sets sorted, so that every process gets the same text."""
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value
