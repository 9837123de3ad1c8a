"""Builds: copies of this project to compare, the base from a git revision with an environment by its lock file."""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import server
from loadtest.engines.child_process import Build

LOCK = "requirements.lock"
MESSAGES = "server/core/rooms/messages.py"


class NoBase(Exception):  # noqa: N818 - shown to the user
    """The base cannot be compared; the text says why."""


class Revision(NamedTuple):
    """A build and the commit it was made of, or how it differs from one."""

    build: Build
    commit: str


def head() -> Revision:
    """Return the project that runs now."""
    root = Path(server.__path__[0]).parent
    commit = "unknown"
    with suppress(NoBase):  # no git, or a repository that it does not trust: only the name is lacking
        commit = _git(root, "rev-parse", "--short=12", "HEAD")
        if _git(root, "status", "--porcelain", "--untracked-files=no"):
            commit += " with changes"
    return Revision(Build(root, Path(sys.executable)), commit)


def base_of(ref: str, cache: Path, say: Callable[[str], None]) -> Revision:
    """
    Return the build of a git revision of this project. It is made in *cache*, once for each commit.

    Raises NoBase.
    """
    ours = head().build
    if not (ours.root / ".git").exists():
        raise NoBase(f"{ours.root} is no git repository, so there is no revision {ref} to compare with")
    try:
        commit = _git(ours.root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    except NoBase:
        raise NoBase(f"there is no commit {ref} here; a shallow clone has too few (fetch-depth: 0)") from None
    cache.mkdir(parents=True, exist_ok=True)
    root = cache.absolute() / commit[:12]
    if not (root / LOCK).exists():
        say(f"writing {ref} ({commit[:12]}) to {root}")
        _export(ours.root, commit, root)
    return Revision(Build(root, _interpreter(root, ours, cache.absolute(), say)), commit[:12])


def check_protocol(base: Build, ours: Build) -> None:
    """Raise NoBase if the generator, which speaks the protocol of *ours*, does not understand the base."""
    theirs, expected = _protocol(base), _protocol(ours)
    if theirs != expected:
        raise NoBase(f"the base speaks protocol {theirs}, and the generator protocol {expected}")


def _protocol(build: Build) -> str:
    program = "from server.core.rooms.messages import PROTOCOL; print(PROTOCOL)"
    done = subprocess.run(
        [str(build.python), "-P", "-c", program], env={"PYTHONPATH": str(build.root)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise NoBase(f"{build.root} does not run:\n{_end(done.stderr)}")
    return done.stdout.strip()


def _interpreter(root: Path, ours: Build, cache: Path, say: Callable[[str], None]) -> Path:
    """Return an interpreter with the dependencies of the lock file in *root*: ours, if it has the same."""
    lock = (root / LOCK).read_bytes()
    if (ours.root / LOCK).exists() and lock == (ours.root / LOCK).read_bytes():
        return ours.python
    folder = cache / f"env-{hashlib.sha256(lock).hexdigest()[:12]}"
    python, ready = folder / "bin/python", folder / "ready"
    if ready.exists():
        return python
    say(f"installing the dependencies of the base into {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    project = ["--no-deps", "--no-build-isolation", "--editable", str(root)]  # for its version: its modules come first
    for command in (
        [str(ours.python), "-m", "venv", str(folder)],
        [*pip, "-r", str(root / LOCK)],
        [*pip, *project],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoBase(f"the environment of the base cannot be made:\n{_end(done.stderr)}")
    ready.touch()
    return python


def _export(repository: Path, commit: str, root: Path) -> None:
    """Write the files of a commit to *root*, all of them or none."""
    with tempfile.TemporaryDirectory(dir=root.parent) as drafts:
        archive, draft = Path(drafts) / "files.tar", Path(drafts) / "files"
        _git(repository, "archive", "--format=tar", f"--output={archive}", commit)
        with tarfile.open(archive) as files:
            files.extractall(draft, filter="data")
        shutil.rmtree(root, ignore_errors=True)
        draft.rename(root)


def _git(root: Path, *arguments: str) -> str:
    git = shutil.which("git")
    if git is None:
        raise NoBase("there is no git on the path, and the base is a revision")
    done = subprocess.run([git, "-C", root, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoBase(f"git {' '.join(arguments)}: {_end(done.stderr)}")
    return done.stdout.strip()


def _end(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-5:])
