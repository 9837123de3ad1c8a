"""Each limit of a rulebook is shown with its value, its unit and the rules that stand beside it."""

from dataclasses import fields

import pytest

from scripts.commands.rule_coverage import SERVER
from scripts.commands.rule_index import marks_of_code
from server.core.rulebooks.rulebook import DOUYIN, KUAISHOU, LAB, RULEBOOKS, Rulebook
from server.core.rulebooks.rulebook_view import NO_LIMITS, limits_of, rules_beside


@pytest.mark.parametrize("platform", RULEBOOKS)
def test_every_limit_stands_beside_a_rule(platform: str) -> None:
    """A field that no rule asks for has no place in a rulebook; a number has a unit."""
    limits = list(limits_of(RULEBOOKS[platform]))
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


def test_what_is_read_beside_a_field_is_what_carries_the_rule() -> None:
    """The finder of ``redrain rules`` and the one of the limits agree on every field of every book."""
    found: dict[str, set[str]] = {}
    for rule, places in marks_of_code(SERVER).items():
        for place in places:
            scope, dot, _ = place.name.partition(".")
            if (
                dot
                and place.path == "server/core/rulebooks/rulebook.py"
                and scope in {"Rulebook", "DOUYIN", "KUAISHOU", "LAB"}
            ):
                found.setdefault(".".join(place.name.split(".")[:2]), set()).add(rule)
    methods = {name for name in found if callable(getattr(Rulebook, name.partition(".")[2], None))}
    assert {name: set(rules) for name, rules in rules_beside().items()} == {
        name: rules for name, rules in found.items() if name not in methods
    }
