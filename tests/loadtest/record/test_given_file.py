"""Files of strangers are read within bounds, and nothing is written through a link."""

import gzip
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from loadtest.record import given_file
from loadtest.record.books import EDITIONS_MAX, PACKET_SHARES_MAX, RUN_SHARES_MAX
from loadtest.record.given_file import BROKEN, Allowance, NotTaken, read_given, replace_file
from loadtest.record.run_folder import FAULT_RECORDS_MAX, HAPPENINGS_MAX, WAITS_MAX
from loadtest.run.run_requests import BOOKS_BYTES_MAX
from loadtest.targets.users import USERS_BYTES_MAX
from server.core.toml_text import KEY_PARTS_MAX, TOML_CHARACTERS_MAX


@pytest.mark.parametrize(
    "make",
    [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero"), lambda path: path.symlink_to("plain")],
    ids=["pipe", "folder", "device", "link"],
)
def test_only_a_plain_file_is_read(make: Callable[[Path], object], tmp_path: Path) -> None:
    """A pipe would wait for ever, a device has no end, and a link leads out of the folder."""
    (tmp_path / "plain").write_bytes(b"x")
    make(tmp_path / "file")
    with pytest.raises(NotTaken, match="plain file"):
        read_given(tmp_path / "file")
    with pytest.raises(NotTaken, match="plain file"):
        list(Allowance().lines(tmp_path / "file"))
    assert read_given(tmp_path / "plain") == b"x"


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    """One byte more is refused."""
    (tmp_path / "file").write_bytes(b"x" * 100)
    assert read_given(tmp_path / "file", 100) == b"x" * 100
    with pytest.raises(NotTaken, match="more than 99 bytes"):
        read_given(tmp_path / "file", 99)


def test_all_files_of_a_run_share_an_allowance_and_one_that_is_read_again_does_not_count(tmp_path: Path) -> None:
    """Judge and report read the same files."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"12345\n" * 10)
    other.write_bytes(b"12345\n" * 10)
    allowance = Allowance(bytes_max=119)
    for _ in range(2):
        assert len(list(allowance.lines(one))) == 10
    with pytest.raises(NotTaken, match="119 bytes"):
        list(allowance.lines(other))
    few = Allowance(lines_max=19)
    list(few.lines(one))
    with pytest.raises(NotTaken, match="19 lines"):
        list(few.lines(other))


def test_an_archive_counts_as_what_it_unpacks_to(tmp_path: Path) -> None:
    """A bomb of lines ends at the allowance, one of a single line at the length of a line."""
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"{}\n" * 100_000))
    lines = Allowance(bytes_max=30_000).lines(path)
    assert [next(lines) for _ in range(10_000)] == [b"{}\n"] * 10_000
    with pytest.raises(NotTaken, match=r"30,000 bytes"):
        next(lines)


def test_a_line_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one without an end."""
    monkeypatch.setattr(given_file, "LINE_BYTES_MAX", 10)
    (tmp_path / "file").write_bytes(b"x" * 11)
    with pytest.raises(NotTaken, match=":1: has more than 10 bytes in a line"):
        list(Allowance().lines(tmp_path / "file"))


@pytest.mark.parametrize(
    "content", [b"no archive", gzip.compress(b"{}\n" * 99)[:-9], b"\x1f\x8b\x08"], ids=["none", "cut off", "a head"]
)
def test_a_broken_archive_is_one_of_the_named_errors(content: bytes, tmp_path: Path) -> None:
    """The reader of records says so with the file's name."""
    (tmp_path / "file.gz").write_bytes(content)
    with pytest.raises(BROKEN):
        list(Allowance().lines(tmp_path / "file.gz"))


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    """Nothing is written through a link, also not through one to nothing, and no draft is left."""
    (tmp_path / "theirs").write_text("untouched")
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    for name in ("link", "dangling", "new"):
        replace_file(tmp_path / name, b"ours")
        assert not (tmp_path / name).is_symlink()
        assert (tmp_path / name).read_bytes() == b"ours"
    assert (tmp_path / "theirs").read_text() == "untouched"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "link", "new", "theirs"]


def test_a_folder_in_the_place_of_a_file_is_an_error_and_leaves_no_draft(tmp_path: Path) -> None:
    """The caller tells of it."""
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(tmp_path / "file", b"ours")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_page_of_limits_has_the_bounds() -> None:
    """A person can look up why a folder is refused."""
    page = (Path(__file__).parents[3] / "docs/limits.md").read_text("utf-8")
    bounds = (
        given_file.RUN_BYTES_MAX, given_file.RUN_LINES_MAX, given_file.LINE_BYTES_MAX, given_file.FILE_BYTES_MAX,
        HAPPENINGS_MAX, FAULT_RECORDS_MAX, WAITS_MAX, TOML_CHARACTERS_MAX, KEY_PARTS_MAX, PACKET_SHARES_MAX,
        RUN_SHARES_MAX,
        EDITIONS_MAX, BOOKS_BYTES_MAX, USERS_BYTES_MAX,
    )  # fmt: skip
    section = page.partition("## Folders of strangers")[2]
    assert all(re.search(rf"\b{bound:,}\b", section) for bound in bounds)
