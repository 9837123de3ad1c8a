"""A creation: each slip is refused by its rule, and what is not said is the rulebook's."""

from dataclasses import replace
from typing import Any

import pytest

from server.core.ids import PLATFORM, CreatorId
from server.core.orders.purchase import GoodsKind
from server.core.packets.creation import CreationRequest, granted_scope, granted_terms, platform_of
from server.core.packets.packet import Denomination, Terms
from server.core.refusal import Refused
from server.core.rulebooks.eligibility import EVERY_PERMISSION
from server.core.rulebooks.platforms import KUAISHOU, LAB
from server.core.rulebooks.rulebook import Rulebook

ASKED = CreationRequest(CreatorId("lin"), "rain", "lab", Denomination.RANDOM, 10, 1_000)
FIXED = replace(ASKED, denomination=Denomination.FIXED)


def granted(request: CreationRequest, rulebook: Rulebook) -> tuple[tuple[str, ...] | None, Terms]:
    return granted_scope(request, EVERY_PERMISSION, rulebook), granted_terms(request, rulebook)


def refusal(changes: dict[str, Any], rulebook: Rulebook = LAB) -> tuple[str, str, str]:
    with pytest.raises(Refused) as refused:
        granted(replace(ASKED, **changes), rulebook)
    return refused.value.code, refused.value.field, refused.value.rule


@pytest.mark.rule("ALL-CRE-1")
def test_a_name_has_so_many_characters() -> None:
    """One at least, and at most as many as the rulebook has; characters, not bytes."""
    longest = LAB.name_length_max
    for name in ("", " ", "\u3000", "rain\n", "\u202eniar", "雨" * (longest + 1)):
        assert refusal({"name": name}) == ("bad_field", "name", "ALL-CRE-1")
    for name in ("雨", "雨" * longest):
        assert granted_scope(replace(ASKED, name=name), EVERY_PERMISSION, LAB) is None


@pytest.mark.rule("ALL-CRE-2")
def test_a_fixed_denomination_has_one_face_value() -> None:
    """A fixed denomination ignores named bounds; a sum that share_count does not divide is refused."""
    for request in (FIXED, replace(FIXED, min_share_fen=5, max_share_fen=7)):
        assert granted_terms(request, LAB) == Terms(Denomination.FIXED, 10, 1_000, 100, 100)
    wrong = {"denomination": Denomination.FIXED, "total_fen": 999}
    assert refusal(wrong) == ("infeasible_denomination", "total_fen", "ALL-CRE-2")


@pytest.mark.rule("ALL-CRE-1")
def test_bounds_that_are_not_named_are_the_rulebooks() -> None:
    """The upper one never passes the sum; named ones are taken, also if the terms cannot be met with them."""
    assert granted_terms(ASKED, LAB) == Terms(Denomination.RANDOM, 10, 1_000, LAB.min_share_fen, 1_000)
    small = replace(LAB, max_share_fen=500, min_share_fen=3)
    assert granted_terms(ASKED, small) == Terms(Denomination.RANDOM, 10, 1_000, 3, 500)
    named = replace(ASKED, min_share_fen=90, max_share_fen=110)
    assert granted_terms(named, LAB) == Terms(Denomination.RANDOM, 10, 1_000, 90, 110)
    assert refusal({"max_share_fen": 99}) == ("infeasible_denomination", "total_fen", "ALL-CRE-2")
    assert refusal({"share_count": LAB.share_count_max + 1}) == ("out_of_range", "share_count", "ALL-CRE-1")


def test_validity_scope_and_goods_are_checked_in_this_order() -> None:
    """The first slip is told; the scope comes back each product once and in order."""
    wrong: dict[str, Any] = {"use_for_ms": 0, "product_ids": (), "goods": (GoodsKind.VIRTUAL,)}
    assert refusal(wrong, KUAISHOU) == ("out_of_range", "use_for_ms", "KS-CRE-1")
    assert refusal({**wrong, "use_for_ms": None}, KUAISHOU) == ("missing_field", "use_end_at_ms", "KS-CRE-1")
    assert refusal({**wrong, "use_for_ms": 1}, KUAISHOU) == ("out_of_range", "product_ids", "KS-CRE-2")
    assert refusal({"use_for_ms": 1, "goods": (*KUAISHOU.goods_not_configurable,)}, KUAISHOU) == (
        "not_configurable",
        "scope",
        "KS-ELG-2",
    )
    scoped = replace(ASKED, use_for_ms=1, product_ids=["b", "a", "b"])
    assert granted_scope(scoped, EVERY_PERMISSION, KUAISHOU) == ("a", "b")


@pytest.mark.rule("KS-ELG-1")
def test_who_is_not_eligible_is_told_that_first() -> None:
    """A creator that is not eligible is refused for that first, whatever else is wrong."""
    with pytest.raises(Refused) as refused:
        granted_scope(replace(ASKED, name=""), (), KUAISHOU)
    assert (refused.value.code, refused.value.rule) == ("not_eligible", "KS-ELG-1")


@pytest.mark.rule("DY-ELG-1")
@pytest.mark.rule("KS-ELG-1")
@pytest.mark.parametrize(
    ("named", "settled", "platform"),
    [
        (None, "douyin", "douyin"),
        ("douyin", "douyin", "douyin"),
        (None, None, "lab"),
        ("kuaishou", None, "kuaishou"),
        ("lab", "douyin", ""),
        ("kuaishou", "douyin", ""),
        ("douyin", "acme", ""),
    ],
)
def test_a_packet_takes_its_creators_platform(named: str | None, settled: str | None, platform: str) -> None:
    """Settled by the first recharge, and by nothing that a packet says (AMB-43)."""
    request = replace(ASKED, platform=named)
    if platform:
        assert platform_of(request, settled) == platform
        return
    with pytest.raises(Refused) as refused:
        platform_of(request, settled)
    assert (refused.value.code, refused.value.field) == ("other_platform", "platform")


def test_a_packet_of_the_platform_names_the_one_it_is_for() -> None:
    """It alone has no platform of its own (AMB-43)."""
    request = replace(ASKED, creator_id=PLATFORM, platform="kuaishou")
    assert platform_of(request, None) == platform_of(request, "douyin") == "kuaishou"
    with pytest.raises(Refused) as refused:
        platform_of(replace(request, platform=None), None)
    assert (refused.value.code, refused.value.field) == ("missing_field", "platform")
