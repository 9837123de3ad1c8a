"""The audit of prices: sound orders pass whatever became of them, and each fen of a wrong one is found."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from server.core.orders.discount import NATURE
from tests.loadtest.verdict.reckoning.sold import FATES, PLATFORMS, SoldOrders, sold
from tests.planted import prices as wrong


@pytest.mark.rule("DY-SET-2")
@pytest.mark.rule("AMB-52")
@pytest.mark.parametrize("platform", [*PLATFORMS])
def test_what_the_server_sells_is_worked_out_alike(platform: str) -> None:
    """Two implementations of the rules agree on random orders: prices, lines, payers, refunds, packets, settlement."""
    assert sold(Random(f"sound {platform}"), count=60, platform=platform).faults() == []


@pytest.mark.parametrize("fate", FATES)
def test_every_fate_of_an_order_is_worked_out_alike(fate: str) -> None:
    """Also with packets that expired before they came back."""
    books = sold(Random(f"sound {fate}"), count=30, fate=fate)
    assert books.faults() == []
    assert len({order["state"] for order in books.orders}) <= 2


@pytest.fixture
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo at the end of the test what a planted bug replaces."""
    for place, name in wrong.PATCHED:
        monkeypatch.setattr(place, name, getattr(place, name))
    for kind, nature in NATURE.items():
        monkeypatch.setitem(NATURE, kind, nature)


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (wrong.short_platform_coupon, "of all lines should come to"),
        (wrong.commission_rounded_up, "merchant:shop should give commission:li"),
        (wrong.first_line_first, "line by line should come to"),
        (wrong.odd_fen_to_the_later_line, "line by line should come to"),
        (wrong.refund_a_fen_more, "should give buyer:anna"),
        (wrong.merchant_pays_the_platforms_coupon, "the part of the platform should come to"),
    ],
)
def test_a_planted_bug_in_the_recorded_books_is_found(plant: Callable[[], None], said: str) -> None:
    """Quote, order, books and journal are wrong alike, and so agree with each other."""
    plant()
    faults = sold(Random(8), count=60).faults()
    assert any(said in fault for fault in faults), faults


def sold_with_a_packet(fate: str) -> SoldOrders:
    """Return the books of one order with a packet whose buyer paid for goods, too."""
    seeds = (sold(Random(f"packet {seed}"), fate=fate, platform="douyin") for seed in range(1_000))
    return next(books for books in seeds if books.orders[0]["packets"] and books.orders[0]["goods_paid_fen"] > 100)


def _another_viewer(books: SoldOrders) -> None:
    books.journal[0]["claims"][0][0] = "bob"


def _another_platform(books: SoldOrders) -> None:
    books.packets[0]["platform"] = "kuaishou"


def _another_face(books: SoldOrders) -> None:
    books.journal[0]["claims"][0][2] += 5


def _kept_by_the_order(books: SoldOrders) -> None:
    books.orders[0]["packets"][0][3] = "redeemed"


def _merchant_of_another_name(books: SoldOrders) -> None:
    for posting in books.postings("finish"):
        posting[1] = posting[1].replace("merchant:shop", "merchant:own")


def _refund_of_a_line_twice(books: SoldOrders) -> None:
    refunds = books.orders[0]["purchase"]["refunds"]
    refunds.append({**refunds[-1], "refund_id": "again"})


def _paid_line_less(books: SoldOrders) -> None:
    books.orders[0]["purchase"]["paid_by_line"][0] -= 1


def _thousands_of_lines(books: SoldOrders) -> None:
    books.orders[0]["purchase"]["lines"] *= 1_001


@pytest.mark.parametrize(
    ("change", "fate", "said"),
    [
        (_another_viewer, "paid", "belongs to bob"),
        (_another_platform, "paid", "is a packet of kuaishou"),
        (_another_face, "paid", "the face of"),
        (_kept_by_the_order, "full", "should be"),
        (_merchant_of_another_name, "final", "should give merchant:shop"),
        (_refund_of_a_line_twice, "full", "more than was paid and is left"),
        (_paid_line_less, "paid", "the payment for each line should come to"),
        (_thousands_of_lines, "paid", "more packets, lines, discounts or refunds than any order"),
    ],
)
def test_a_single_wrong_figure_is_found(change: Callable[[Any], None], fate: str, said: str) -> None:
    """In the order's line, the journal or the packets."""
    books = sold_with_a_packet(fate)
    assert books.faults() == []
    change(books)
    assert any(said in fault for fault in books.faults()), books.faults()


@pytest.mark.parametrize("lost", ["rulebook", "purchase", "claim"])
def test_an_order_that_does_not_say_what_it_was_priced_from_is_not_worked_out(lost: str) -> None:
    """Books of an earlier version, of an unknown platform, or whose claims were retired: the other checks remain."""
    books = sold_with_a_packet("paid")
    books.orders[0]["payable_fen"] += 1
    assert len(books.faults()) > 1
    if lost == "rulebook":
        books.orders[0]["platform"] = "elsewhere"
    elif lost == "purchase":
        del books.orders[0]["purchase"]
    else:
        books.journal = [entry for entry in books.journal if entry["movement"] != "claim"]
    assert [fault for fault in books.faults() if "the buyer's payment should come to" not in fault] == []
