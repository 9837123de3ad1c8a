"""An order in the final books: its terms and its outcome."""

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


class BookedOrder(NamedTuple):
    """
    One order at the end; amounts in fen, rates in hundredths of a percent.

    ``subsidies`` are the amounts paid by others than the merchant besides red packets, by payer.
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

    @property
    def refunded_fen(self) -> int:
        """Return the total that was refunded."""
        return self.refunded_goods_fen + self.refunded_extras_fen

    @property
    def over(self) -> bool:
        """Tell whether nothing can move in this order any more."""
        return self.state in (OrderState.CANCELLED, OrderState.REFUNDED, OrderState.FINAL)
