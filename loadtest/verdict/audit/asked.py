"""Asked for (A10): the books' orders and refunds are those that buyers asked for, to the line and the fen."""

from collections.abc import Iterator

from client_sim.buyer import Deed
from loadtest.record.book_orders import BookedOrder, BookedPurchase, OrderedLine
from loadtest.record.books import Books
from loadtest.record.sales import AnswerRecord, OrderAsked, Sales
from loadtest.record.shape import evidence_of
from loadtest.verdict.audit.violation import Findings


def check_asked_for(findings: Findings, sales: Sales, books: Books) -> None:
    """Check every order and refund that a buyer asked for and got, where the books say what an order is made of."""
    for answer in sales.answers:
        order = None if answer.order_id is None else books.orders.get(answer.order_id)
        if answer.code or order is None or order.purchase is None:
            continue
        for name in _differing(answer, order, order.purchase):
            text = f"the {name} of order {order.order_id} is not what {answer.viewer_id} asked for"
            findings.add("A10", "", f"asked {name}", text, evidence_of("answer", answer), evidence_of("order", order))


def _differing(answer: AnswerRecord, order: BookedOrder, purchase: BookedPurchase) -> Iterator[str]:
    """Yield the names of the parts that differ."""
    if answer.deed is Deed.REFUND:
        booked = [
            sum(refund.by_line.values()) + refund.extras_fen
            for refund in purchase.refunds
            if refund.refund_id == answer.name
        ]
        if booked != [answer.asked_fen]:
            yield f"refund {answer.name}"
    if answer.deed is Deed.ORDER and answer.asked is not None:
        for name, asked, found in _parts(answer.asked, order, purchase):
            if asked != found:
                yield name


def _parts(asked: OrderAsked, order: BookedOrder, purchase: BookedPurchase) -> Iterator[tuple[str, object, object]]:
    """Yield each part of an order as it was asked for, and as the books have it."""
    yield "app", asked.client, purchase.client
    yield "merchant", asked.merchant_id, order.merchant_id
    yield "goods", [*map(_unclassified, asked.lines)], [*map(_unclassified, purchase.lines)]
    yield "discounts", [*asked.discounts], [*purchase.discounts]
    yield "packets", sorted(asked.asset_ids), sorted(use.asset_id for use in order.packets)
    yield "shipping", asked.shipping_fen, order.shipping_fen
    yield "service fee", asked.service_fee_fen, purchase.service_fee_fen
    rates = asked.commission_rate, asked.service_fee_rate
    yield "rates", rates, (order.commission_rate, order.service_fee_rate)


def _unclassified(line: OrderedLine) -> OrderedLine:
    """Return a line without the kind of its goods, which the server looks up."""
    return line._replace(goods=None)
