"""docs/thresholds.md and the code agree: its grammar, its metrics, its selectors and phases."""

import re
import tomllib
from pathlib import Path

import pytest

from loadtest.scenarios.crowd_scenario import CrowdScenario
from loadtest.verdict.metrics import METRICS, SelectorName
from loadtest.verdict.phases import PHASES
from loadtest.verdict.threshold_grammar import parse, parse_line
from loadtest.verdict.threshold_terms import AGGREGATIONS, COMPARISONS, NAMES

PAGE = (Path(__file__).parents[3] / "docs/thresholds.md").read_text("utf-8")
GRAMMAR = re.findall(r"^\| (\w[\w ]*) \| (.+?) \| (`.+) \|$", PAGE.partition("## Grammar")[2], re.MULTILINE)


def rows(head: str) -> list[list[str]]:
    """Return the rows of the table whose head begins so."""
    _, _, after = PAGE.partition(f"\n| {head} |")
    table = after.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table]


def test_the_metrics_are_those_of_the_table() -> None:
    """With unit, aggregations, selectors, whether they are timing and live, and the meaning that the command tells."""
    wanted = [
        [
            f"`{name}`",
            metric.unit,
            ", ".join(f"`{each}`" for each in metric.aggregations),
            ", ".join(f"`{each}`" for each in metric.selectors),
            *("yes" if each else "no" for each in (metric.timing, metric.live)),
            metric.meaning,
        ]
        for name, metric in METRICS.items()
        if name in NAMES
    ]
    assert rows("metric") == wanted


def test_selectors_phases_and_aggregations_are_all_there() -> None:
    assert [row[0] for row in rows("selector")] == [f"`{each}`" for each in SelectorName]
    assert rows("phase") == [[f"`{phase}`", meaning] for phase, meaning in PHASES.items()]
    assert {row[0].strip("`").partition("(")[0] for row in rows("aggregation | meaning")} == set(AGGREGATIONS)


def test_every_comparison_is_named() -> None:
    (said,) = [what for part, what, _ in GRAMMAR if part == "comparison"]
    assert set(re.findall(r"`(\S+)`", said)) == set(COMPARISONS)


@pytest.mark.parametrize(("part", "examples"), [(part, examples) for part, _, examples in GRAMMAR])
def test_every_example_of_the_grammar_can_be_read(part: str, examples: str) -> None:
    read = [parse("grab_latency_ms", each) for each in re.findall(r"`([^`]+)`", examples)]
    assert read
    assert (part == "abort") == any(each.abort_after_s is not None for each in read)


def test_the_examples_at_the_top_can_be_used() -> None:
    (text,) = re.findall(r"```toml\n(.+?)```", PAGE, re.DOTALL)
    table = tomllib.loads(text) | {"name": "n", "audience": {"viewers": 1}}
    thresholds = CrowdScenario.model_validate(table).parsed_thresholds
    assert [each.abort_after_s for each in thresholds] == [None] * 6 + [5]
    lines = re.findall(r'--threshold "([^"]+)"', PAGE)
    assert len([parse_line(each) for each in lines]) == 3
