"""Eligibility to create and launch, and allowed goods, by all of the platform's own rules."""

from itertools import combinations

import pytest

from server.core.orders.purchase import GoodsKind
from server.core.refusal import Refused
from server.core.rulebooks.eligibility import (
    EVERY_PERMISSION,
    check_eligible,
    check_registered,
    check_scope,
    recharge_required,
)
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB
from server.core.rulebooks.rulebook import Permission, Rulebook

P = Permission


@pytest.mark.rule("DY-ELG-1")
@pytest.mark.rule("KS-ELG-1")
@pytest.mark.parametrize(
    ("rulebook", "needs", "rule"),
    [
        (DOUYIN, {P.ECOMMERCE_PERMISSION}, "DY-ELG-1"),
        (KUAISHOU, {P.DISTRIBUTION_ENABLED, P.FEATURE_GRANTED}, "KS-ELG-1"),
        (LAB, set(), ""),
    ],
    ids=["douyin", "kuaishou", "lab"],
)
def test_everything_that_a_platform_asks_for_is_needed(rulebook: Rulebook, needs: set[Permission], rule: str) -> None:
    """Of all sets of permissions those pass that hold what is asked for; what else they hold is no matter."""
    sets = [set(chosen) for size in range(len(P) + 1) for chosen in combinations(P, size)]
    for held in sets:
        if needs <= held:
            check_eligible(held, rulebook)
            continue
        with pytest.raises(Refused) as refused:
            check_eligible(held, rulebook)
        assert (refused.value.code, refused.value.field, refused.value.rule) == ("not_eligible", "creator_id", rule)
        assert str(refused.value).endswith(f"lacks {' and '.join(need for need in P if need in needs - held)}")


@pytest.mark.parametrize("rulebook", [DOUYIN, KUAISHOU, LAB], ids=lambda rulebook: rulebook.platform)
def test_who_has_every_permission_may_play_anywhere(rulebook: Rulebook) -> None:
    """A creator for whom no permissions were set has the default ones."""
    check_eligible(EVERY_PERMISSION, rulebook)


@pytest.mark.rule("DY-ELG-2")
@pytest.mark.rule("KS-ACC-1")
def test_an_empty_wallet_is_told_to_recharge_by_its_platforms_rule() -> None:
    """The refusal is one; whose rule it is the rulebook says."""
    assert (DOUYIN.recharge_rule, KUAISHOU.recharge_rule) == ("DY-ELG-2", "KS-ACC-1")
    refusal = recharge_required(KUAISHOU.rule(KUAISHOU.recharge_rule))
    assert (refusal.code, refusal.rule) == ("recharge_required", "KS-ACC-1")


@pytest.mark.rule("KS-ELG-2")
@pytest.mark.parametrize("kind", GoodsKind)
def test_kuaishou_takes_no_excluded_goods_into_a_scope(kind: GoodsKind) -> None:
    """Virtual, cross-border and local-life goods cannot be set up, also among others; Douyin and LAB say nothing."""
    kinds = [GoodsKind.ORDINARY, kind]
    check_scope(kinds, DOUYIN)
    check_scope(kinds, LAB)
    if kind not in {GoodsKind.VIRTUAL, GoodsKind.CROSS_BORDER, GoodsKind.LOCAL_LIFE}:
        check_scope(kinds, KUAISHOU)
        return
    with pytest.raises(Refused) as refused:
        check_scope(kinds, KUAISHOU)
    assert (refused.value.code, refused.value.field, refused.value.rule) == ("not_configurable", "scope", "KS-ELG-2")
    assert kind in str(refused.value)


@pytest.mark.rule("KS-ELG-2")
@pytest.mark.parametrize("kind", GoodsKind)
def test_kuaishou_takes_no_product_that_is_registered_as_excluded(kind: GoodsKind) -> None:
    """The refusal names the field, and the products to leave out."""
    registered = {"tea": GoodsKind.ORDINARY, "it": kind}
    check_registered(registered, DOUYIN)
    check_registered(registered, LAB)
    if kind not in KUAISHOU.goods_not_configurable:
        check_registered(registered, KUAISHOU)
        return
    with pytest.raises(Refused) as refused:
        check_registered(registered, KUAISHOU)
    assert (refused.value.code, refused.value.field, refused.value.rule) == (
        *("not_configurable", "product_ids", "KS-ELG-2"),
    )
    assert str(refused.value).endswith(f"leave out it ({kind})")
