"""A purchase: the goods that a buyer is about to order, and the facts that decide which discounts may be used."""

from dataclasses import dataclass
from enum import StrEnum

from server.core.ids import CreatorId


class App(StrEnum):
    """The app that the buyer uses (DY-USE-1)."""

    DOUYIN = "douyin"
    HUOSHAN = "huoshan"
    DOUYIN_LITE = "douyin_lite"
    KUAISHOU = "kuaishou"
    OTHER = "other"


class Entrance(StrEnum):
    """The entrance to a line's product page (DY-USE-3, KS-CLM-2)."""

    LIVE_ROOM = "live_room"
    SHORT_VIDEO = "short_video"
    SHOWCASE = "showcase"
    SHOP = "shop"
    OTHER = "other"


class GoodsKind(StrEnum):
    """The kind of goods in a line, as far as packets depend on it (DY-USE-6, KS-ELG-2)."""

    ORDINARY = "ordinary"
    VIRTUAL = "virtual"
    AUCTION = "auction"
    INSURANCE = "insurance"
    CROSS_BORDER = "cross_border"
    LOCAL_LIFE = "local_life"
    BLACKLISTED = "blacklisted"


class OrderTrait(StrEnum):
    """A special trait of a whole order (DY-USE-6). The balance of a presale is an ordinary order."""

    RISK_CONTROLLED = "risk_controlled"
    PRESALE_DEPOSIT = "presale_deposit"
    QIANCHUAN = "qianchuan"


@dataclass(frozen=True, slots=True)
class Line:
    """
    A quantity of one product: unit prices in fen. Line ids are unique in a purchase.

    ``creator_id`` is the creator from whose entrance the product page was opened, or None. ``goods`` None is what the
    product is registered as, or else ordinary.
    """

    line_id: str
    product_id: str
    list_price_fen: int
    quantity: int = 1
    flash_price_fen: int | None = None
    goods: GoodsKind | None = None
    creator_id: CreatorId | None = None
    entrance: Entrance = Entrance.OTHER

    def __post_init__(self) -> None:
        assert self.list_price_fen >= 0
        assert self.quantity >= 1
        assert self.flash_price_fen is None or self.flash_price_fen >= 0

    @property
    def list_fen(self) -> int:
        """Return the list price of all pieces."""
        return self.list_price_fen * self.quantity

    @property
    def item_discount_fen(self) -> int:
        """Return the flash price's deduction on all pieces; 0 if it is above the list price (KS-PRC-1)."""
        if self.flash_price_fen is None:
            return 0
        return max(0, self.list_price_fen - self.flash_price_fen) * self.quantity


@dataclass(frozen=True, slots=True)
class Purchase:
    """The contents of one order; shipping and service fee in fen are paid in addition to the goods (DY-USE-5)."""

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

    @property
    def product_ids(self) -> frozenset[str]:
        """Return the products of all lines."""
        return frozenset(line.product_id for line in self.lines)

    @property
    def creators(self) -> frozenset[CreatorId]:
        """Return the creators from whose entrances the goods come."""
        return frozenset(line.creator_id for line in self.lines if line.creator_id is not None)

    @property
    def is_merged(self) -> bool:
        """Return whether it is a merged cart: by the flag, or because its lines are of several creators (AMB-50)."""
        return self.cart_merged or len(self.creators) > 1
