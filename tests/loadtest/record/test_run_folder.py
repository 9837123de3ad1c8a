"""The folder of a run keeps what was written into it, and says so when it is no run."""

import gzip
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from loadtest.record.run_folder import FORMAT_VERSION, RunFacts, RunFolder
from loadtest.record.shape import BadRecord
from tests.loadtest.written_run import a_run

FACTS = RunFacts(
    scenario="smoke",
    seed=1,
    engine="locust",
    durability="durable",
    speed=10,
    limits="load",
    allocator="default",
    viewers=12,
    seats=14,
    repeat_command="redrain storm smoke",
    started_at="2023-08-05T19:10:00+08:00",
    environment={"python": "3.11"},
    packet_ids=["c1.p0"],
    happenings=[{"at_ms": 0, "action": "launch"}],
)


def test_facts_come_back_as_they_were(tmp_path: Path) -> None:
    """An offline audit knows of the run what the storm knew."""
    folder = RunFolder(tmp_path)
    folder.write_facts(FACTS)
    assert folder.facts() == FACTS


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", '{"scenario": "smoke"}', '{"colour": "red"}'])
def test_a_folder_without_facts_is_no_run(content: str | None, tmp_path: Path) -> None:
    """A missing, broken or foreign run.json is named."""
    if content is not None:
        (tmp_path / "run.json").write_text(content, "utf-8")
    with pytest.raises(BadRecord, match=r"run\.json"):
        RunFolder(tmp_path).facts()


def test_a_run_says_its_format_and_one_that_does_not_is_of_the_first(tmp_path: Path) -> None:
    """Folders from before there was a version can still be judged."""
    folder, path = RunFolder(tmp_path), tmp_path / "run.json"
    folder.write_facts(FACTS)
    recorded = orjson.loads(path.read_bytes())
    assert recorded.pop("format_version") == FORMAT_VERSION
    path.write_bytes(orjson.dumps(recorded))
    assert folder.facts() == FACTS


@pytest.mark.parametrize("version", [FORMAT_VERSION + 1, "2", None])
def test_a_run_of_a_newer_format_is_refused(version: object, tmp_path: Path) -> None:
    """Neither its facts nor its books are guessed at; the text says which version is read."""
    folder, path = RunFolder(tmp_path), tmp_path / "run.json"
    folder.write_facts(FACTS)
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | {"format_version": version}))
    for read in (folder.facts, folder.read_books):
        with pytest.raises(BadRecord, match=rf"run\.json: is of format {version!r}.* reads up to {FORMAT_VERSION}"):
            read()


def test_snapshots_stay_in_order(tmp_path: Path) -> None:
    """The books of a run are read in the order in which they were taken, also past the ninth."""
    folder = RunFolder(tmp_path)
    for number in (10, 2, 0):
        folder.snapshot(number).write_bytes(b"")
    assert folder.snapshots() == [folder.snapshot(0), folder.snapshot(2), folder.snapshot(10)]


def test_compressed_history_is_read_like_plain(tmp_path: Path) -> None:
    """After compress() only packed files are left, and they say the same."""
    folder, run = RunFolder(tmp_path), a_run()
    plain = tmp_path / "history-1.jsonl"
    plain.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in run.history))
    before, content = folder.read_history(), plain.read_bytes()
    folder.compress()

    assert [path.name for path in tmp_path.iterdir()] == ["history-1.jsonl.gz"]
    assert gzip.decompress((tmp_path / "history-1.jsonl.gz").read_bytes()) == content
    assert folder.read_history() == before
    assert len(before.grabs) == len(run.of("grab")) > 0


def test_a_foreign_run_has_no_books_of_ours(tmp_path: Path) -> None:
    """Missing books raise an error, or read as empty books at the run's speed where they are optional."""
    folder = RunFolder(tmp_path)
    folder.write_facts(replace(FACTS, target="http"))
    assert folder.facts().foreign
    with pytest.raises(BadRecord, match="only a run against a redrain server has it"):
        folder.read_books()
    books = folder.books_or_none()
    assert (books.clock.speed, books.final, books.packets, list(books.journal)) == (10, True, {}, [])
    assert folder.read_claims() is None
    folder.write_facts(FACTS)
    assert not folder.facts().foreign
    with pytest.raises(BadRecord):
        folder.books_or_none()
