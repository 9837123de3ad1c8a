"""The file in which a deployment overrides limits: what is wrong with it is told before anything is served."""

from pathlib import Path

import pytest
import requests

from loadtest.engines.child_process import ProcessFailed
from loadtest.run.server_process import ServerProcess
from loadtest.verdict.weigh import Exit
from server.core.rulebooks.overrides import BadRulebooks
from server.core.rulebooks.platforms import RULEBOOKS
from server.rulebook_file import load_rulebooks


def test_without_a_file_the_books_are_ours() -> None:
    """The default overrides nothing."""
    assert load_rulebooks(None) == RULEBOOKS


def test_a_file_overrides_what_it_names(tmp_path: Path) -> None:
    """Fields stand by their names in a table of the platform."""
    path = tmp_path / "mine.toml"
    path.write_text("[kuaishou]\npopup_min_gap_ms = 5\n", "utf-8")
    assert load_rulebooks(path)["kuaishou"].popup_min_gap_ms == 5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: "),
        (b"\xff", "cannot be read: "),
        (b"[douyin\n", "not TOML: "),
        (b"[douyin]\nspeed = 1\n", "douyin.speed: no such field"),
    ],
    ids=["absent", "not text", "not TOML", "not ours"],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None, said: str) -> None:
    """The sentence begins with the file."""
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadRulebooks) as bad:
        load_rulebooks(path)
    assert str(bad.value).startswith(f"{path}: {said}")


def test_every_worker_judges_by_the_same_books(tmp_path: Path) -> None:
    """Whichever is asked shows what the file says."""
    server = ServerProcess(tmp_path, ["--durability", "none", "--workers", "2"], {"lab": {"overlap_max": 7}})
    try:
        url = server.wait_until_ready()
        for _ in range(8):  # each on a connection of its own, which the kernel hands to one of them
            limits = requests.get(f"{url}/api/rulebooks/lab", timeout=30).json()["limits"]
            assert [limit["value"] for limit in limits if limit["overridden"]] == [7]
    finally:
        server.stop()


def test_a_server_with_wrong_books_does_not_start(tmp_path: Path) -> None:
    """It is wrong usage, and the server says what is wrong before it takes a port or a store."""
    server = ServerProcess(tmp_path, ["--durability", "none"], {"lab": {"overlap_max": 0}})
    with pytest.raises(ProcessFailed, match=r"rulebooks.toml: lab.overlap_max: must be") as failed:
        server.wait_until_ready()
    assert failed.value.exit_code == Exit.USAGE
    server.stop()
