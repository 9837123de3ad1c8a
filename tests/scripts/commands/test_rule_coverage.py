"""``redrain rules`` finds every rule without code or test, and says so by its exit code."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from loadtest.verdict.weigh import Exit
from scripts.commands.rule_coverage import run_rules, survey
from scripts.commands.rule_index import SourcePlace, marks_of_code, marks_of_tests, outcomes_of, read_page
from tests.scripts.planted import LAUNCH, PAGE, SURFACE, TESTS, plant

ROOT = Path(__file__).parents[3]


def _run(house: Path, *, must_run: bool = False) -> tuple[int, dict[str, Any]]:
    """Return the command's exit code for a planted house, and the JSON that it wrote."""
    code = run_rules(must_run=must_run, json=str(house / "rules.json"), code=house / "server")
    found: dict[str, Any] = orjson.loads((house / "rules.json").read_bytes())
    assert found["exit_code"] == code
    return code, found


def test_a_house_whose_rules_are_all_carried_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each rule has code and a test: 0, and nothing is missing."""
    code, found = _run(plant(tmp_path))
    assert (code, found["missing"], found["not_on_the_page"]) == (Exit.PASS, {"code": [], "test": []}, [])
    assert [one["code"][0]["name"] for one in found["rules"]] == ["lead_ms", "surface.lua"]
    assert "2 rules, each with code and test" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changed", "lacking", "rule"),
    [
        ({"tests": TESTS.replace('@pytest.mark.rule("DY-LAU-3")\n', "")}, "test", "DY-LAU-3"),
        ({"tests": TESTS.replace(', marks=pytest.mark.rule("KS-CLM-1")', "")}, "test", "KS-CLM-1"),
        ({"launch": LAUNCH.replace(" (DY-LAU-3)", "")}, "code", "DY-LAU-3"),
        ({"surface": SURFACE.replace(" (KS-CLM-1)", "")}, "code", "KS-CLM-1"),
    ],
)
def test_a_mark_that_is_removed_is_missed(
    changed: dict[str, str], lacking: str, rule: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without any one of the marks the command fails and lists the rule."""
    code, found = _run(plant(tmp_path, **changed))
    assert (code, found["missing"]) == (Exit.INVARIANT, {"code": [], "test": [], lacking: [rule]})
    assert f"no {lacking} (1 of 2): {rule}" in capsys.readouterr().out


def test_an_id_that_the_page_has_not_is_told(tmp_path: Path) -> None:
    """A slip in a mark is found with its place; a vector of the page is no slip."""
    tests = TESTS + '\n\n@pytest.mark.rule("DY-LAU-33")\n@pytest.mark.rule("KS-2")\ndef test_more() -> None: ...\n'
    code, found = _run(plant(tmp_path, tests=tests))
    assert code == Exit.INVARIANT
    assert found["not_on_the_page"] == ["DY-LAU-33 at tests/core/packets/test_launch.py:15 test_more"]


def test_a_run_is_demanded_only_if_asked_for(tmp_path: Path) -> None:
    """Before any test has run, ``--ran`` finds no rule proven."""
    house = plant(tmp_path)
    assert _run(house)[0] == Exit.PASS
    code, found = _run(house, must_run=True)
    assert (code, found["missing"]["passed run"]) == (Exit.INVARIANT, ["DY-LAU-3", "KS-CLM-1"])


