"""Leg metrics: the page of the gate has each with unit and meaning."""

import re
from pathlib import Path

from loadtest.verdict.leg_metrics import LEG_METRICS

PAGE = (Path(__file__).parents[3] / "docs/gate.md").read_text("utf-8")


def test_the_page_has_every_metric_of_legs() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\w/]+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(name, metric.unit, metric.meaning) for name, metric in LEG_METRICS.items()]
