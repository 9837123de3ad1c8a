"""A viewer's service messages (服务消息): the steps of its orders' trails, refunds, and packets that came back."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from server.core.ids import OrderId
from server.core.orders.asset import Asset, AssetState
from server.core.orders.order import Order
from server.core.orders.trail import ServiceMessage

MESSAGES_MAX = 200  # of one viewer; older ones leave the inbox


class MessageKind(StrEnum):
    """The subject of a service message."""

    TRAIL = "trail"  # LT-3
    REFUNDED = "refunded"
    PACKET_RETURNED = "packet_returned"  # DY-CAN-1, DY-CAN-3
    PACKET_EXPIRED = "packet_expired"  # DY-CAN-2, DY-CAN-4


class InboxMessage(NamedTuple):
    """
    A service message about an order, at room time ``occurred_at_ms``.

    ``about`` is the step of the trail, the refund's id, or the packet's asset id; ``amount_fen`` the money refunded or
    the packet's face, 0 for a step.
    """

    kind: MessageKind
    order_id: OrderId
    about: str
    amount_fen: int
    occurred_at_ms: int


def of_trail(message: ServiceMessage) -> InboxMessage:
    """Return the message of a trail's step."""
    return InboxMessage(MessageKind.TRAIL, message.order_id, message.step, 0, message.occurred_at_ms)


def of_step(
    before: Order, after: Order, held: Sequence[Asset], left: Sequence[Asset], now_ms: int
) -> Iterator[InboxMessage]:
    """Yield the messages of an order's step: its refunds, and the packets that it *held* and has *left*."""
    order_id = OrderId(after.order_id)
    for refund in after.refunds[len(before.refunds) :]:
        amount_fen = sum(refund.by_line.values()) + refund.extras_fen
        yield InboxMessage(MessageKind.REFUNDED, order_id, refund.refund_id, amount_fen, now_ms)
    kinds = {
        AssetState.AVAILABLE: MessageKind.PACKET_RETURNED,
        AssetState.EXPIRED_RETURNED: MessageKind.PACKET_EXPIRED,
    }
    for was, became in zip(held, left, strict=True):
        if was.state is not became.state and became.state in kinds:
            yield InboxMessage(kinds[became.state], order_id, became.asset_id, became.face_fen, now_ms)
