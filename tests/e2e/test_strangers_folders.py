"""Strangers' run folders are data: every command on them ends, within bounds, and says what is wrong."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.e2e.strangers_folders import BOOKS, COMPARED, FACTS, JUDGED, OUTSIDE, REFUSED

VERDICTS = {0, 10, 20, 30}  # of what a command understands; 30 if it does not
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("strangers")


@pytest.fixture(scope="module")
def found(home: Path) -> dict[str, dict[str, Any]]:
    """Run both commands on all folders, in one process with 1.5 GB of addresses, which ends a case after a minute."""
    command = [sys.executable, "-P", "-m", "tests.e2e.strangers_folders", str(home)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr.decode()
    read: dict[str, dict[str, Any]] = orjson.loads(done.stdout)
    return read


@pytest.mark.parametrize("name", REFUSED)
def test_a_folder_that_cannot_be_judged_is_30_and_says_why(name: str, found: dict[str, dict[str, Any]]) -> None:
    """No traceback, no endless reading, and a message that names the folder or the field."""
    audit, verify = found[name]["audit"], found[name]["verify"]
    assert audit["code"] == 30, audit
    assert audit["said"].splitlines()[-1].startswith("redrain: ") or "redrain: " in audit["said"]
    assert verify["code"] in VERDICTS, verify
    if BOOKS.partition(".")[0] in name and "add up" not in name:
        assert verify["code"] == 30


@pytest.mark.parametrize("name", REFUSED | COMPARED | JUDGED)
def test_any_folder_can_be_compared_or_is_30(name: str, found: dict[str, dict[str, Any]]) -> None:
    """A file that is no result is named."""
    compare = found[name]["compare"]
    assert compare["code"] in ((30,) if name in COMPARED else (0, 30)), compare
    assert "".join(compare["said"].split("\n")).isprintable()


@pytest.mark.parametrize("name", JUDGED)
def test_a_folder_with_nasty_names_has_a_verdict(name: str, found: dict[str, dict[str, Any]]) -> None:
    """Its markup is shown, and tells neither the terminal nor the page what to do."""
    for command in ("audit", "verify"):
        ended = found[name][command]
        assert ended["code"] in VERDICTS - {30}, ended
        assert "".join(ended["said"].split("\n")).isprintable()
        assert "\nPASS" not in ended["said"]


def test_nothing_is_written_through_a_link(found: dict[str, dict[str, Any]], home: Path) -> None:
    """A report or result that is a link is replaced; what it leads to is as it was."""
    assert found
    assert (home / OUTSIDE).read_text("utf-8") == "untouched"
    assert not (home / "made.txt").exists()
    for name in JUDGED:
        written = [home / name / file for file in ("report.html", "result.json")]
        assert all(path.is_file() and not path.is_symlink() for path in written), name
        assert (home / name / FACTS).is_file()


def test_no_name_is_markup_in_a_report(found: dict[str, dict[str, Any]], home: Path) -> None:
    """Neither in the page nor in what its script is given, which reads a line break in every text."""
    assert found
    for name in JUDGED:
        page = (home / name / "report.html").read_text("utf-8")
        assert "<a href='http://evil'" not in page
        figures = orjson.loads(page.partition('id="figures">')[2].partition("</script>")[0])
        texts = [each for each in _texts(figures) if "evil" in each]
        assert all("<a" not in each for each in texts)
        assert texts or name != "names that are markup"


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in _texts(part)]
