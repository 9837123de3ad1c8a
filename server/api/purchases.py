"""Requests for purchases and responses with quotes."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from server.core.ids import checked_creator_id, checked_id
from server.core.money.money import FEN_MAX
from server.core.orders.discount import NATURE, RED_PACKETS, Discount, DiscountKind, Funder, Stage
from server.core.orders.pricing import Quote
from server.core.orders.purchase import App, Entrance, GoodsKind, Line, OrderTrait, Purchase
from server.core.orders.stacking import Exclusion
from server.core.refusal import Refused

QUANTITY_MAX = 10_000
DISCOUNTS_MAX = 50  # of one purchase; a shop has a few

Fen = Annotated[int, Field(ge=0, le=FEN_MAX, strict=True)]


class LineAsked(BaseModel):
    """
    A quantity of one product; unit prices in fen.

    ``creator_id`` is the creator from whose ``entrance`` the product page was opened (DY-USE-3, KS-CLM-2). ``goods`` is
    what the product is registered as, or if it is not, by default ordinary (DY-USE-6, KS-USE-2).
    """

    model_config = ConfigDict(extra="forbid")

    line_id: str
    product_id: str
    list_price_fen: Fen
    quantity: int = Field(default=1, ge=1, le=QUANTITY_MAX, strict=True)
    flash_price_fen: Fen | None = None
    goods: GoodsKind | None = None
    creator_id: str | None = None
    entrance: Entrance = Entrance.OTHER

    def line(self) -> Line:
        """Return it as the core knows it. Raises Refused for an id that is none."""
        checked_id("line_id", self.line_id)
        checked_id("product_id", self.product_id)
        if self.creator_id is not None:
            checked_creator_id(self.creator_id)
        if self.flash_price_fen is not None and self.flash_price_fen > self.list_price_fen:
            raise Refused("bad_field", "must not be above list_price_fen", field="flash_price_fen")
        return Line(**dict(self))


class DiscountAsked(BaseModel):
    """
    A discount that the buyer may use besides packets: ``amount_fen``, or ``pay_permille``, the part still to be paid.

    It applies from ``threshold_fen`` and ``threshold_count`` pieces on, over ``line_ids`` or all lines (section 14).
    """

    model_config = ConfigDict(extra="forbid")

    discount_id: str
    kind: DiscountKind
    amount_fen: Fen | None = None
    pay_permille: int | None = Field(default=None, ge=0, le=1000, strict=True)
    threshold_fen: Fen = 0
    threshold_count: int = Field(default=0, ge=0, le=FEN_MAX, strict=True)
    line_ids: list[str] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind in RED_PACKETS or self.kind is DiscountKind.FLASH_PRICE:
            raise ValueError("kind: name packets in asset_ids, and a flash price on its line")
        if (self.amount_fen is None) == (self.pay_permille is None):
            raise ValueError("amount_fen: set exactly one of amount_fen and pay_permille")
        if NATURE[self.kind][0] is Stage.FUNDS and (
            self.amount_fen is None or self.threshold_fen or self.threshold_count
        ):
            raise ValueError("amount_fen: this kind needs an amount and has no threshold")
        return self

    def discount(self) -> Discount:
        """Return it as the core knows it. Raises Refused for an id that is none."""
        checked_id("discount_id", self.discount_id)
        scope = None if self.line_ids is None else frozenset(self.line_ids)
        return Discount(**{**dict(self), "line_ids": scope})


class PurchaseAsked(BaseModel):
    """
    The contents of one order (sections 11 to 14 of the rules); shipping and service fee in fen.

    Only packets of its ``platform`` can be used; by default that of its lines' creators, who must share one (AMB-44).
    """

    model_config = ConfigDict(extra="forbid")

    viewer_id: str
    platform: str | None = None
    client: App = App.OTHER
    lines: list[LineAsked] = Field(min_length=1)
    cart_merged: bool = False
    traits: list[OrderTrait] = []
    shipping_fen: Fen = 0
    service_fee_fen: Fen = 0
    discounts: list[DiscountAsked] = Field(default=[], max_length=DISCOUNTS_MAX)

    def purchase(self) -> Purchase:
        """Convert to the core's type. Raises Refused for invalid or repeated ids."""
        lines = tuple(each.line() for each in self.lines)
        if len({line.line_id for line in lines}) < len(lines):
            raise Refused("bad_field", "each line needs an id of its own", field="lines")
        return Purchase(
            lines, self.client, self.cart_merged, frozenset(self.traits), self.shipping_fen, self.service_fee_fen
        )

    def promised(self) -> list[Discount]:
        """Return the discounts. Raises Refused for invalid or repeated ids, or unknown lines."""
        discounts = [each.discount() for each in self.discounts]
        if len({each.discount_id for each in discounts}) < len(discounts):
            raise Refused("bad_field", "each discount needs an id of its own", field="discounts")
        known = {line.line_id for line in self.lines}
        if any(each.line_ids is not None and not each.line_ids <= known for each in discounts):
            raise Refused("bad_field", "line_ids must name lines of the purchase", field="discounts")
        return discounts


class DeductionShown(BaseModel):
    """The deduction of one discount, in sum and from each line in order, and the clamped excess (``clamped``)."""

    discount_id: str
    kind: DiscountKind
    stage: Stage
    funder: Funder
    amount_fen: int
    clamped_fen: int
    by_line: tuple[int, ...]


class LineShown(BaseModel):
    """A line's list price, and the part left to pay."""

    line_id: str
    product_id: str
    list_fen: int
    paid_fen: int


class QuoteShown(BaseModel):
    """
    The waterfall of an order, line by line (KS-PRC-1 to KS-PRC-4), and the amount that each funder bears.

    It is ``approximate`` if the viewer has so many packets that a better choice may have been missed (AMB-54).
    """

    lines: list[LineShown]
    deductions: list[DeductionShown]
    unused: dict[str, str]
    asset_ids: list[str]
    exclusions: list[Exclusion] = []
    approximate: bool = False
    goods_paid_fen: int
    shipping_fen: int
    service_fee_fen: int
    payable_fen: int
    by_funder: dict[str, int]


def quote_shown(quote: Quote, exclusions: Sequence[Exclusion], *, approximate: bool = False) -> QuoteShown:
    """Return the response for a quote, with the reasons against other packets."""
    return QuoteShown(
        lines=[
            LineShown(line_id=line.line_id, product_id=line.product_id, list_fen=line.list_fen, paid_fen=paid_fen)
            for line, paid_fen in zip(quote.purchase.lines, quote.paid_by_line, strict=True)
        ],
        deductions=[
            DeductionShown(**asdict(each), stage=NATURE[each.kind][0], funder=each.funder) for each in quote.deductions
        ],
        unused={discount_id: reason.value for discount_id, reason in quote.unused},
        asset_ids=[each.discount_id for each in quote.deductions if each.kind in RED_PACKETS],
        exclusions=[*exclusions],
        approximate=approximate,
        goods_paid_fen=quote.goods_paid_fen,
        shipping_fen=quote.purchase.shipping_fen,
        service_fee_fen=quote.purchase.service_fee_fen,
        payable_fen=quote.payable_fen,
        by_funder={funder.value: fen for funder, fen in quote.by_funder().items()},
    )
