"""Packets that a buyer names: all are used, or the order is refused with what speaks against one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from server.core.orders.asset import Asset, AssetState
from server.core.orders.purchase import App
from server.core.orders.selection import ASSET_IDS_MAX, check_named, exact_quote, owned
from server.core.orders.stacking import best_quote
from server.core.refusal import Refused
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB
from server.core.rulebooks.rulebook import Rulebook
from tests.core.shopping import DAY, LI, NOW, WANG, a_line, a_packet, a_purchase, in_state

GOODS = a_purchase(10_000)
CART = a_purchase(a_line("l0", 5_000), a_line("l1", 5_000, creator_id=WANG))


def test_all_that_is_named_is_used() -> None:
    """Also where fewer would do, as long as each takes something off; the one that expires first is used up first."""
    late, soon = a_packet("li.p1:0", 900), a_packet("li.p2:0", 500, use_end_at_ms=NOW + 5)
    quote, choice = exact_quote(a_purchase(800), (), (late, soon), NOW, DOUYIN)
    assert [(each.discount_id, each.amount_fen) for each in quote.deductions] == [("li.p2:0", 500), ("li.p1:0", 300)]
    assert choice.deduction_fen == 800
    assert [asset for asset, _ in choice.used] == [soon, late]
    assert len(best_quote(a_purchase(800), (), (late, soon), NOW, DOUYIN)[1].used) == 1


def test_none_named_is_none_used() -> None:
    """The price is then the price."""
    quote, choice = exact_quote(GOODS, (), (), NOW, DOUYIN)
    assert (quote.payable_fen, choice.used) == (10_000, ())


MANY = [a_packet(f"li.p{n}:0", 10) for n in range(11)]
REFUSED: list[tuple[Any, Sequence[Asset], Rulebook, str, str]] = [
    (GOODS, [in_state(a_packet("li.p:0", 5), AssetState.LOCKED)], DOUYIN, "not_available", ""),
    (GOODS, [replace(a_packet("li.p:0", 5), use_start_at_ms=NOW + 1)], DOUYIN, "not_yet_valid", "DY-USE-2"),
    (GOODS, [a_packet("li.p:0", 5, use_end_at_ms=NOW)], DOUYIN, "expired", "DY-USE-2"),
    (replace(GOODS, client=App.OTHER), [a_packet("li.p:0", 5)], DOUYIN, "wrong_client", "DY-USE-1"),
    (replace(GOODS, cart_merged=True), [a_packet("li.p:0", 5)], DOUYIN, "cart_merged", "DY-USE-4"),
    (GOODS, [a_packet("wang.p:0", 5, creator_id=WANG)], DOUYIN, "out_of_scope", "DY-USE-3"),
    (CART, [a_packet("li.p:0", 5), a_packet("wang.p:0", 5, creator_id=WANG)], LAB, "other_creator", "DY-STK-5"),
    (CART, [a_packet("li.p:0", 5)], DOUYIN, "cart_merged", "DY-USE-4"),
    (GOODS, [replace(a_packet("li.p:0", 5), platform="lab")], DOUYIN, "other_platform", "AMB-44"),
    (GOODS, MANY, DOUYIN, "too_many", "DY-STK-2"),
    (replace(GOODS, client=App.KUAISHOU), MANY[:2], KUAISHOU, "too_many", "KS-STK-3"),
    (a_purchase(10), [*MANY[:2]], DOUYIN, "not_needed", "AMB-16"),
]


@pytest.mark.rule("DY-STK-2")
@pytest.mark.rule("DY-STK-5")
@pytest.mark.rule("KS-STK-3")
@pytest.mark.parametrize(("purchase", "assets", "rulebook", "code", "rule"), REFUSED, ids=lambda it: str(it)[:15])
def test_what_may_not_be_used_is_refused_by_its_rule(
    purchase: Any, assets: Sequence[Asset], rulebook: Rulebook, code: str, rule: str
) -> None:
    """The refusal names the packet, the reason and the rule."""
    with pytest.raises(Refused) as refused:
        exact_quote(purchase, (), assets, NOW, rulebook)
    assert (refused.value.code, refused.value.rule, refused.value.field) == (code, rule, "asset_ids")
    assert any(asset.asset_id in refused.value.detail for asset in assets)


def test_ten_of_one_creator_and_the_platform_go_together() -> None:
    """The limit counts both (DY-STK-2), and the platform's are nobody's rivals (DY-STK-3)."""
    whole = a_packet("platform.p:0", 10, creator_id=None, use_end_at_ms=NOW + DAY)
    _, choice = exact_quote(GOODS, (), [*MANY[:9], whole], NOW, DOUYIN)
    assert choice.deduction_fen == 100
    assert {asset.creator_id for asset, _ in choice.used} == {LI, None}


@pytest.mark.parametrize(
    ("asset_ids", "code"),
    [(["li.p:0", "li.p:0"], "repeated"), ([f"li.p:{n}" for n in range(ASSET_IDS_MAX + 1)], "out_of_range")],
)
def test_a_packet_is_named_once_and_not_too_many_are(asset_ids: list[str], code: str) -> None:
    """As many as may be named are no error."""
    check_named([f"li.p:{n}" for n in range(ASSET_IDS_MAX)])
    with pytest.raises(Refused) as refused:
        check_named(asset_ids)
    assert (refused.value.code, refused.value.field) == (code, "asset_ids")


@pytest.mark.rule("ALL-ELG-1")
def test_what_is_named_must_be_the_viewers() -> None:
    """It comes back in the order in which it was named; one that is not there refuses all."""
    one, two = a_packet("li.p1:0", 900), a_packet("li.p2:0", 500)
    assert owned(["li.p2:0", "li.p1:0"], [one, two]) == [two, one]
    with pytest.raises(Refused) as refused:
        owned(["li.p1:0", "li.none:0"], [one, two])
    assert (refused.value.code, refused.value.rule) == ("not_yours", "ALL-ELG-1")
