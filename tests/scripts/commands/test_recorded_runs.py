"""The commands about recorded runs: two side by side, the list, one run, and a figure's trend."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from loadtest.record.run_folder import RunFolder
from loadtest.record.run_history import append
from loadtest.verdict.weigh import Exit
from scripts import cli
from scripts.commands.runs import run_open
from tests.loadtest.judged_run import judged
from tests.loadtest.run_summaries import a_summary
from tests.loadtest.test_report import Page
from tests.loadtest.written_run import a_run

RUNS = Path(".redrain/runs")


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two judged runs, alike but for a library and twice the grabs."""
    place = tmp_path_factory.mktemp("two")
    for name, changed in (("20260101", {}), ("20260102", {"environment": {"python": "3.12", "cpus": 2}})):
        path = place / RUNS / name
        path.mkdir(parents=True)
        folder, result = judged(a_run(viewers=12), path)
        folder.result.write_bytes(orjson.dumps({**result, **changed}))
        folder.scenario.touch()
    return place


@pytest.fixture
def here(two_runs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(two_runs)
    yield two_runs
    for path in two_runs.glob("*.*"):
        if path.is_file():
            path.unlink()


def ended(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert isinstance(end.value.code, int)
    return end.value.code


def told(name: str = "told.json") -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(Path(name).read_text("utf-8"))
    return answer


@pytest.mark.usefixtures("here")
def test_two_runs_stand_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    """Figures with ratios, what differed, spectra over each other, and that they prove nothing."""
    runs = (str(RUNS / "20260101"), str(RUNS / "20260102"))
    assert ended("compare", *runs, "--html", "page.html", "--json", "told.json") == Exit.PASS
    said = capsys.readouterr().out
    assert "cannot prove a regression" in said
    assert "differs  python: 3.11 | 3.12" in said
    page = Page(Path("page.html"))
    assert page.fetched in ([], ["data:,"])
    assert [figure["name"] for figure in page.figures] == ["spectra"]
    assert [trace["name"] for trace in page.figures[0]["traces"]] == ["A: 20260101", "B: 20260102"]
    for text in ("cannot prove a regression", "libraries", "grab_latency_ms.p99"):
        assert text in page.text
    answer = told()
    assert {row["ratio"] for row in answer["figures"]} <= {1.0, None}
    assert [each["name"] for each in answer["surroundings"]] == ["python", "libraries"]


@pytest.mark.usefixtures("here")
def test_what_differs_in_seed_is_refused_unless_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 64 names both seeds; --anyway shows the figures, and says that they are not comparable."""
    result = json.loads((RUNS / "20260101/result.json").read_text("utf-8"))
    Path("other.json").write_text(json.dumps({**result, "seed": 7, "scenario": "<script>x</script>"}), "utf-8")
    runs = (str(RUNS / "20260101"), "other.json")
    assert ended("compare", *runs) == Exit.USAGE
    assert "seed (1, 7)" in capsys.readouterr().err
    assert ended("compare", *runs, "--anyway", "--html", "page.html") == Exit.PASS
    assert "not comparable  seed: 1 | 7" in capsys.readouterr().out
    page = Page(Path("page.html"))
    assert "Not comparable" in page.text
    assert len(page.scripts) == 3  # ours, and not the scenario's name


@pytest.mark.usefixtures("here")
def test_runs_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """The newest first, and no more than asked for; a run without a result says so."""
    unjudged = RunFolder(RUNS / "20250101")
    unjudged.path.mkdir()
    unjudged.scenario.touch()
    assert ended("runs", "list", "--limit", "2", "--json", "told.json") == Exit.PASS
    said = capsys.readouterr().out
    assert said.index("20260102") < said.index("20260101")
    assert "and 1 older ones" in said
    assert ([run["run"] for run in told()["runs"]], told()["left_off"]) == (["20260102", "20260101"], 1)
    assert ended("runs", "list") == Exit.PASS
    assert "goes on" in capsys.readouterr().out
    unjudged.ended.write_text("only 0 of 500 viewers could connect")
    assert ended("runs", "list") == Exit.PASS
    said = capsys.readouterr().out
    assert ("ended" in said, "goes on" in said) == (True, False)
    assert ended("runs", "show", "--json", "told.json") == Exit.PASS
    assert told()["run"] == "20260102"
    assert "grab_latency_ms.p99" in capsys.readouterr().out
    assert ended("runs", "show", "20250101") == Exit.ENVIRONMENT
    assert "redrain audit" in capsys.readouterr().err


@pytest.mark.usefixtures("here")
def test_a_report_is_opened_or_its_path_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a browser the path is what there is; without a report it says what writes one."""
    assert run_open("20260101", show=lambda _: True) == Exit.ENVIRONMENT
    assert "`redrain audit .redrain/runs/20260101` writes it" in capsys.readouterr().err
    report = RunFolder(RUNS / "20260102").report
    report.touch()
    urls: list[str] = []

    def no_browser(url: str) -> bool:
        urls.append(url)
        return False

    assert run_open(None, show=no_browser) == Exit.PASS
    assert urls == [report.resolve().as_uri()]
    assert "20260102/report.html: open it yourself, there is no browser" in capsys.readouterr().out


def test_a_trend_shows_where_a_figure_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Runs of another seed are not mixed in; the page draws runs and stretches, the JSON has both."""
    monkeypatch.chdir(tmp_path)
    RUNS.mkdir(parents=True)
    assert ended("runs", "trend", "grabs") == Exit.USAGE
    for at in range(40):
        figures = {"grab_latency_ms.p99": (50.0 if at < 20 else 80.0) + at % 3, "grabs": None}
        append(RUNS / "history.jsonl", a_summary(f"run-{at}", figures=figures))
        append(RUNS / "history.jsonl", a_summary(f"other-{at}", seed=2, figures={"grab_latency_ms.p99": 1.0}))
    append(RUNS / "history.jsonl", a_summary("last", figures={"grab_latency_ms.p99": 81.0, "grabs": None}))
    asked = ("runs", "trend", "grab_latency_ms.p99", "--html", "page.html", "--json", "told.json")
    assert ended(*asked) == Exit.PASS
    assert "of 41 runs" in capsys.readouterr().out
    assert [(one["first"], one["end"], one["median"]) for one in told()["stretches"]] == [(0, 20, 51), (20, 41, 81)]
    page = Page(Path("page.html"))
    assert len(page.figures[0]["traces"][0]["y"]) == 41
    assert "+58.8%" in page.text
    for wrong, said in (("nope", "there are grab_latency_ms.p99, grabs"), ("grabs", "no run of this kind knows")):
        assert ended("runs", "trend", wrong) == Exit.USAGE
        assert said in capsys.readouterr().err
    assert ended("runs", "trend", "grabs", "--scenario", "rain") == Exit.USAGE
