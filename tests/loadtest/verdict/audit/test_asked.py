"""The audit of what was asked for: the books' order is the buyer's, line by line, and so is each refund."""

from random import Random
from typing import Any

import pytest

from client_sim.buyer import Deed
from loadtest.record.books import Books
from loadtest.record.sales import AnswerRecord, OrderAsked, Sales
from loadtest.verdict.audit.asked import check_asked_for
from loadtest.verdict.audit.violation import Findings
from server.core.ids import OrderId
from tests.loadtest.record.test_sales import ANSWER
from tests.loadtest.verdict.reckoning.sold import sold


def asked_and_booked() -> tuple[AnswerRecord, AnswerRecord, Books]:
    """Return the answers to an order and to its first refund, and the books that have both."""
    seeds = (sold(Random(f"asked {seed}"), fate="part") for seed in range(1_000))
    books = next(one for one in seeds if one.orders[0]["purchase"]["refunds"] and one.orders[0]["packets"]).read()
    (order,) = books.orders.values()
    purchase = order.purchase
    assert purchase is not None
    asked = OrderAsked(
        purchase.client,
        order.merchant_id,
        tuple(line._replace(goods=None) for line in purchase.lines),
        purchase.discounts,
        tuple(use.asset_id for use in order.packets),
        order.shipping_fen,
        purchase.service_fee_fen,
        order.commission_rate,
        order.service_fee_rate,
    )
    (refund,) = purchase.refunds
    ordered = ANSWER._replace(order_id=order.order_id, deed=Deed.ORDER, asked=asked)
    sum_fen = sum(refund.by_line.values())
    return ordered, ordered._replace(deed=Deed.REFUND, name=refund.refund_id, asked_fen=sum_fen, asked=None), books


def faults(books: Books, *answers: AnswerRecord) -> list[str]:
    findings = Findings()
    check_asked_for(findings, Sales([*answers]), books)
    return [violation.detail for violation in findings.violations()]


def test_what_was_asked_for_is_booked() -> None:
    """A refused request, an order that nobody booked and an order of an older version have nothing to compare."""
    ordered, back, books = asked_and_booked()
    assert faults(books, ordered, back) == []
    wrong = ordered._replace(asked=None if ordered.asked is None else ordered.asked._replace(shipping_fen=9))
    assert faults(books, wrong._replace(code="price_changed"), wrong._replace(order_id=OrderId("li.x"))) == []
    (order,) = books.orders.values()
    books.orders[order.order_id] = order._replace(purchase=None)
    assert faults(books, wrong, back._replace(asked_fen=1)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"client": "other"}, "the app"),
        ({"merchant_id": "other"}, "the merchant"),
        ({"lines": ()}, "the goods"),
        ({"discounts": ("none",)}, "the discounts"),
        ({"asset_ids": ()}, "the packets"),
        ({"shipping_fen": 7}, "the shipping"),
        ({"service_fee_fen": 7}, "the service fee"),
        ({"commission_rate": 9_999}, "the rates"),
    ],
)
def test_an_order_of_other_things_is_found(change: dict[str, Any], said: str) -> None:
    """Each part by its name."""
    ordered, _, books = asked_and_booked()
    assert ordered.asked is not None
    (fault,) = faults(books, ordered._replace(asked=ordered.asked._replace(**change)))
    assert fault.startswith(f"{said} of order ")


def test_a_refund_of_another_amount_or_of_no_record_is_found() -> None:
    """To the fen."""
    _, back, books = asked_and_booked()
    assert back.asked_fen is not None
    (fault,) = faults(books, back._replace(asked_fen=back.asked_fen - 1))
    assert "the refund part of order" in fault
    (fault,) = faults(books, back._replace(name="another"))
    assert "the refund another of order" in fault
