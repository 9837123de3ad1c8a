"""A purchase: what a buyer is about to order, and the facts about it that decide which discounts may be used."""

from dataclasses import dataclass
from enum import StrEnum

from server.core.ids import CreatorId


class App(StrEnum):
    """The app the buyer holds (DY-USE-1)."""

    DOUYIN = "douyin"
    HUOSHAN = "huoshan"
    DOUYIN_LITE = "douyin_lite"
    KUAISHOU = "kuaishou"
    OTHER = "other"


class Entrance(StrEnum):
    """Where a line's product page was entered from (DY-USE-3, KS-CLM-2)."""

    LIVE_ROOM = "live_room"
    SHORT_VIDEO = "short_video"
    SHOWCASE = "showcase"
    SHOP = "shop"
    OTHER = "other"


class GoodsKind(StrEnum):
    """What a line sells, as far as packets care (DY-USE-6, KS-ELG-2)."""

    ORDINARY = "ordinary"
    VIRTUAL = "virtual"
    AUCTION = "auction"
    INSURANCE = "insurance"
    CROSS_BORDER = "cross_border"
    LOCAL_LIFE = "local_life"
    BLACKLISTED = "blacklisted"


class OrderTrait(StrEnum):
    """What is special about a whole order (DY-USE-6). The balance of a presale is an ordinary order."""

    RISK_CONTROLLED = "risk_controlled"
    PRESALE_DEPOSIT = "presale_deposit"
    QIANCHUAN = "qianchuan"


@dataclass(frozen=True, slots=True)
class Line:
    """
    Some pieces of one product: unit prices in fen, at most one line of an id in a purchase.

    ``creator_id`` is the creator from whose entrance the product page was opened, or None.
    """

    line_id: str
    product_id: str
    list_price_fen: int
    quantity: int = 1
    flash_price_fen: int | None = None
    goods: GoodsKind = GoodsKind.ORDINARY
    creator_id: CreatorId | None = None
    entrance: Entrance = Entrance.OTHER

    def __post_init__(self) -> None:
        assert self.list_price_fen >= 0
        assert self.quantity >= 1
        assert self.flash_price_fen is None or self.flash_price_fen >= 0

    @property
    def list_fen(self) -> int:
        """What all pieces cost by the list."""
        return self.list_price_fen * self.quantity

    @property
    def item_discount_fen(self) -> int:
        """What the flash price takes off all pieces; none if it is above the list price (KS-PRC-1)."""
        if self.flash_price_fen is None:
            return 0
        return max(0, self.list_price_fen - self.flash_price_fen) * self.quantity


@dataclass(frozen=True, slots=True)
class Purchase:
    """All that one order is to contain; shipping and service fee in fen are paid besides the goods (DY-USE-5)."""

    lines: tuple[Line, ...]
    client: App
    cart_merged: bool = False
    traits: frozenset[OrderTrait] = frozenset()
    shipping_fen: int = 0
    service_fee_fen: int = 0

    def __post_init__(self) -> None:
        assert self.lines
        assert len({line.line_id for line in self.lines}) == len(self.lines)
        assert self.shipping_fen >= 0
        assert self.service_fee_fen >= 0
