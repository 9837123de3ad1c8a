"""The page of threats is complete: every threat has a number, a control and a test, and those exist."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/threat-model.md"
AREAS = {
    "The door", "Host and origin", "Tickets and secrets", "Roles", "Store and books", "Folders of strangers",
    "Terminal", "Pages", "Supply chain",
}  # fmt: skip
CONTROL = re.compile(r"`([\w./-]+)`")
TEST = re.compile(r"`([\w./]+\.py)::(\w+)`")


class Threat(NamedTuple):
    """A row of the page."""

    area: str
    name: str
    what: str
    control: str
    test: str


def threats_in(page: str) -> Iterator[Threat]:
    area = ""
    for line in page.splitlines():
        if line.startswith("## "):
            area = line[3:]
        elif line.startswith("|") and not line.startswith(("| id |", "|--")):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert len(cells) == 4, line
            yield Threat(area, *cells)


@cache
def _tests_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return frozenset(each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))


def problems_in(page: str) -> list[str]:
    """Return what is wrong with a page of threats."""
    threats = list(threats_in(page))
    problems = []
    if [threat.name for threat in threats] != [f"T{number}" for number in range(1, len(threats) + 1)]:
        problems.append("the numbers are not T1, T2 and so on")
    for threat in threats:
        controls, tests = CONTROL.findall(threat.control), TEST.findall(threat.test)
        if not threat.what:
            problems.append(f"{threat.name} says nothing")
        if not controls or not tests:
            problems.append(f"{threat.name} has no control or no test")
        problems += [f"{threat.name}: there is no {path}" for path in controls if not (ROOT / path).is_file()]
        for path, name in tests:
            if not (ROOT / path).is_file() or not name.startswith("test_") or name not in _tests_of(path):
                problems.append(f"{threat.name}: there is no {path}::{name}")
    return problems


def test_every_threat_has_a_control_and_a_test_that_exist() -> None:
    """In every area; a test that is renamed takes its threat along."""
    page = PAGE.read_text("utf-8")
    assert problems_in(page) == []
    assert {threat.area for threat in threats_in(page)} == AREAS


GOOD = "| T1 | floods | `server/app.py` | `tests/test_app.py::test_a_taken_port_is_told` |\n"


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (GOOD + GOOD, "numbers"),
        (GOOD.replace("T1", "T2"), "numbers"),
        (GOOD.replace("`server/app.py`", ""), "no control"),
        (GOOD.replace("app.py::test_a_taken_port_is_told", "app.py"), "no test"),
        (GOOD.replace("server/app.py", "server/apps.py"), "there is no server/apps.py"),
        (GOOD.replace("test_a_taken_port_is_told", "test_a_taken_port"), "there is no tests/test_app.py::"),
        (GOOD.replace("test_app.py", "test_apps.py"), "there is no tests/test_apps.py::"),
    ],
)
def test_a_page_with_a_gap_is_found(rows: str, problem: str) -> None:
    """A missing or doubled number, control or test is named."""
    assert problems_in(GOOD) == []
    assert any(problem in each for each in problems_in(rows))


def test_whoever_finds_a_fault_is_told_where_to_say_so() -> None:
    """The first page names the one that says how to report, which names the threats."""
    for page in ("README.md", "README.zh-CN.md"):
        assert "SECURITY.md" in (ROOT / page).read_text("utf-8")
    said = (ROOT / "SECURITY.md").read_text("utf-8")
    assert "docs/threat-model.md" in said
    assert all(f"## {part}" in said for part in ("Reporting", "What is promised", "What is not"))
