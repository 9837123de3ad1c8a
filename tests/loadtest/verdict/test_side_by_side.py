"""Two runs side by side: what speaks against comparing them, and the ratios."""

from typing import Any

import pytest

from loadtest.verdict.side_by_side import Difference, incomparable, rows_of, surroundings
from tests.loadtest.run_summaries import RESULT, a_summary


@pytest.mark.parametrize(
    "changed",
    [{"scenario": "rain"}, {"seed": 2}, {"engine": "swarm"}, {"viewers": 51}, {"speed": 1}, {"target": "http"}],
)
def test_what_decides_the_figures_must_be_the_same(changed: dict[str, Any]) -> None:
    """Scenario, seed, engine, audience, speed and target; each is named with both values."""
    [(name, value)] = changed.items()
    assert incomparable(a_summary(), a_summary(**changed)) == [Difference(name, str(RESULT[name]), str(value))]
    assert incomparable(a_summary(), a_summary()) == []


def test_another_machine_is_not_comparable_and_another_library_is_named() -> None:
    """Four cores instead of two; another Locust, another kernel, other durability."""
    environment = {**RESULT["environment"], "cpus": 4}
    [found] = incomparable(a_summary(), a_summary(environment=environment))
    assert (found.name, found.b) == ("machine", "Linux x86_64, 4 cpus")
    environment = {"python": "3.12", "system": "Linux 6.1", "machine": "x86_64", "cpus": 2, "libraries": {"uv": "\x1b"}}
    assert surroundings(a_summary(), a_summary(environment=environment, durability="none")) == [
        Difference("durability", "durable", "none"),
        Difference("python", "3.11", "3.12"),
        Difference("libraries.locust", "2.47.0", "-"),
        Difference("libraries.uv", "-", "'\\x1b'"),
    ]


def test_ratios_are_those_of_known_figures() -> None:
    """Twice is 2; what is unknown, missing or 0 has no ratio."""
    a = a_summary(figures={"grabs": 10, "granted": 0, "issued_fen": None, "lost_acks": 1})
    b = a_summary(figures={"grabs": 20, "granted": 5, "issued_fen": 7, "send_debt_ms.p99": 3})
    rows = {row.figure: row for row in rows_of(a, b)}
    assert {name: row.ratio for name, row in rows.items()} == {
        "grabs": 2, "granted": None, "issued_fen": None, "lost_acks": None, "send_debt_ms.p99": None,
    }  # fmt: skip
    assert (rows["grabs"].unit, rows["send_debt_ms.p99"].unit) == ("grabs", "ms")