def test_without_its_page_it_can_say_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A checkout without the page is a broken one, and nothing is shown as missing."""
    house = plant(tmp_path)
    (house / "docs/rules.md").unlink()
    assert run_rules(must_run=False, json=None, code=house / "server") == Exit.ENVIRONMENT
    assert "rules.md" in capsys.readouterr().err


def test_without_tests_it_cannot_tell(tmp_path: Path) -> None:
    """From a wheel a rule may have a test or not: unknown, if the code is all there."""
    house = plant(tmp_path)
    code = marks_of_code(house / "server")
    found = survey(read_page(PAGE), code, None, {})
    assert [one.ran for one in found.rules] == [None, None]
    assert found.exit_code(must_run=True) is Exit.UNKNOWN
    assert survey(read_page(PAGE), {}, None, {}).exit_code() is Exit.INVARIANT


def test_of_a_rule_about_pages_the_page_comes_first() -> None:
    """The page and its test in the browser are named before the API that serves them."""
    page = read_page("| DY-UI-1 | A creator comes by the menu. |\n")
    code = [
        SourcePlace("server/api/rulebooks.py", 1, "shown"),
        SourcePlace("server/pages/static/menu.js", 2, "menu.js"),
    ]
    tests = [
        SourcePlace("tests/api/test_rulebooks.py", 3, "test_shown"),
        SourcePlace("tests/browser/test_menu.py", 4, "test_way"),
    ]
    (found,) = survey(page, {"DY-UI-1": code}, {"DY-UI-1": tests}, {}).rules
    assert (found.code[0], found.tests and found.tests[0]) == (code[1], tests[1])


@pytest.mark.parametrize(
    ("outcomes", "ran"),
    [
        ({"passed"}, "passed"),
        ({"passed", "skipped"}, "passed"),
        ({"passed", "failed"}, "failed"),
        ({"skipped"}, "no"),
        (set(), "no"),
    ],
)
def test_a_run_may_be_demanded(outcomes: set[str], ran: str, tmp_path: Path) -> None:
    """A rule is proven if one of its tests passed when it last ran, and none failed."""
    house = plant(tmp_path)
    marks = marks_of_code(house / "server"), marks_of_tests(house / "tests")
    found = survey(read_page(PAGE), *marks, {"DY-LAU-3": outcomes, "KS-CLM-1": {"passed"}})
    assert [one.ran for one in found.rules] == [ran, "passed"]
    assert found.exit_code() is Exit.PASS
    assert found.missing(must_run=True)["passed run"] == ([] if ran == "passed" else ["DY-LAU-3"])
    assert found.exit_code(must_run=True) is (Exit.PASS if ran == "passed" else Exit.INVARIANT)


@pytest.mark.parametrize("processes", [[], ["-p", "xdist", "-n", "2"]], ids=["alone", "shared"])
def test_the_record_of_a_real_run_is_read_back(
    processes: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pytest with our plugin leaves what the command reads: a pass, a failure, a skip; a later part adds to it."""
    tests = """
import pytest

@pytest.mark.rule("DY-LAU-3")
def test_passes() -> None: ...

@pytest.mark.rule("DY-LAU-4")
def test_fails() -> None:
    assert not "so"

@pytest.mark.rule("DY-LAU-5")
@pytest.mark.skip
def test_is_skipped() -> None: ...

@pytest.fixture
def broken():
    yield
    raise OSError

@pytest.mark.rule("DY-LAU-6")
def test_breaks_behind(broken) -> None: ...

def test_has_no_mark() -> None: ...
"""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # they take most of the start
    house = plant(tmp_path, tests=tests)
    (house / "pytest.ini").write_text("[pytest]\nmarkers = rule(id)\n", "utf-8")
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import pytest; sys.exit(pytest.main(sys.argv[1:]))"

    options = ["-q", *processes, "-p", "tests.rules_run", "--rootdir", str(house), "tests/core/packets/test_launch.py"]

    def part(chosen: str) -> None:
        command = [sys.executable, "-P", "-c", start, *options, "-k", chosen]
        subprocess.run(command, cwd=house, capture_output=True, text=True, timeout=60, check=False)

    part("passes or has_no_mark")
    assert outcomes_of(house) == {"DY-LAU-3": {"passed"}}
    part("not passes")
    assert outcomes_of(house) == {
        "DY-LAU-3": {"passed"},
        "DY-LAU-4": {"failed"},
        "DY-LAU-5": {"skipped"},
        "DY-LAU-6": {"failed"},
    }


def test_the_command_lists_every_rule_of_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table has all 123, and the JSON the same with each place; the exit code is the one it returns."""
    code = run_rules(must_run=False, json=None)
    shown = capsys.readouterr().out
    assert run_rules(must_run=False, json=str(tmp_path / "rules.json")) == code
    written = orjson.loads((tmp_path / "rules.json").read_bytes())
    assert len(written["rules"]) == 123
    assert all(one["rule"] in shown for one in written["rules"])
    assert written["exit_code"] == code
    assert written["not_on_the_page"] == []
    (launch,) = (one for one in written["rules"] if one["rule"] == "DY-LAU-5")
    assert {"path": "server/core/rulebooks/rulebook.py", "name": "Rulebook.exact_lead_min_ms"}.items() <= next(
        place for place in launch["code"] if place["path"] == "server/core/rulebooks/rulebook.py"
    ).items()
    assert launch["tests"]


def test_it_fails_as_long_as_anything_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    """The command is honest about the house it stands in: 0 exactly if nothing is missing."""
    code = run_rules(must_run=False, json="-")
    out = orjson.loads(capsys.readouterr().out)
    missing = [one["rule"] for one in out["rules"] if not one["code"] or not one["tests"]]
    assert code == (Exit.INVARIANT if missing else Exit.PASS)
    assert sorted({*out["missing"]["code"], *out["missing"]["test"]}) == sorted(missing)
