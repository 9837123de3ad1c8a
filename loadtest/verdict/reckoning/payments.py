"""Payments: the fen that an order moves between accounts in its whole life (rules, sections 9, 10 and 15)."""

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction

from loadtest.record.book_orders import BookedOrder, BookedRulebook
from loadtest.verdict.reckoning.portions import half_up
from loadtest.verdict.reckoning.prices import PACKET_KINDS, OwnPrice
from loadtest.verdict.reckoning.returns import Refunded
from loadtest.verdict.reckoning.usable import OrderCase

PAYERS = {
    "flash_price": "merchant",
    "shop_coupon": "merchant",
    "full_reduction": "merchant",
    "full_percent_off": "merchant",
    "multi_item_discount": "merchant",
    "streamer_coupon_packet": "creator",
    "creator_coupon": "creator",
    "platform_coupon": "platform",
    "gold_coin": "platform",
    "cash_subsidy": "platform",
    "consumption_credit": "unstated",
}
"""The party that bears each kind of discount (KS-PRC-1 to KS-PRC-3, KS-SET-1); a packet's creator bears a packet."""

Payments = Counter[tuple[str, str]]
"""Fen by the accounts debited and credited."""


def subsidies_of(price: OwnPrice) -> dict[str, int]:
    """Return what others than the merchant bear besides red packets, by payer (DY-SET-5)."""
    sums = dict.fromkeys(("creator", "platform", "unstated"), 0)
    for kind, by_line in price.deductions.values():
        if PAYERS.get(kind) in sums:
            sums[PAYERS[kind]] += sum(by_line)
    return sums


def commission_and_fee(
    order: BookedOrder, price: OwnPrice, kept_goods_fen: int, rulebook: BookedRulebook
) -> tuple[int, int]:
    """Return commission and service fee, each of the price before red packets, rounded half up (DY-SET-1, DY-SET-2)."""
    counted = PACKET_KINDS if rulebook.base_includes_platform_packets else {"creator_packet"}
    base_fen = kept_goods_fen + price.taken_fen(*counted)
    fee_base_fen = base_fen + (order.shipping_fen if rulebook.service_fee_includes_shipping else 0)
    return (
        half_up(base_fen * Fraction(order.commission_rate, 10_000)),
        half_up(fee_base_fen * Fraction(order.service_fee_rate, 10_000)),
    )


def payments_of(case: OrderCase, price: OwnPrice, back: Refunded, states: Mapping[str, str]) -> Payments:
    """Return all movements of an order by now, with *states* as those of its packets."""
    order, purchase, packets, rulebook = case
    payments: Payments = Counter()
    buyer, clearing = f"buyer:{order.viewer_id}", f"clearing:{order.order_id}"
    merchant = f"merchant:{order.merchant_id}"
    goods_fen, paid, final = sum(price.paid_by_line), order.paid_at_ms is not None, order.state == "final"
    if paid:
        payable_fen = goods_fen + order.shipping_fen + purchase.service_fee_fen
        payments[buyer, clearing] += payable_fen
        payments[clearing, buyer] += back.before_fen + back.after_fen
        if final or order.state == "refunded":
            payments[clearing, merchant] += payable_fen - back.before_fen
        payments[merchant, clearing] += back.after_fen
    for packet in packets:
        packet_id, used_fen = packet.asset_id.rpartition(":")[0], price.of(packet.asset_id)
        payments[f"assets:{packet_id}", f"locked:{packet_id}"] += packet.face_fen
        if paid:
            payments[f"locked:{packet_id}", f"redeemed:{packet_id}"] += packet.face_fen
        place = f"redeemed:{packet_id}" if paid else f"locked:{packet_id}"
        if states[packet.asset_id] == "available":
            payments[place, f"assets:{packet_id}"] += packet.face_fen
        elif states[packet.asset_id] == "expired_returned":
            payments[place, f"reversing:{packet.creator_id}"] += packet.face_fen
        elif final:
            payments[place, merchant] += used_fen
            payments[place, f"reversing:{packet.creator_id}"] += packet.face_fen - used_fen
    if final:
        for payer, fen in subsidies_of(price).items():
            payments[f"subsidy:{order.creator_id if payer == 'creator' else payer}", merchant] += fen
        commission_fen, fee_fen = commission_and_fee(order, price, goods_fen - back.goods_fen, rulebook)
        payments[merchant, f"commission:{order.creator_id}"] += commission_fen
        payments[merchant, "service:platform"] += fee_fen
    return +payments
