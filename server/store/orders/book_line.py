"""The books' line of an order: all data that the audit needs to explain every fen of it."""

from collections.abc import AsyncIterator
from typing import Any

from server.core.ids import CreatorId, OrderId, home_of
from server.core.orders.discount import RED_PACKETS, DiscountKind, Funder
from server.core.orders.order import Order
from server.core.rulebooks.rulebook import Rulebook
from server.store import keys
from server.store.connection import Store
from server.store.orders.order_record import Deal, OrderRecord, record_of

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
        "purchase": _purchase(order, deal),
    }


def rulebook_line(rulebook: Rulebook) -> Line:
    """Return the limits of a platform from which the prices of its orders follow."""
    return {
        "kind": "rulebook",
        "platform": rulebook.platform,
        **{name: [*map(str, getattr(rulebook, name))] for name in _ORDERS},
        **{name: sorted(map(str, getattr(rulebook, name))) for name in _SETS},
        **{name: getattr(rulebook, name) for name in _NUMBERS},
    }


def _purchase(order: Order, deal: Deal) -> Line:
    """Return all that the price of an order follows from, its deductions line by line, and its refunds."""
    quote = order.quote
    purchase = quote.purchase
    return {
        "client": str(purchase.client),
        "cart_merged": purchase.cart_merged,
        "traits": sorted(map(str, purchase.traits)),
        "service_fee_fen": purchase.service_fee_fen,
        "lines": [
            {
                **{name: getattr(line, name) for name in _OF_LINE},
                "goods": None if line.goods is None else str(line.goods),
                "entrance": str(line.entrance),
            }
            for line in purchase.lines
        ],
        "discounts": [
            {
                **{name: getattr(discount, name) for name in _OF_DISCOUNT},
                "kind": str(discount.kind),
                "line_ids": None if discount.line_ids is None else sorted(discount.line_ids),
            }
            for discount in deal.discounts
        ],
        "deductions": [
            {"discount_id": each.discount_id, "kind": str(each.kind), "by_line": [*each.by_line]}
            for each in quote.deductions
        ],
        "paid_by_line": [*quote.paid_by_line],
        "refunds": [
            {"refund_id": each.refund_id, "by_line": {**each.by_line}, "extras_fen": each.extras_fen}
            for each in order.refunds
        ],
    }


_ORDERS = ("parallel_order", "best_of_shop", "fund_order")
_SETS = ("use_clients", "use_entrances", "goods_excluded", "orders_excluded")
_NUMBERS = (
    "cart_merge_allowed",
    "packets_per_order_max",
    "creator_packets_per_order_max",
    "item_level_reversal",
    "service_fee_includes_shipping",
    "base_includes_platform_packets",
)
_OF_LINE = ("line_id", "product_id", "list_price_fen", "quantity", "flash_price_fen", "creator_id")
_OF_DISCOUNT = ("discount_id", "amount_fen", "pay_permille", "threshold_fen", "threshold_count")
