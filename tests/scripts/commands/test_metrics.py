"""``redrain metrics`` lists what there is, and ``--threshold`` takes nothing else."""

import json
from pathlib import Path

import pytest

from loadtest.verdict.metrics import METRICS
from loadtest.verdict.phases import PHASES
from loadtest.verdict.weigh import Exit
from scripts import cli
from tests.loadtest.foreign_run import a_grab, a_run_of
from tests.loadtest.judged_foreign_run import kept_foreign


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert isinstance(end.value.code, int)
    return end.value.code


def test_every_metric_is_listed_for_people_and_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its unit, its meaning, what may be asked of it, how it is selected, and whether it is timing."""
    path = tmp_path / "metrics.json"
    assert ended("metrics", "--json", str(path)) == 0
    shown = capsys.readouterr().out
    listed = {each["name"]: each for each in json.loads(path.read_text("utf-8"))}
    assert list(listed) == list(METRICS)
    for name, metric in METRICS.items():
        assert f"{name}  {metric.unit}" in shown
        assert metric.meaning in shown
        one = listed[name]
        assert (one["unit"], one["meaning"], one["timing"]) == (metric.unit, metric.meaning, metric.timing)
        assert (one["aggregations"], one["selectors"]) == (list(metric.aggregations), list(metric.selectors))
        assert one["thresholds"] == bool(metric.aggregations)
    assert all(f"phase:{phase}  {meaning}" in shown for phase, meaning in PHASES.items())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "grab_latency p(99) < 50",
            "threshold: 'grab_latency p(99) < 50': no such metric: grab_latency; did you mean",
        ),
        ("grab_latency_ms p99 < 50", "did you mean p(99)?\n    grab_latency_ms p99 < 50\n                    ^"),
    ],
)
@pytest.mark.parametrize("command", [("storm", "smoke"), ("audit", "nowhere")])
def test_a_threshold_that_cannot_be_read_is_wrong_usage(
    command: tuple[str, str], line: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything starts, with the place that is wrong."""
    assert ended(*command, "--threshold", line) == Exit.USAGE
    assert said in capsys.readouterr().err


def test_an_audit_judges_by_more_thresholds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = kept_foreign(a_run_of(a_grab("v1", "granted"), a_grab("v2", "granted", index=1)), tmp_path)
    arguments = ("audit", str(folder.path), "--threshold", "granted / grabs >= 0.3")
    assert ended(*arguments) == 0
    assert ended(*arguments, "--threshold", "granted > 2") == Exit.THRESHOLD
    assert "missed  granted > 2: 2" in capsys.readouterr().out
