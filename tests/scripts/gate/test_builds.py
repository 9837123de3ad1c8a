"""Builds: a revision of this project is written apart and runs there; what cannot be compared says why."""

import subprocess
from pathlib import Path

import pytest

import server
from scripts.gate.builds import NoBase, base_of, check_protocol, head

IS_REPOSITORY = (Path(server.__path__[0]).parent / ".git").exists()
needs_repository = pytest.mark.skipif(not IS_REPOSITORY, reason="this copy of the project is no git repository")


@needs_repository
def test_a_revision_is_written_apart_and_runs_there(tmp_path: Path) -> None:
    """Its modules are its own, its dependencies ours where the lock files are equal, and it is written once."""
    said: list[str] = []
    base = base_of("HEAD", tmp_path / "cache", said.append)
    assert base.build.root.parent == tmp_path / "cache"
    assert base.build.python == head().build.python
    where = "import server; print(server.__path__[0])"
    told = subprocess.run(
        [base.build.python, "-P", "-c", where], env={"PYTHONPATH": str(base.build.root)}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == str(base.build.root / "server")
    check_protocol(base.build, head().build)
    assert base_of("HEAD", tmp_path / "cache", said.append) == base
    assert len(said) == 1


@needs_repository
def test_a_revision_that_is_not_there_is_said(tmp_path: Path) -> None:
    """A shallow clone has it not, and the text says how to get it."""
    with pytest.raises(NoBase, match="no commit no-such-branch here; a shallow clone"):
        base_of("no-such-branch", tmp_path, lambda _: None)


def test_without_git_only_the_name_is_lacking(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The head can be gated all the same; a base cannot be had, and that is said."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert head().commit == "unknown"
    with pytest.raises(NoBase):
        base_of("HEAD", tmp_path, lambda _: None)


@needs_repository
def test_another_protocol_is_not_compared(tmp_path: Path) -> None:
    """The generator would not understand the base."""
    base = base_of("HEAD", tmp_path, lambda _: None).build
    messages = base.root / "server/core/rooms/messages.py"
    messages.write_text(messages.read_text("utf-8") + "\nPROTOCOL = 999\n", "utf-8")
    with pytest.raises(NoBase, match="speaks protocol 999"):
        check_protocol(base, head().build)
