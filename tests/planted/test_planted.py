"""The quick half of the planted bugs: two on a real server; docs/invariants.md lists all, scripts/planted runs them."""

import re
from pathlib import Path

import pytest

from loadtest.verdict.audit import INVARIANTS
from tests.planted.__main__ import violated
from tests.planted.plants import PLANTS, Plant

PAGE = Path(__file__).parents[2] / "docs/invariants.md"
QUICK = ("receipts swapped between viewers", "open is announced 400 ms late")


@pytest.mark.parametrize("plant", [plant for plant in PLANTS if plant.name in QUICK], ids=lambda plant: plant.name)
def test_a_planted_bug_is_found(plant: Plant, tmp_path: Path) -> None:
    """In a storm against a server that has it, by an invariant that it breaks."""
    assert plant.found_by & (violated(plant, 1, tmp_path / "1") or violated(plant, 2, tmp_path / "2"))


def test_the_page_lists_every_planted_bug() -> None:
    """With the invariants of which one must find it."""
    rows = dict(re.findall(r"^\| ([^|]+?) \| (A[\dA, ]+?) \|$", PAGE.read_text("utf-8"), re.MULTILINE))
    assert rows == {plant.name: ", ".join(sorted(plant.found_by)) for plant in PLANTS}
    assert set().union(*(plant.found_by for plant in PLANTS)) <= INVARIANTS.keys()
