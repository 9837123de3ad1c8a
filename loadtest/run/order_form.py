"""Order forms: the request bodies that buyers send to the shop."""

from random import Random
from typing import Any

import orjson

from client_sim.buyer import Act, Errand, refund_of
from loadtest.record.sales import OrderAsked
from loadtest.record.shape import Shape
from loadtest.scenarios.shop import Shop
from server.core.ids import RoomId


def discount_forms(shop: Shop, rng: Random) -> list[dict[str, Any]]:
    """Return the discounts that one buyer has besides packets."""
    return [
        {
            "discount_id": f"{offer.kind}-{number}",
            **offer.model_dump(exclude={"share"}, exclude_none=True, mode="json"),
        }
        for number, offer in enumerate(shop.discounts)
        if rng.random() < offer.share
    ]


def purchase_form(errand: Errand, shop: Shop, discounts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the body that asks for a quote of an errand's basket."""
    won = errand.won
    return {
        "viewer_id": won.viewer_id,
        "platform": won.platform,
        "client": shop.client_on(won.platform),
        "lines": [
            {
                "line_id": line.line_id,
                "product_id": line.product_id,
                "list_price_fen": line.price_fen,
                "quantity": line.quantity,
                "creator_id": won.creator_id,
                "entrance": shop.entrance,
            }
            for line in errand.basket
        ],
        "shipping_fen": shop.shipping_fen,
        "service_fee_fen": shop.service_fee_fen,
        "discounts": discounts,
    }


def order_form(purchase: dict[str, Any], quote: dict[str, Any], shop: Shop, room_id: RoomId) -> dict[str, Any]:
    """Return the body that orders a purchase with the packets and the sum of a quote."""
    return {
        **purchase,
        "merchant_id": shop.merchant_id,
        "commission_rate": shop.commission_rate,
        "service_fee_rate": shop.service_fee_rate,
        "asset_ids": quote["asset_ids"],
        "expected_payable_fen": quote["payable_fen"],
        "room_id": room_id,
    }


def asked_by(form: dict[str, Any]) -> OrderAsked:
    """Return the order that a form asks for, as the sales record it."""
    return _ASKED.read(orjson.loads(orjson.dumps(form)))


def refund_form(order: dict[str, Any], act: Act) -> dict[str, Any]:
    """Return the refund of an order in its last known state; ``by_line`` is empty if nothing can be refunded."""
    quote = order["quote"]
    paid = {line["line_id"]: line["paid_fen"] for line in quote["lines"]}
    extras_fen = quote["shipping_fen"] + quote["service_fee_fen"] if act.extras else 0
    return {
        "refund_id": act.name,
        "by_line": refund_of(act, paid, order["refunded_by_line"]),
        "extras_fen": extras_fen,
    }


_ASKED = Shape(OrderAsked)
