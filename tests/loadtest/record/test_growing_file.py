"""A growing file: each line once, whole, and to the end even without a name."""

from pathlib import Path

from loadtest.record.growing_file import GrowingFile


def test_each_line_is_read_once_and_only_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    growing = GrowingFile(path)
    assert growing.new_lines() == []
    with path.open("wb") as file:
        file.write(b"one\ntw")
        file.flush()
        assert growing.new_lines() == [b"one"]
        file.write(b"o\nthree\n")
        file.flush()
        assert growing.new_lines() == [b"two", b"three"]
    assert growing.new_lines() == []


def test_the_last_lines_are_read_after_the_file_has_lost_its_name(tmp_path: Path) -> None:
    """A run packs its histories at the end and unlinks the plain ones."""
    path = tmp_path / "a.jsonl"
    growing = GrowingFile(path)
    with path.open("wb") as file:
        file.write(b"one\n")
        file.flush()
        assert growing.new_lines() == [b"one"]
        file.write(b"two\n")
    path.unlink()
    assert growing.new_lines() == [b"two"]
