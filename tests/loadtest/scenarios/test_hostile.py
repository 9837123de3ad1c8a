"""Hostile clients: what may be asked for, and what their outcomes say."""

import pytest

from loadtest.scenarios.hostile import EXPECTED, HostileSpec, Misdeed, hostile_results, were_met
from loadtest.scenarios.scenario import load_scenario


def test_every_misdeed_is_committed_by_default() -> None:
    assert HostileSpec(clients=1).mix == dict.fromkeys(Misdeed, 1.0)
    assert load_scenario("hostile").limits == "production"


@pytest.mark.parametrize(
    "table",
    [{"clients": 0}, {"clients": 1_001}, {}, {"clients": 1, "mix": {"flood": 0}}, {"clients": 1, "mix": {"nope": 1}},
     {"clients": 1, "mix": {"flood": -1}}, {"clients": 1, "more": 1}],
)  # fmt: skip
def test_other_tables_are_refused(table: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        HostileSpec.model_validate(table)


def test_outcomes_are_told_with_how_many_were_refused() -> None:
    """The commonest first; where nothing can be refused, there is no number."""
    flood, deaf = hostile_results({"flood": {"held": 1, "close 1008": 3}, "deaf": {"held": 2}})
    assert flood == {
        "misdeed": "flood", "tries": 4, "refused": 3, "outcomes": {"close 1008": 3, "held": 1},
    }  # fmt: skip
    assert list(flood["outcomes"]) == ["close 1008", "held"]
    assert deaf["refused"] is None


@pytest.mark.parametrize(
    ("outcomes", "met"),
    [
        ({}, True),
        ({"flood": {"close 1008": 1}, "deaf": {"held": 1}}, True),
        ({"flood": {"held": 9}}, False),
        ({"forged_token": {"let in": 9}}, False),
        ({"deaf": {}}, False),
        ({"flood": {}}, False),
    ],
)
def test_a_run_in_which_nothing_was_refused_proves_nothing(outcomes: dict[str, dict[str, int]], met: bool) -> None:
    """Neither does one in which a misdeed was never committed."""
    assert were_met(hostile_results(outcomes)) == met


def test_what_is_refused_is_a_status_or_a_close_or_a_cut() -> None:
    assert all(outcomes for outcomes in EXPECTED.values())
    assert {"let in", "held"}.isdisjoint(outcome for outcomes in EXPECTED.values() for outcome in outcomes)
