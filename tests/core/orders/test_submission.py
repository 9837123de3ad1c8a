"""Submissions: the same fields are the same submission in every process."""

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from server.core.ids import PLATFORM, ViewerId
from server.core.orders.discount import Discount, DiscountKind
from server.core.orders.purchase import OrderTrait
from server.core.orders.submission import Submission, check_discounts, home_for, order_platform
from server.core.refusal import Refused
from tests.store.shop import ANNA, LI, RATES, WANG, a_line, a_purchase

DIGESTED = """
from tests.core.orders.test_submission import ASKED
print(ASKED.digest())
"""
ASKED = Submission(
    ANNA,
    replace(a_purchase(5, 6, 7), traits=frozenset(OrderTrait)),
    (Discount("x", DiscountKind.SHOP_COUPON, amount_fen=5, line_ids=frozenset({"l0", "l1", "l2"})),),
    "lab",
    RATES,
    "shop",
    "k",
    ("li.p:0", "li.p:1"),
    7,
)


def test_a_submission_has_the_same_digest_in_every_process() -> None:
    """The digest does not depend on the order of sets, which differs between processes."""
    told = {
        subprocess.run(
            [sys.executable, "-c", DIGESTED],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2", "3")
    }
    assert told == {ASKED.digest()}


@pytest.mark.parametrize(
    "change",
    [
        {"viewer_id": ViewerId("bob")},
        {"purchase": a_purchase(5, 6, 8)},
        {"discounts": ()},
        {"platform": "douyin"},
        {"rates": replace(RATES, commission=1)},
        {"merchant_id": "other"},
        {"transfer_id": "l"},
        {"asset_ids": ("li.p:0",)},
        {"asset_ids": None},
        {"asset_ids": ()},
        {"expected_payable_fen": None},
    ],
    ids=str,
)
def test_every_word_of_a_submission_counts(change: dict[str, Any]) -> None:
    """Another word is another submission."""
    assert replace(ASKED, **change).digest() != ASKED.digest()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"viewer_id": ViewerId("a,b")}, "viewer_id"),
        ({"merchant_id": "a;b"}, "merchant_id"),
        ({"discounts": ASKED.discounts * 2}, "discounts"),
    ],
)
def test_words_that_would_break_a_journal_are_refused(change: dict[str, Any], field: str) -> None:
    """Ids stand in accounts and postings, which have separators of their own."""
    ASKED.check()
    with pytest.raises(Refused) as refused:
        replace(ASKED, **change).check()
    assert refused.value.field == field


def test_discounts_are_no_packets() -> None:
    """Neither by their kind nor by their id."""
    check_discounts(ASKED.discounts)
    for wrong in (
        Discount("x", DiscountKind.PLATFORM_PACKET, amount_fen=5),
        Discount("platform.p:0", DiscountKind.GOLD_COIN, amount_fen=5),
    ):
        with pytest.raises(Refused, match="packet"):
            check_discounts([wrong])


def test_an_order_lives_with_whose_packets_it_names() -> None:
    """Else with the first line's creator, else with the platform."""
    lines = a_purchase(a_line("l0", 1, None), a_line("l1", 1, WANG), a_line("l2", 1))
    assert home_for(lines, ("platform.p:1", "li.p:0")) == LI
    assert home_for(lines, ("platform.p:1",)) == WANG
    assert home_for(a_purchase(a_line("l0", 1, None)), ("platform.p:1",)) == PLATFORM
    assert home_for(a_purchase(a_line("l0", 1, None)), ()) == PLATFORM


def test_the_order_of_named_packets_does_not_count() -> None:
    """They are the same packets; another one more is another submission."""
    turned = replace(ASKED, asset_ids=("li.p:1", "li.p:0"))
    assert (turned, turned.digest()) == (ASKED, ASKED.digest())


def test_a_price_that_has_changed_is_refused() -> None:
    """By a fen; who names none takes what it costs."""
    ASKED.check_price(7)
    replace(ASKED, expected_payable_fen=None).check_price(8)
    with pytest.raises(Refused, match="8 fen") as refused:
        ASKED.check_price(8)
    assert (refused.value.code, refused.value.field) == ("price_changed", "expected_payable_fen")


@pytest.mark.rule("DY-USE-3")
@pytest.mark.rule("KS-USE-1")
def test_an_order_has_the_platform_of_its_lines_creators() -> None:
    """Unless it names one; several or none are no answer (AMB-44)."""
    assert order_platform("lab", ["douyin", "kuaishou"]) == "lab"
    assert order_platform(None, ["douyin", None, "douyin"]) == "douyin"
    for unknown in ([], [None], ["douyin", "kuaishou"]):
        with pytest.raises(Refused) as refused:
            order_platform(None, unknown)
        assert (refused.value.code, refused.value.field) == ("bad_field", "platform")
