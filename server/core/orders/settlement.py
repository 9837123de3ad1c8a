"""
Settlement: the final amounts of creator, platform and merchant from a paid order.

Commission, service fee and merchant's amount are all based on the price before red packets (DY-SET-1 to DY-SET-3): the
buyer's payment for the goods minus refunds, plus the packets used. Each is rounded half-up once per order; the merchant
gets the rest, so that the cash always balances (AMB-19, invariant I10).
"""

from dataclasses import dataclass

from server.core.money.money import half_up
from server.core.orders.discount import RED_PACKETS, DiscountKind, Funder
from server.core.orders.order import Order, OrderState
from server.core.orders.pricing import Quote
from server.core.refusal import Refused
from server.core.rulebooks.rulebook import Rulebook

PER_WHOLE = 10_000  # rates are in hundredths of a percent


@dataclass(frozen=True, slots=True)
class Rates:
    """The creator's commission and the platform's service fee, in hundredths of a percent, together at most 100 %."""

    commission: int
    service_fee: int

    def __post_init__(self) -> None:
        assert self.commission >= 0
        assert self.service_fee >= 0
        assert self.commission + self.service_fee <= PER_WHOLE


@dataclass(frozen=True, slots=True)
class Settlement:
    """
    Each party's amount of one order, in fen; a net may be negative, because creator and platform pay for their packets.

    ``subsidies_fen`` is the sum of discounts, other than red packets, not funded by the merchant; it goes to the
    merchant but is in no base (DY-SET-5, AMB-33). Shipping goes to the merchant in full and is in no figure here.
    """

    base_fen: int
    commission_fen: int
    service_fee_fen: int
    subsidies_fen: int
    merchant_net_fen: int
    creator_net_fen: int
    platform_net_fen: int

    @property
    def merchant_gross_fen(self) -> int:
        """Return the merchant's amount before commission and fee are deducted (DY-SET-3)."""
        return self.base_fen


def settle(
    quote: Quote, rates: Rates, rulebook: Rulebook, *, refunded_fen: int = 0, packets_returned: bool = False
) -> Settlement:
    """
    Settle a paid order of which *refunded_fen* of the goods were paid back.

    A partial refund leaves the packets used and in the base (DY-SET-6, AMB-39); a full one returns them, and with
    *packets_returned* nobody gets anything. The creator whose packets were used earns the commission. Raises Refused
    ``out_of_range`` if more was refunded than paid.
    """
    if not 0 <= refunded_fen <= quote.goods_paid_fen:
        raise Refused("out_of_range", f"must be from 0 to {quote.goods_paid_fen}", field="refunded_fen")
    if packets_returned:
        assert refunded_fen == quote.goods_paid_fen
        return Settlement(0, 0, 0, 0, 0, 0, 0)
    kept_fen = quote.goods_paid_fen - refunded_fen
    base_kinds = RED_PACKETS if rulebook.base_includes_platform_packets else {DiscountKind.CREATOR_PACKET}
    base_fen = kept_fen + quote.deducted_fen(*base_kinds)
    borne = quote.by_funder()
    given_fen = borne[Funder.CREATOR] + borne[Funder.PLATFORM] + borne[Funder.UNSTATED]
    subsidies_fen = given_fen - quote.deducted_fen(*base_kinds)

    commission_fen = half_up(base_fen * rates.commission, PER_WHOLE)
    fee_base_fen = base_fen + quote.purchase.shipping_fen * rulebook.service_fee_includes_shipping
    service_fee_fen = half_up(fee_base_fen * rates.service_fee, PER_WHOLE)
    settled = Settlement(
        base_fen,
        commission_fen,
        service_fee_fen,
        subsidies_fen,
        merchant_net_fen=base_fen + subsidies_fen - commission_fen - service_fee_fen,
        creator_net_fen=commission_fen - borne[Funder.CREATOR],
        platform_net_fen=service_fee_fen - borne[Funder.PLATFORM],
    )
    nets_fen = settled.merchant_net_fen + settled.creator_net_fen + settled.platform_net_fen
    assert nets_fen == kept_fen + borne[Funder.UNSTATED]
    return settled


def settle_order(order: Order, rates: Rates, rulebook: Rulebook) -> Settlement:
    """Settle an order in its present state; one cancelled or refunded in full gives nobody anything."""
    if order.state is OrderState.CANCELLED:
        return Settlement(0, 0, 0, 0, 0, 0, 0)
    refunded_fen, returned = sum(order.refunded_by_line.values()), order.state is OrderState.REFUNDED
    return settle(order.quote, rates, rulebook, refunded_fen=refunded_fen, packets_returned=returned)


def estimated_commission(price_before_packets_fen: int, rates: Rates) -> int:
    """Return the commission of an order not yet settled, in fen: the base is the same (DY-SET-4)."""
    return half_up(price_before_packets_fen * rates.commission, PER_WHOLE)
