"""Tests of the witness's file: what is written is read, whatever else writes, and whatever a crash has torn."""

from pathlib import Path

import pytest

from server.core.ids import CreatorId
from server.core.money.marks import Mark, WitnessedBooks
from server.store import witness_file
from server.store.witness_file import WitnessFile

ANNA, BEN = CreatorId("anna"), CreatorId("ben")
OLD, NEW = Mark("5-1", "anna.p", 2, "5-0"), Mark("12-0", "anna.q", 9, "12-0")


@pytest.fixture
def file(tmp_path: Path) -> WitnessFile:
    """Return the file of a home that is not there yet."""
    return WitnessFile(tmp_path / "home")


def test_a_home_without_a_file_knows_nothing(file: WitnessFile) -> None:
    """An empty file knows nothing either."""
    assert file.read() is None
    file.path.parent.mkdir()
    file.path.touch()
    assert file.read() is None


def test_the_further_mark_counts_in_whatever_order_it_came(file: WitnessFile) -> None:
    """Two processes of one home append at their own pace."""
    file.adopt(WitnessedBooks("e1", {ANNA: OLD}))
    WitnessFile(file.path.parent).append(WitnessedBooks("e1", {ANNA: NEW}))
    file.append(WitnessedBooks("e1", {ANNA: OLD, BEN: OLD}))
    assert file.read() == WitnessedBooks("e1", {ANNA: NEW, BEN: OLD})
    assert file.path.stat().st_mode & 0o777 == 0o600


def test_a_torn_line_is_none_and_takes_no_other_with_it(file: WitnessFile) -> None:
    """Whatever part of the last line reached the disk, what was there before and what comes next is read."""
    file.adopt(WitnessedBooks("e1", {ANNA: OLD}))
    before = file.path.read_bytes()
    file.append(WitnessedBooks("e1", {BEN: NEW}))
    whole = file.path.read_bytes()
    for length in range(len(before), len(whole) - 1):
        file.path.write_bytes(whole[:length])
        assert file.read() in (
            WitnessedBooks("e1", {ANNA: OLD}),
            WitnessedBooks("e1", {ANNA: OLD, BEN: NEW}),
        )
        file.append(WitnessedBooks("e1", {CreatorId("carl"): NEW}))
        known = file.read()
        assert known is not None
        assert known.marks[CreatorId("carl")] == NEW


@pytest.mark.parametrize(
    "line", [b"[]", b'["anna"]', b'["anna",1,2,3,4]', b'["anna","x"]', b"7", b"{}", b"\xff", b"[[],[]]"]
)
def test_a_line_of_another_kind_counts_for_nothing(file: WitnessFile, line: bytes) -> None:
    """Only lines of ours are about books."""
    file.adopt(WitnessedBooks("e1", {ANNA: OLD}))
    with file.path.open("ab") as opened:
        opened.write(line + b"\n")
    assert file.read() == WitnessedBooks("e1", {ANNA: OLD})


def test_what_was_accepted_stands_alone(file: WitnessFile) -> None:
    """A loss that is accepted puts marks back, also within one epoch."""
    file.adopt(WitnessedBooks("e1", {ANNA: NEW, BEN: NEW}))
    file.replace(WitnessedBooks("e1", {ANNA: OLD}))
    assert file.read() == WitnessedBooks("e1", {ANNA: OLD})


def test_of_two_that_adopt_one_store_the_second_takes_nothing_back(file: WitnessFile) -> None:
    """Another process of the home may have gone on meanwhile; another store is adopted as it is."""
    file.adopt(WitnessedBooks("e1", {ANNA: NEW}))
    file.adopt(WitnessedBooks("e1", {ANNA: OLD}))
    assert file.read() == WitnessedBooks("e1", {ANNA: NEW})
    file.adopt(WitnessedBooks("e2", {BEN: OLD}))
    assert file.read() == WitnessedBooks("e2", {BEN: OLD})


def test_a_file_that_was_removed_begins_anew_with_its_epoch(file: WitnessFile) -> None:
    """A process that goes on without it writes one that can be read."""
    file.adopt(WitnessedBooks("e1", {ANNA: OLD}))
    file.path.unlink()
    file.append(WitnessedBooks("e1", {BEN: NEW}))
    assert file.read() == WitnessedBooks("e1", {BEN: NEW})


def test_a_long_file_is_written_anew(file: WitnessFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """It grows with its creators, not with what happens."""
    monkeypatch.setattr(witness_file, "COMPACT_BYTES", 2_000)
    file = WitnessFile(file.path.parent)
    for number in range(1_000):
        file.append(WitnessedBooks("e1", {ANNA: Mark(f"{number}-0"), BEN: Mark(f"{number}-1")}))
        assert file.path.stat().st_size < 2_100
    assert file.read() == WitnessedBooks("e1", {ANNA: Mark("999-0"), BEN: Mark("999-1")})
    assert sorted(path.name for path in file.path.parent.iterdir()) == [file.path.name, witness_file.LOCK]


def test_each_address_has_a_file_and_one_epoch_is_found_at_any(file: WitnessFile) -> None:
    """A home may use several stores; one that has moved is known by its epoch."""
    file.adopt(WitnessedBooks("e1", {ANNA: OLD}))
    other = WitnessFile(file.path.parent, "redis://somewhere")
    assert file.path.name == "witness.jsonl"
    assert other.read() is None
    assert other.read_elsewhere("e1") == WitnessedBooks("e1", {ANNA: OLD})
    assert other.read_elsewhere("e2") is None
    other.adopt(WitnessedBooks("e2", {BEN: NEW}))
    assert file.read() == WitnessedBooks("e1", {ANNA: OLD})
    assert file.read_elsewhere("e1") is None
