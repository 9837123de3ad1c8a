"""Returns: the refunds of an order, and which of its packets come back, to whom (rules, sections 9 and 10)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from loadtest.verdict.reckoning.prices import OwnPrice
from loadtest.verdict.reckoning.usable import OrderCase, OwnedPacket


class Refunded(NamedTuple):
    """
    The refunds of an order as they ought to have worked.

    ``full_at`` is the number of the refund with which all goods were back (None: they are not), ``before_fen`` the sum
    of the refunds until then, and ``after_fen`` that of later ones, which come from the merchant (AMB-48). ``back_at``
    says with which refund each packet came back.
    """

    goods_fen: int
    extras_fen: int
    full_at: int | None
    before_fen: int
    after_fen: int
    back_at: Mapping[str, int]


def refunded(case: OrderCase, price: OwnPrice) -> Refunded:
    """
    Go through the refunds of an order in turn.

    They are full with the one that names the last line not yet refunded in full; a line that packets alone have paid
    for must be named too (AMB-21 to AMB-23). Packets come back then, or, where the platform says so, with their own
    lines.
    """
    order, purchase, _, rulebook = case
    paid = {line.line_id: fen for line, fen in zip(purchase.lines, price.paid_by_line, strict=True)}
    back: dict[str, int] = {}
    goods: dict[str, int] = {}
    full_at: int | None = None
    before_fen = after_fen = 0
    for number, refund in enumerate(purchase.refunds):
        fen = sum(refund.by_line.values()) + refund.extras_fen
        if full_at is not None:
            after_fen += fen
        else:
            before_fen += fen
        for line_id, amount_fen in refund.by_line.items():
            goods[line_id] = goods.get(line_id, 0) + amount_fen
        full = {line_id for line_id in paid if goods.get(line_id) == paid[line_id]}
        if full_at is None and full == paid.keys():
            full_at = number
        for use in order.packets:
            if use.asset_id not in back and (full_at is not None or rulebook.item_level_reversal):
                by_line = price.deductions.get(use.asset_id, ("", ()))[1]
                its = {line.line_id for line, taken_fen in zip(purchase.lines, by_line, strict=False) if taken_fen}
                if full_at is not None or its <= full:
                    back[use.asset_id] = number
    extras_fen = sum(refund.extras_fen for refund in purchase.refunds)
    return Refunded(sum(goods.values()), extras_fen, full_at, before_fen, after_fen, back)


def refund_faults(case: OrderCase, price: OwnPrice, found: Refunded) -> Iterator[str]:
    """Yield a sentence for every refund beyond what was paid, and if the order's state is not that of its refunds."""
    order, purchase = case.order, case.purchase
    left = {line.line_id: fen for line, fen in zip(purchase.lines, price.paid_by_line, strict=True)}
    for number, refund in enumerate(purchase.refunds):
        for line_id, fen in refund.by_line.items():
            left[line_id] = left.get(line_id, 0) - fen
            if fen < 0 or left[line_id] < 0:
                yield f"refund {refund.refund_id} takes {fen} fen of line {line_id}, more than was paid and is left"
        if found.full_at is not None and number > found.full_at and any(refund.by_line.values()):
            yield f"refund {refund.refund_id} is of goods, all of which were refunded before"
    extras_fen = order.shipping_fen + purchase.service_fee_fen
    if found.extras_fen > extras_fen:
        yield f"{found.extras_fen} fen of shipping and service fee were refunded, of {extras_fen}"
    if purchase.refunds and order.paid_at_ms is None:
        yield "it was refunded, but never paid"
    if (order.state == "refunded") != (found.full_at is not None):
        yield f"it is {order.state}, but {'not all' if found.full_at is None else 'all'} of its goods were refunded"


def state_of(case: OrderCase, packet: OwnedPacket, back: Refunded, steps: Sequence[int | None]) -> str:
    """
    Return the state in which an order leaves a packet: with the viewer, or expired and on its way to its funder.

    *steps* are the instants of the order's refunds, or of its cancellation, None where the journal does not tell: the
    books' word counts then. A packet whose validity is over by that instant goes to the funder (DY-CAN-1 to DY-CAN-4).
    """
    order, ends_at_ms = case.order, packet.use_end_at_ms
    if order.state == "submitted_unpaid":
        return "locked"
    at = 0 if order.state == "cancelled" else back.back_at.get(packet.asset_id)
    if at is None:
        return "redeemed"
    at_ms = steps[at] if at < len(steps) else None
    if at_ms is None:
        return next((str(use.state) for use in order.packets if use.asset_id == packet.asset_id), "available")
    return "expired_returned" if ends_at_ms is not None and at_ms >= ends_at_ms else "available"
