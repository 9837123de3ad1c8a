"""Use validity and product scope: both styles, never together, and every limit at its edge."""

from dataclasses import replace
from typing import Any

import pytest

from server.core.orders.validity import check_ends_later, check_validity, checked_scope
from server.core.refusal import Refused
from server.core.rulebooks.overrides import overridden
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB, RULEBOOKS
from server.core.rulebooks.rulebook import Rulebook

START = {"use_start_at_ms": 10}
END = {"use_end_at_ms": 20}
SPAN = {"use_for_ms": 5}


def validity(asked: dict[str, int], rulebook: Rulebook = DOUYIN) -> tuple[str, str, str] | None:
    """Return code, field and rule of the refusal, or None."""
    fields: dict[str, Any] = dict.fromkeys(("use_start_at_ms", "use_end_at_ms", "use_for_ms"))
    try:
        check_validity(**{**fields, **asked}, rulebook=rulebook)
    except Refused as refusal:
        return refusal.code, refusal.field, refusal.rule
    return None


@pytest.mark.rule("DY-CRE-3")
@pytest.mark.parametrize("asked", [END, {**START, **END}, SPAN, {"use_start_at_ms": 19, "use_end_at_ms": 20}])
def test_both_styles_are_taken(asked: dict[str, int]) -> None:
    """An absolute validity may leave its start out."""
    assert validity(asked) is None


@pytest.mark.rule("DY-CRE-1")
@pytest.mark.rule("KS-CRE-1")
def test_only_lab_can_do_without_a_validity() -> None:
    """Douyin, Kuaishou and what is based on them need one (AMB-47)."""
    assert validity({}, LAB) is None
    assert validity({}) == ("missing_field", "use_end_at_ms", "DY-CRE-1")
    assert validity({}, KUAISHOU) == ("missing_field", "use_end_at_ms", "KS-CRE-1")
    acme = overridden(RULEBOOKS, {"acme": {"base": "douyin"}})["acme"]
    assert validity({}, acme) == ("missing_field", "use_end_at_ms", "ACME-CRE-1")


@pytest.mark.rule("DY-CRE-1")
@pytest.mark.rule("KS-CRE-1")
def test_a_fixed_validity_ends_in_the_future() -> None:
    """The instant itself is too late; a relative one has no end yet (AMB-47)."""
    for rulebook, rule in ((DOUYIN, "DY-CRE-1"), (KUAISHOU, "KS-CRE-1"), (LAB, "DY-CRE-1")):
        check_ends_later(None, 20, rulebook)
        check_ends_later(21, 20, rulebook)
        for use_end_at_ms in (1, 20):
            with pytest.raises(Refused) as refused:
                check_ends_later(use_end_at_ms, 20, rulebook)
            assert (refused.value.code, refused.value.field) == ("out_of_range", "use_end_at_ms")
            assert refused.value.rule == rule


@pytest.mark.rule("DY-CRE-3")
@pytest.mark.parametrize(
    ("asked", "code", "field"),
    [
        ({**SPAN, **END}, "unexpected_field", "use_end_at_ms"),
        ({**SPAN, **START}, "unexpected_field", "use_start_at_ms"),
        ({**SPAN, **START, **END}, "unexpected_field", "use_start_at_ms"),
        (START, "missing_field", "use_end_at_ms"),
        ({"use_start_at_ms": 20, "use_end_at_ms": 20}, "out_of_range", "use_start_at_ms"),
        ({"use_for_ms": 0}, "out_of_range", "use_for_ms"),
        ({"use_for_ms": -1}, "out_of_range", "use_for_ms"),
    ],
)
def test_a_validity_is_of_one_style_and_not_empty(asked: dict[str, int], code: str, field: str) -> None:
    """The refusal names the field and the rule (AMB-5)."""
    assert validity(asked) == (code, field, "DY-CRE-3")


@pytest.mark.rule("DY-CRE-3")
def test_a_relative_validity_has_a_limit() -> None:
    """366 days; a millisecond more is refused."""
    longest_ms = 366 * 86_400_000
    assert DOUYIN.use_for_max_ms == longest_ms
    assert validity({"use_for_ms": longest_ms}) is None
    assert validity({"use_for_ms": longest_ms + 1}) == ("out_of_range", "use_for_ms", "DY-CRE-3")


@pytest.mark.rule("KS-CRE-2")
def test_a_scope_is_a_set_of_ids() -> None:
    """Each once and in order, so that the same scope is the same request; none is all goods."""
    assert checked_scope(None, DOUYIN) is None
    assert checked_scope(["b", "a", "b"], DOUYIN) == ("a", "b")


@pytest.mark.rule("KS-CRE-2")
@pytest.mark.parametrize(
    ("product_ids", "code"),
    [
        ([], "out_of_range"),
        (["p"] * 101, "out_of_range"),
        (["p" * 37], "bad_id"),
        ([""], "bad_id"),
        (["a,b"], "bad_id"),
    ],
)
def test_a_scope_has_limits(product_ids: list[str], code: str) -> None:
    """At least one and at most 100 goods, each an id of at most 36 characters."""
    with pytest.raises(Refused) as refused:
        checked_scope(product_ids, DOUYIN)
    assert (refused.value.code, refused.value.field) == (code, "product_ids")
    assert DOUYIN.product_ids_max == 100
    assert len(checked_scope([f"{n:036}" for n in range(100)], DOUYIN) or ()) == 100
    with pytest.raises(Refused):
        checked_scope(["a", "b"], replace(DOUYIN, product_ids_max=1))
