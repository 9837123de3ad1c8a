"""Each limit of a rulebook is shown with its value, its unit and the rules that stand beside it."""

from dataclasses import fields

import pytest

from scripts.commands.rule_coverage import SERVER
from scripts.commands.rule_index import marks_of_code
from server.core.rulebooks.overrides import overridden
from server.core.rulebooks.platforms import DOUYIN, KUAISHOU, LAB, RULEBOOKS
from server.core.rulebooks.rulebook import LimitMeta, Rulebook
from server.core.rulebooks.rulebook_view import limits_of

# names, what a refusal says, what pages show
NO_LIMITS = {"platform", "profile", "source", "prefix", "base", "own_rules", "stands_for", "launch_modes_rule", "page"}


@pytest.mark.parametrize("platform", RULEBOOKS)
def test_every_limit_stands_beside_a_rule(platform: str) -> None:
    """A field that no rule asks for has no place in a rulebook; a number has a unit."""
    limits = list(limits_of(RULEBOOKS[platform]))
    assert all(limit.doc for limit in limits)
    assert [limit.name for limit in limits] == [one.name for one in fields(Rulebook) if one.name not in NO_LIMITS]
    assert [limit.name for limit in limits if not limit.rules] == []
    assert [limit.name for limit in limits if type(limit.value) is int and not limit.unit] == []


@pytest.mark.parametrize(
    ("rulebook", "name", "value", "unit", "rules"),
    [
        (DOUYIN, "relative_lead_max_ms", 900_000, "ms", ["DY-LAU-3"]),
        (DOUYIN, "max_share_fen", 20_000, "fen", ["ALL-CRE-1"]),
        (DOUYIN, "overlap_max", 2, "packets", ["DY-LAU-9"]),
        (DOUYIN, "exact_lead_strict", True, "", ["DY-LAU-5"]),
        (DOUYIN, "launch_modes", ["exact", "relative"], "", ["DY-LAU-3", "DY-LAU-4"]),
        (
            DOUYIN,
            "blackouts",
            ["08-01 to 08-18: 19:30-20:00, 20:30-21:00, 21:30-22:00, 22:30-23:00"],
            "",
            ["DY-BLK-1", "DY-BLK-2"],
        ),
        (KUAISHOU, "overlap_max", None, "packets", ["KS-LAU-2"]),
        (KUAISHOU, "popup_min_gap_ms", 60_000, "ms", ["KS-CLM-1"]),
        (LAB, "share_count_max", 1_000_000, "shares", ["ALL-CRE-1"]),
    ],
    ids=lambda value: value.platform if isinstance(value, Rulebook) else None,
)
def test_a_limit_is_shown_as_it_is(rulebook: Rulebook, name: str, value: object, unit: str, rules: list[str]) -> None:
    """Values are the rulebook's own; what a platform overrides stands beside that platform's rule."""
    (limit,) = (one for one in limits_of(rulebook) if one.name == name)
    assert (limit.value, limit.unit, sorted(limit.rules)) == (value, unit, rules)


def test_what_a_field_says_is_what_carries_the_rule() -> None:
    """``redrain rules`` finds the rules of every limit at its field, and a platform's own at its book."""
    found = {
        rule: {part for place in places if "rulebooks/" in place.path for part in place.name.split(".")}
        for rule, places in marks_of_code(SERVER).items()
    }
    default = Rulebook("any")
    limits = {field.name: field.metadata[LimitMeta].rules for field in fields(default) if field.metadata}
    own = [
        (f"{book.platform.upper()}", rule)
        for book in RULEBOOKS.values()
        for each in book.own_rules.values()
        for rule in each
    ]
    carried = [(name, rule) for name, rules in limits.items() for rule in rules] + own
    assert len(own) > 10
    assert [(name, rule) for name, rule in carried if name not in found.get(rule, set())] == []
    assert {name for book in RULEBOOKS.values() for name in book.own_rules} <= limits.keys()


def test_a_platform_of_ones_own_shows_its_own_rules() -> None:
    """Fields that a user-defined platform sets are overridden, and every rule has its prefix."""
    table = {"base": "kuaishou", "popup_min_gap_ms": 5}
    limits = {limit.name: limit for limit in limits_of(overridden(RULEBOOKS, {"acme": table})["acme"])}
    assert [name for name, limit in limits.items() if limit.overridden] == ["popup_min_gap_ms"]
    assert all(rule.startswith("ACME-") for limit in limits.values() for rule in limit.rules)
    assert (limits["launch_modes"].rules, limits["use_rule"].value) == (["ACME-LAU-1"], "ACME-USE-1")
