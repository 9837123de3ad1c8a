"""docs/pages.md is true: pictures are there and small, tests exist, and every rule about pages has a place."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "pages.md").read_text("utf-8")
RULES = (ROOT / "docs" / "rules.md").read_text("utf-8")
IMAGES = ROOT / "docs" / "images"
PICTURE_BYTES_MAX, FILM_BYTES_MAX = 300 * 1024, 3 * 1024 * 1024


def test_every_picture_is_there_and_small_and_every_one_is_shown() -> None:
    shown = set(re.findall(r'<img src="images/([\w.-]+)"', PAGE))
    assert shown == {path.name for path in IMAGES.iterdir()}
    assert [path.name for path in IMAGES.iterdir() if path.stat().st_size > PICTURE_BYTES_MAX] == []
    assert (ROOT / "docs" / "demo.gif").stat().st_size <= FILM_BYTES_MAX


def test_every_rule_about_pages_has_a_picture_and_every_rule_named_exists() -> None:
    """In each row that names a rule there is a picture: the table has both."""
    shown = "\n".join(row for row in PAGE.splitlines() if "<img" in row)
    named = set(re.findall(r"\b[A-Z]{2,3}-[A-Z]{2,3}-\d+", shown))
    rules = set(re.findall(r"^\| ([A-Z]{2,3}-[A-Z]{2,3}-\d+) \|", RULES, re.MULTILINE))
    assert {rule for rule in rules if "-UI-" in rule} <= named <= rules


def test_every_test_that_is_named_exists() -> None:
    rows = [row for row in PAGE.splitlines() if "<img" in row]
    named = [re.search(r"`(test_\w+\.py)::(test_\w+)` \|$", row) for row in rows]
    assert all(named)
    for found in filter(None, named):
        file, test = found.groups()
        assert f"def {test}(" in (ROOT / "tests" / "browser" / file).read_text("utf-8"), found[0]
