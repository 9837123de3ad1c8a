"""The quick half of the planted bugs: one in a storm, all by recorded runs; scripts/planted storms every one."""

import re
from pathlib import Path

import pytest
from redis import Redis

from loadtest.engines.crowd import SilentView
from loadtest.engines.progress import Progress
from loadtest.record.run_folder import RunFolder
from loadtest.run.judge_run import judge_run
from loadtest.verdict.audit import INVARIANTS
from tests.planted.__main__ import stormed, violated
from tests.planted.plant import Plant
from tests.planted.plants import PLANTS
from tests.planted.recorded import RECORDED, archive, unpack

PAGE = Path(__file__).parents[2] / "docs/invariants.md"


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.slug)
def test_a_recorded_bug_is_found(plant: Plant, tmp_path: Path) -> None:
    """In a run that was recorded against a server that has it, by an invariant that it breaks."""
    result = judge_run(unpack(plant, tmp_path))
    assert plant.found_by & {violation["invariant"] for violation in result["violations"]}


def test_no_record_is_of_a_bug_that_is_gone() -> None:
    """Every recorded run is of a planted bug, whose name is its own."""
    assert set(RECORDED.iterdir()) == {archive(plant) for plant in PLANTS}
    assert len({plant.slug for plant in PLANTS}) == len(PLANTS)


def test_a_planted_bug_is_found(tmp_path: Path) -> None:
    """In a storm against a server that has it, as `scripts/planted` holds one against each bug."""
    plant = next(plant for plant in PLANTS if plant.name == "receipts swapped between viewers")
    assert plant.found_by & (violated(plant, 1, tmp_path / "1") or violated(plant, 2, tmp_path / "2"))


def test_the_page_lists_every_planted_bug() -> None:
    """With the invariants of which one must find it."""
    rows = dict(re.findall(r"^\| ([^|]+?) \| (A[\dA, ]+?) \|$", PAGE.read_text("utf-8"), re.MULTILINE))
    assert rows == {plant.name: ", ".join(sorted(plant.found_by)) for plant in PLANTS}
    assert set().union(*(plant.found_by for plant in PLANTS)) <= INVARIANTS.keys()


class Flusher(SilentView):
    """A view that empties the run's store once shares have been given."""

    def __init__(self, folder: RunFolder) -> None:
        self._socket = folder.home / "store/store.sock"
        self.flushed = False

    def progress(self, progress: Progress, happening: str) -> None:
        if progress.granted and not self.flushed:
            with Redis(unix_socket_path=str(self._socket)) as store:
                self.flushed = bool(store.flushall())


def test_a_store_that_is_emptied_in_a_storm_ends_in_a_verdict(tmp_path: Path) -> None:
    """Its server has forgotten the packets; the receipts have not: what was acknowledged is lost, exit code 10."""
    folder = RunFolder(tmp_path)
    view = Flusher(folder)
    result = stormed(1, folder, view)
    assert view.flushed
    assert (result["exit_code"], result["reasons"][0]) == (10, "invariant")
    assert "A5" in {violation["invariant"] for violation in result["violations"]}
    assert any("broke off" in note for note in result["notes"])
