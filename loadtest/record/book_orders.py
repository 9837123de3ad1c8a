"""An order in the final books: its terms and its outcome, and the rulebook by which it was priced."""

from typing import NamedTuple

from server.core.ids import ClaimId, CreatorId, OrderId, PacketId, ViewerId
from server.core.orders.asset import AssetState
from server.core.orders.order import OrderState


class UsedPacket(NamedTuple):
    """A share in an order: its face amount, the amount used, and its state as this order left it."""

    asset_id: ClaimId
    face_fen: int
    used_fen: int
    state: AssetState

    @property
    def packet_id(self) -> PacketId:
        """Return the packet of which this is a share."""
        return PacketId(self.asset_id.rpartition(":")[0])


class OrderedLine(NamedTuple):
    """A quantity of one product in an order; unit prices in fen. ``creator_id`` is whose entrance it came from."""

    line_id: str
    product_id: str
    list_price_fen: int
    quantity: int
    flash_price_fen: int | None
    goods: str | None
    creator_id: CreatorId | None
    entrance: str


class OrderedDiscount(NamedTuple):
    """A discount other than a red packet: ``amount_fen``, or the thousandths still to be paid; None is every line."""

    discount_id: str
    kind: str
    amount_fen: int | None
    pay_permille: int | None
    threshold_fen: int
    threshold_count: int
    line_ids: tuple[str, ...] | None


class BookedDeduction(NamedTuple):
    """The amount that a discount or a red packet took from each line, in the order of the lines."""

    discount_id: str
    kind: str
    by_line: tuple[int, ...]


class BookedRefund(NamedTuple):
    """One refund, in fen: of goods by line id, and of shipping and service fee."""

    refund_id: str
    by_line: dict[str, int]
    extras_fen: int


class BookedPurchase(NamedTuple):
    """The contents of an order, with all that its price follows from, and what the server made of it."""

    client: str
    cart_merged: bool
    traits: tuple[str, ...]
    service_fee_fen: int
    lines: tuple[OrderedLine, ...]
    discounts: tuple[OrderedDiscount, ...]
    deductions: tuple[BookedDeduction, ...]
    paid_by_line: tuple[int, ...]
    refunds: tuple[BookedRefund, ...]


class BookedRulebook(NamedTuple):
    """The limits of a platform by which orders are priced and settled; see docs/rules.md."""

    platform: str
    parallel_order: tuple[str, ...]
    best_of_shop: tuple[str, ...]
    fund_order: tuple[str, ...]
    use_clients: tuple[str, ...]
    use_entrances: tuple[str, ...]
    goods_excluded: tuple[str, ...]
    orders_excluded: tuple[str, ...]
    cart_merge_allowed: bool
    packets_per_order_max: int
    creator_packets_per_order_max: int | None
    item_level_reversal: bool
    service_fee_includes_shipping: bool
    base_includes_platform_packets: bool


class BookedOrder(NamedTuple):
    """
    One order at the end; amounts in fen, rates in hundredths of a percent.

    ``subsidies`` are the amounts paid by others than the merchant besides red packets, by payer. Books of earlier
    versions have no ``purchase``.
    """

    order_id: OrderId
    creator_id: CreatorId
    viewer_id: ViewerId
    merchant_id: str
    platform: str
    state: OrderState
    created_at_ms: int
    paid_at_ms: int | None
    payable_fen: int
    goods_paid_fen: int
    shipping_fen: int
    refunded_goods_fen: int
    refunded_extras_fen: int
    commission_rate: int
    service_fee_rate: int
    subsidies: dict[str, int]
    packets_used_fen: int
    packets: tuple[UsedPacket, ...]
    purchase: BookedPurchase | None = None

    @property
    def refunded_fen(self) -> int:
        """Return the total that was refunded."""
        return self.refunded_goods_fen + self.refunded_extras_fen

    @property
    def over(self) -> bool:
        """Tell whether nothing can move in this order any more."""
        return self.state in (OrderState.CANCELLED, OrderState.REFUNDED, OrderState.FINAL)
