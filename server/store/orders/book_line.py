"""The books' line of an order: all data that the audit needs to explain every fen of it."""

from collections.abc import AsyncIterator
from typing import Any

from server.core.ids import CreatorId, OrderId, home_of
from server.core.orders.discount import RED_PACKETS, DiscountKind, Funder
from server.store import keys
from server.store.connection import Store
from server.store.orders.order_record import OrderRecord, record_of

Line = dict[str, Any]


async def order_lines(store: Store, creator_id: CreatorId) -> AsyncIterator[Line]:
    """Yield a line for every order whose home is the creator, oldest first; abandoned ones have none."""
    found: Any = await store.redis.zrange(keys.orders(creator_id), 0, -1)
    for name in found:
        order_id = OrderId(name.decode())
        if home_of(order_id) == creator_id:
            fields: Any = await store.redis.hgetall(keys.order(creator_id, order_id))
            if (record := record_of(fields)) is not None:
                yield order_line(record)


def order_line(record: OrderRecord) -> Line:
    """Return an order's line: amounts in fen, instants in room ms, rates in hundredths of a percent."""
    order, deal = record.order, record.deal
    quote, used = order.quote, {packet.asset_id: packet.used_fen for packet in order.packets}
    borne = quote.by_funder()
    return {
        "kind": "order",
        "order_id": record.order_id,
        "creator_id": record.home,
        "viewer_id": order.viewer_id,
        "merchant_id": deal.merchant_id,
        "platform": deal.platform,
        "state": str(order.state),
        "created_at_ms": record.created_at_ms,
        "paid_at_ms": order.paid_at_ms,
        "payable_fen": quote.payable_fen,
        "goods_paid_fen": quote.goods_paid_fen,
        "shipping_fen": quote.purchase.shipping_fen,
        "refunded_goods_fen": sum(order.refunded_by_line.values()),
        "refunded_extras_fen": sum(refund.extras_fen for refund in order.refunds),
        "commission_rate": deal.rates.commission,
        "service_fee_rate": deal.rates.service_fee,
        "subsidies": {
            "creator": borne[Funder.CREATOR] - quote.deducted_fen(DiscountKind.CREATOR_PACKET),
            "platform": borne[Funder.PLATFORM] - quote.deducted_fen(DiscountKind.PLATFORM_PACKET),
            "unstated": borne[Funder.UNSTATED],
        },
        "packets_used_fen": quote.deducted_fen(*RED_PACKETS),
        "packets": [
            [asset.asset_id, asset.face_fen, used[asset.asset_id], str(asset.state)] for asset in record.assets
        ],
    }
