"""Discounts: their kinds, who funds each, and the stage of the waterfall in which it counts."""

from dataclasses import dataclass
from enum import StrEnum


class Funder(StrEnum):
    """The party that bears a discount (KS-SET-1). ``creator`` is the sources' streamer, too (AMB-28)."""

    MERCHANT = "merchant"
    CREATOR = "creator"
    PLATFORM = "platform"
    UNSTATED = "unstated"


class Stage(StrEnum):
    """The stages of the waterfall (section 14 of the rules); shop and platform are parallel."""

    ITEM = "item"
    SHOP = "shop"
    PLATFORM = "platform"
    FUNDS = "funds"


class DiscountKind(StrEnum):
    """
    Every kind of discount.

    ``streamer_coupon_packet`` (主播红包) is a coupon of the shop stage, not a red packet (AMB-29).
    """

    FLASH_PRICE = "flash_price"
    SHOP_COUPON = "shop_coupon"
    STREAMER_COUPON_PACKET = "streamer_coupon_packet"
    FULL_REDUCTION = "full_reduction"
    FULL_PERCENT_OFF = "full_percent_off"
    MULTI_ITEM_DISCOUNT = "multi_item_discount"
    CREATOR_COUPON = "creator_coupon"
    PLATFORM_COUPON = "platform_coupon"
    CREATOR_PACKET = "creator_packet"
    PLATFORM_PACKET = "platform_packet"
    GOLD_COIN = "gold_coin"
    CASH_SUBSIDY = "cash_subsidy"
    CONSUMPTION_CREDIT = "consumption_credit"


NATURE: dict[DiscountKind, tuple[Stage, Funder]] = {
    DiscountKind.FLASH_PRICE: (Stage.ITEM, Funder.MERCHANT),
    DiscountKind.SHOP_COUPON: (Stage.SHOP, Funder.MERCHANT),
    DiscountKind.STREAMER_COUPON_PACKET: (Stage.SHOP, Funder.CREATOR),
    DiscountKind.FULL_REDUCTION: (Stage.SHOP, Funder.MERCHANT),
    DiscountKind.FULL_PERCENT_OFF: (Stage.SHOP, Funder.MERCHANT),
    DiscountKind.MULTI_ITEM_DISCOUNT: (Stage.SHOP, Funder.MERCHANT),
    DiscountKind.CREATOR_COUPON: (Stage.SHOP, Funder.CREATOR),
    DiscountKind.PLATFORM_COUPON: (Stage.PLATFORM, Funder.PLATFORM),
    DiscountKind.CREATOR_PACKET: (Stage.FUNDS, Funder.CREATOR),
    DiscountKind.PLATFORM_PACKET: (Stage.FUNDS, Funder.PLATFORM),
    DiscountKind.GOLD_COIN: (Stage.FUNDS, Funder.PLATFORM),
    DiscountKind.CASH_SUBSIDY: (Stage.FUNDS, Funder.PLATFORM),
    DiscountKind.CONSUMPTION_CREDIT: (Stage.FUNDS, Funder.UNSTATED),
}
"""
The stage in which each kind counts, and its funder (KS-PRC-1 to KS-PRC-3, KS-SET-1): a used packet costs the streamer
who issued it (KS-ELG-3).
"""

RED_PACKETS = frozenset({DiscountKind.CREATOR_PACKET, DiscountKind.PLATFORM_PACKET})


@dataclass(frozen=True, slots=True)
class Discount:
    """
    A discount on an order, with an id that is unique in the order.

    Either ``amount_fen``, or ``pay_permille``: the thousandths still to be paid (9 折 is 900). It applies from
    ``threshold_fen`` and ``threshold_count`` pieces on, inclusive, over ``line_ids``, or over all lines if None.
    A flash price is not a discount here: it is a field of its line.
    """

    discount_id: str
    kind: DiscountKind
    amount_fen: int | None = None
    pay_permille: int | None = None
    threshold_fen: int = 0
    threshold_count: int = 0
    line_ids: frozenset[str] | None = None

    def __post_init__(self) -> None:
        assert (self.amount_fen is None) != (self.pay_permille is None)
        assert self.amount_fen is None or self.amount_fen >= 0
        assert self.pay_permille is None or 0 <= self.pay_permille <= 1000
        assert self.stage is not Stage.ITEM
        if self.stage is Stage.FUNDS:
            assert self.amount_fen is not None
            assert self.threshold_fen == self.threshold_count == 0

    @property
    def stage(self) -> Stage:
        """Return the stage of the waterfall in which this counts."""
        return NATURE[self.kind][0]
